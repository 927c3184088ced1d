"""What each protocol's two halves offer: the caller's half and the provider's half."""

from collections.abc import Sequence
from typing import Any, Protocol

from tollhouse.errors import TollhouseError
from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.translation.answer import AnswerEvent, Failed
from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.wires import GenerativeWire, StreamStyle


class UntranslatableError(TollhouseError):
    """A request whose meaning another family's protocol cannot carry; ``field`` is the caller's name of it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


class AnswerWriter(Protocol):
    """Writes one answer in the caller's protocol, as a stream or as one body."""

    def write(self, events: Sequence[AnswerEvent]) -> list[bytes]:
        """The stream's events (raw bytes, each one framed event) that ``events`` make possible."""
        ...

    def finish(self) -> list[bytes]:
        """The stream's last events, terminal one among them; after a Failed or without a Finished: its error event."""
        ...

    def body(self) -> bytes:
        """The unary body of all events that were written (``write``'s return values are then of no use)."""
        ...


class CallerHalf(Protocol):
    """The protocol that the caller speaks."""

    wire: GenerativeWire

    def read_request(self, body: dict[str, Any], model: str, *, is_stream: bool) -> Conversation:
        """The request in the intermediate form, its losses named. Raises UntranslatableError."""
        ...

    def new_writer(self, conversation: Conversation, answer_id: str, created: int, style: StreamStyle) -> AnswerWriter:
        """A writer of one answer; ``answer_id`` is 32 hex digits to make ids of, ``created`` seconds since 1970."""
        ...


class AnswerReader(Protocol):
    """Reads one answer of a provider, as a stream or as one body."""

    def read(self, frame: Frame) -> list[AnswerEvent]:
        """What one event of the stream says."""
        ...

    def read_body(self, body: bytes) -> list[AnswerEvent]:
        """All that a unary body of status 200 says."""
        ...


class ProviderHalf(Protocol):
    """The protocol that the provider speaks."""

    wire: GenerativeWire

    def write_request(self, conversation: Conversation, model: str) -> bytes:
        """The request for ``model``, streamed or not as the conversation says; appends to its losses.

        Raises UntranslatableError.
        """
        ...

    def new_reader(self) -> AnswerReader:
        """A reader of one answer."""
        ...

    def read_error(self, status: int, body: bytes) -> Failed:
        """A body of another status than 200."""
        ...
