"""What every protocol's observer offers the response path."""

from typing import Final, Protocol

import msgspec

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.wires import Wire

# What one event is; an event may be several of them.
CONTENT: Final = 1  # has text, reasoning, a tool call or anything else that a model made
TERMINAL: Final = 2  # after it the answer is whole
ERROR: Final = 4  # the provider's error inside a stream that began with 200
USAGE_ONLY: Final = 8  # chat's last chunk, with usage and no choices, which only comes where it was asked for


class ProviderError(msgspec.Struct, frozen=True):
    """A provider's own error: its code or type, and its message."""

    code: str | None
    message: str | None


class Observed(msgspec.Struct):
    """What is known of an answer so far.

    ``usage`` is the provider's usage object verbatim (JSON); ``is_usage_partial`` where the answer broke off before
    the final one. ``content_bytes`` counts the UTF-8 bytes of what the model made, for estimates (bytes / 4).
    """

    usage: bytes | None = None
    is_usage_partial: bool = False
    finish_reason: str | None = None
    response_id: str | None = None
    response_model: str | None = None
    service_tier: str | None = None
    error: ProviderError | None = None
    is_complete: bool = False
    content_bytes: int = 0


class Observer(Protocol):
    """Reads one answer of one protocol. Never raises for what a provider sends: what it cannot read it keeps raw."""

    wire: Wire
    seen: Observed

    @property
    def held_bytes(self) -> int:
        """What is held of the answer: what the model made, and raw events."""
        ...

    def forget(self) -> None:
        """Let go of what is held, of which nothing will be asked; what ``seen`` says goes on."""
        ...

    def observe(self, frame: Frame) -> int:
        """Take one event of a stream and say what it is: 0 or a sum of CONTENT, TERMINAL, ERROR and USAGE_ONLY."""
        ...

    def observe_body(self, body: bytes, status: int) -> None:
        """Take a whole unary body in the place of events."""
        ...

    def assembled(self) -> bytes | None:
        """The stream so far in the provider's non-streaming shape (JSON); None where nothing was understood."""
        ...

    def raw_events(self) -> bytes:
        """The raw bytes of the events that ``assembled`` cannot hold, joined; b"" where there are none."""
        ...
