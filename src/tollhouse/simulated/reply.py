"""An answer before it becomes bytes on a connection: its parts, each with what the ledger has to know of it."""

from collections.abc import Callable
from typing import Final

import msgspec

from tollhouse.simulated.tokens import Tokens

OTHER: Final = 0  # belongs to the protocol, no content
CONTENT: Final = 1
TERMINAL: Final = 2  # after it the answer is whole
COMMENT: Final = 3  # no event of the protocol
ERROR: Final = 4

JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream; charset=utf-8"


class Event(msgspec.Struct, frozen=True, gc=False):
    """Bytes that belong together (one event, or a whole unary body); ``usage`` is the JSON usage object in them."""

    raw: bytes
    kind: int = OTHER
    usage: bytes | None = None


def _no_error(_: int) -> bytes:
    return b""


class Reply(msgspec.Struct, kw_only=True):
    """``on_complete`` is called once all of it was sent; ``ping`` and ``error_event`` are the protocol's own.

    ``error_event`` is given the number of events before it.
    """

    status: int
    events: list[Event]
    content_type: str = JSON
    headers: list[tuple[str, str]] = []
    is_stream: bool = False
    error_event: Callable[[int], bytes] = _no_error
    ping: bytes = b": ping\n\n"
    tokens: Tokens | None = None
    response_id: str | None = None
    on_complete: Callable[[], None] | None = None


def json_reply(body: bytes, status: int = 200, headers: list[tuple[str, str]] | None = None) -> Reply:
    """A unary answer without usage."""
    return Reply(status=status, events=[Event(body, CONTENT)], headers=headers or [])


def sse(name: str | None, payload: bytes) -> bytes:
    """One server-sent event."""
    if name is None:
        return b"data: " + payload + b"\n\n"
    return b"event: " + name.encode() + b"\ndata: " + payload + b"\n\n"
