"""A call whose destination speaks another family's protocol: read once, written for each attempt."""

import json
from typing import Any

import msgspec

from tollhouse.gateway.call import Call
from tollhouse.gateway.refusals import INVALID_JSON, UNTRANSLATABLE, RefusalError
from tollhouse.gateway.translation.answer import Failed
from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.translation.halves import (
    AnswerReader,
    AnswerWriter,
    CallerHalf,
    ProviderHalf,
    UntranslatableError,
)
from tollhouse.gateway.translation.registry import CALLERS, PROVIDERS
from tollhouse.gateway.wires import GenerativeWire, Wire

_HINT_HEADERS = ("anthropic-beta", "openai-beta", "x-goog-request-params")


class Translation:
    """One call's request in the intermediate form, and the making of its answers."""

    def __init__(self, call: Call, conversation: Conversation) -> None:
        self._call = call
        self._conversation = conversation

    def request(self, wire: Wire, model: str) -> bytes:
        """The request in the protocol of a provider; what it drops is added to the call's losses.

        Raises RefusalError naming the field that cannot be carried over.
        """
        conversation = msgspec.structs.replace(self._conversation, losses=list(self._conversation.losses))
        try:
            body = provider_half(wire).write_request(conversation, model)
        except UntranslatableError as error:
            raise RefusalError(UNTRANSLATABLE, str(error), param=error.field) from error
        record = self._call.record
        record.translation_losses = list(dict.fromkeys([*record.translation_losses, *conversation.losses]))
        return body

    def answer(self, wire: Wire) -> tuple[AnswerReader, AnswerWriter]:
        """A reader of the provider's answer, and a writer of the client's."""
        call = self._call
        writer = caller_half(call.answer_wire).new_writer(
            self._conversation, call.invocation_id.replace("-", ""), call.event_us // 1_000_000, call.style
        )
        return provider_half(wire).new_reader(), writer

    def failure(self, wire: Wire, status: int, body: bytes) -> Failed:
        """What a provider's error says."""
        return provider_half(wire).read_error(status, body)


def translate(call: Call) -> Translation:
    """The call's request in the intermediate form. Raises RefusalError naming the field that cannot be carried over."""
    try:
        body: Any = json.loads(call.body)
        model, is_stream = call.record.requested_model or "", call.record.is_stream
        conversation = caller_half(call.wire).read_request(body, model, is_stream=is_stream)
    except UntranslatableError as error:
        raise RefusalError(UNTRANSLATABLE, str(error), param=error.field) from error
    except RecursionError as error:
        raise RefusalError(INVALID_JSON, "the body's JSON is nested too deeply") from error
    hints = (name for name in _HINT_HEADERS if name.encode() in call.introduction.named)
    call.record.translation_losses = [*conversation.losses, *hints]
    return Translation(call, conversation)


def caller_half(wire: Wire) -> CallerHalf:
    """The half of a generative protocol that callers speak."""
    return CALLERS[_generative(wire)]


def provider_half(wire: Wire) -> ProviderHalf:
    """The half of a generative protocol that providers speak."""
    return PROVIDERS[_generative(wire)]


def _generative(wire: Wire) -> GenerativeWire:
    if wire == "openai_embeddings":
        raise ValueError("embeddings are not translated")
    return wire
