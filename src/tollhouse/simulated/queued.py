"""Behaviours and recorded answers that wait for the calls they are meant for."""

from fnmatch import fnmatchcase

import msgspec

from tollhouse.simulated.behaviours import behaviour_of, header_text
from tollhouse.simulated.refusals import RefusedError


class Verbatim(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to give byte for byte; ``chunks`` are the sizes in bytes in which the body is sent, the rest last."""

    status: int = 200
    headers: list[tuple[str, str]] = []
    body_base64: bytes | None = None
    chunks: list[int] | None = None


class Queued(msgspec.Struct, forbid_unknown_fields=True):
    """``count`` calls (None: all) whose path and model match the patterns (``*``, ``?``) are answered so."""

    behaviour: str = ""
    count: int | None = 1
    path: str = "*"
    model: str = "*"
    verbatim: Verbatim | None = None


_DECODER = msgspec.json.Decoder(Queued)


class Queue:
    """In the order in which they were put in; the first that matches is taken."""

    def __init__(self) -> None:
        self._waiting: list[Queued] = []

    def put(self, body: bytes) -> None:
        """Add one from its JSON. Raises RefusedError, or BehaviourError for a behaviour or header that cannot be."""
        try:
            queued = _DECODER.decode(body)
        except msgspec.DecodeError as error:
            raise RefusedError(400, f"not a behaviour to queue: {error}") from error
        behaviour_of(queued.behaviour)
        for name, value in queued.verbatim.headers if queued.verbatim else ():
            header_text(f"{name}: {value}")
        self._waiting.append(queued)

    def take(self, path: str, model: str | None) -> Queued | None:
        """The one that this call is to have, if any."""
        for place, queued in enumerate(self._waiting):
            if fnmatchcase(path, queued.path) and fnmatchcase(model or "", queued.model):
                if queued.count is not None:
                    queued.count -= 1
                    if queued.count <= 0:
                        del self._waiting[place]
                return queued
        return None

    def clear(self) -> None:
        """Forget all."""
        self._waiting.clear()

    def shown(self) -> bytes:
        """All that wait, as JSON."""
        return msgspec.json.encode(self._waiting)
