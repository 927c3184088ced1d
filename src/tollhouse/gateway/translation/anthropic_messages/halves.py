"""The two halves of Anthropic Messages."""

from typing import Any, Final

from tollhouse.gateway.translation.answer import Failed
from tollhouse.gateway.translation.anthropic_messages.answer_reader import MessagesAnswerReader, read_error
from tollhouse.gateway.translation.anthropic_messages.answer_writer import MessagesAnswerWriter
from tollhouse.gateway.translation.anthropic_messages.request_reader import read_request
from tollhouse.gateway.translation.anthropic_messages.request_writer import write_request
from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.translation.halves import AnswerReader, AnswerWriter, CallerHalf, ProviderHalf
from tollhouse.gateway.wires import GenerativeWire, StreamStyle


class MessagesCaller:
    """The caller speaks Messages."""

    wire: GenerativeWire = "anthropic_messages"

    def read_request(self, body: dict[str, Any], model: str, *, is_stream: bool) -> Conversation:
        """The request in the intermediate form. Raises UntranslatableError."""
        return read_request(body, model, is_stream=is_stream)

    def new_writer(self, conversation: Conversation, answer_id: str, created: int, style: StreamStyle) -> AnswerWriter:
        """A writer of one answer."""
        del created, style  # Messages tells no time and knows one style
        return MessagesAnswerWriter(conversation, answer_id)


class MessagesProvider:
    """The provider speaks Messages."""

    wire: GenerativeWire = "anthropic_messages"

    def write_request(self, conversation: Conversation, model: str) -> bytes:
        """The request's JSON. Raises UntranslatableError."""
        return write_request(conversation, model)

    def new_reader(self) -> AnswerReader:
        """A reader of one answer."""
        return MessagesAnswerReader()

    def read_error(self, status: int, body: bytes) -> Failed:
        """A body of another status than 200."""
        return read_error(status, body)


CALLER: Final[CallerHalf] = MessagesCaller()
PROVIDER: Final[ProviderHalf] = MessagesProvider()
