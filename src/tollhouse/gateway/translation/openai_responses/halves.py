"""The two halves of Responses."""

from typing import Any, Final

from tollhouse.gateway.translation.answer import Failed
from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.translation.halves import AnswerReader, AnswerWriter, CallerHalf, ProviderHalf
from tollhouse.gateway.translation.openai_failures import read_error
from tollhouse.gateway.translation.openai_responses.answer_reader import ResponsesAnswerReader
from tollhouse.gateway.translation.openai_responses.answer_writer import ResponsesAnswerWriter
from tollhouse.gateway.translation.openai_responses.request_reader import read_request
from tollhouse.gateway.translation.openai_responses.request_writer import write_request
from tollhouse.gateway.wires import GenerativeWire, StreamStyle


class ResponsesCaller:
    """The caller speaks Responses."""

    wire: GenerativeWire = "openai_responses"

    def read_request(self, body: dict[str, Any], model: str, *, is_stream: bool) -> Conversation:
        """The request in the intermediate form. Raises UntranslatableError."""
        return read_request(body, model, is_stream=is_stream)

    def new_writer(self, conversation: Conversation, answer_id: str, created: int, style: StreamStyle) -> AnswerWriter:
        """A writer of one answer."""
        del style  # there is only one
        return ResponsesAnswerWriter(conversation, answer_id, created)


class ResponsesProvider:
    """The provider speaks Responses."""

    wire: GenerativeWire = "openai_responses"

    def write_request(self, conversation: Conversation, model: str) -> bytes:
        """The request's JSON. Raises UntranslatableError."""
        return write_request(conversation, model)

    def new_reader(self) -> AnswerReader:
        """A reader of one answer."""
        return ResponsesAnswerReader()

    def read_error(self, status: int, body: bytes) -> Failed:
        """A body of another status than 200."""
        return read_error(status, body)


CALLER: Final[CallerHalf] = ResponsesCaller()
PROVIDER: Final[ProviderHalf] = ResponsesProvider()
