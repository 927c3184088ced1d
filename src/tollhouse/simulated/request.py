"""One HTTP request as it arrived."""

from urllib.parse import unquote

import msgspec

_BASE = "/behave/"


class Request(msgspec.Struct, frozen=True):
    """``headers`` have lower-case names, in their order; ``known`` has the first of each.

    ``path`` is without ``/behave/...``, which is ``base``.
    """

    method: str
    path: str
    query: str
    base: str
    headers: list[tuple[bytes, bytes]]
    known: dict[bytes, bytes]
    body: bytes
    keeps_alive: bool
    connection: int
    received_ms: float

    def header(self, name: bytes) -> str | None:
        """The first value of a header, by its lower-case name."""
        value = self.known.get(name)
        return None if value is None else value.decode("latin-1")


def split_target(target: str) -> tuple[str, str, str]:
    """(path, query, behaviours of the base path) of a request's target, unquoted where a path is."""
    path, _, query = target.partition("?")
    base = ""
    while path.startswith(_BASE):
        spec, _, rest = path.removeprefix(_BASE).partition("/")
        base, path = f"{base};{unquote(spec)}", f"/{rest}"
    return unquote(path) if "%" in path else path, query, base
