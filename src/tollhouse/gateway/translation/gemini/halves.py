"""The two halves of Gemini generateContent."""

from typing import Any, Final

from tollhouse.gateway.translation.answer import Failed
from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.translation.gemini.answer_reader import GeminiAnswerReader, read_error
from tollhouse.gateway.translation.gemini.answer_writer import GeminiAnswerWriter
from tollhouse.gateway.translation.gemini.request_reader import read_request
from tollhouse.gateway.translation.gemini.request_writer import write_request
from tollhouse.gateway.translation.halves import AnswerReader, AnswerWriter, CallerHalf, ProviderHalf
from tollhouse.gateway.wires import GenerativeWire, StreamStyle


class GeminiCaller:
    """The caller speaks generateContent."""

    wire: GenerativeWire = "gemini"

    def read_request(self, body: dict[str, Any], model: str, *, is_stream: bool) -> Conversation:
        """The request in the intermediate form. Raises UntranslatableError."""
        return read_request(body, model, is_stream=is_stream)

    def new_writer(self, conversation: Conversation, answer_id: str, created: int, style: StreamStyle) -> AnswerWriter:
        """A writer of one answer."""
        del created  # generateContent tells no time
        return GeminiAnswerWriter(conversation, answer_id, style)


class GeminiProvider:
    """The provider speaks generateContent."""

    wire: GenerativeWire = "gemini"

    def write_request(self, conversation: Conversation, model: str) -> bytes:
        """The request's JSON. Raises UntranslatableError."""
        return write_request(conversation, model)

    def new_reader(self) -> AnswerReader:
        """A reader of one answer."""
        return GeminiAnswerReader()

    def read_error(self, status: int, body: bytes) -> Failed:
        """A body of another status than 200."""
        return read_error(status, body)


CALLER: Final[CallerHalf] = GeminiCaller()
PROVIDER: Final[ProviderHalf] = GeminiProvider()
