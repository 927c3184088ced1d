"""What the official SDKs accumulate of a stream, compared with what was assembled."""

from typing import Any

from anthropic.lib.streaming._beta_messages import accumulate_event
from anthropic.types.beta import BetaRawMessageStreamEvent
from gateway.observing.observed_streams import Reading
from google.genai.types import GenerateContentResponse
from openai._models import construct_type_unchecked
from openai._types import omit
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter


def assert_chat(reading: Reading, events: list[Any]) -> None:
    state = ChatCompletionStreamState()
    for event in events:
        state.handle_chunk(ChatCompletionChunk.construct(**event))
    theirs = state.current_completion_snapshot.to_dict()
    # The SDK takes the usage of the very last chunk, which is null where another chunk follows that of the usage, and
    # leaves the stream's index in the tool calls.
    theirs = without_nulls(theirs, "usage", "index", "obfuscation", "parsed")
    assert without_nulls(reading.assembled, "usage", "index") == theirs


def assert_responses(reading: Reading, events: list[Any]) -> None:
    if events[0]["type"] != "response.created":
        events = [{"type": "response.created", "response": events[0]["response"]}, *events]
    state = ResponseStreamState(input_tools=omit, text_format=omit)
    for event in events:
        state.handle_event(construct_type_unchecked(type_=ResponseStreamEvent, value=event))
    if state._completed_response is not None:
        theirs = state._completed_response.to_dict()
        assert without_nulls(reading.assembled) == without_nulls(theirs, "parsed")


def assert_message(reading: Reading, events: list[Any]) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(BetaRawMessageStreamEvent)
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in events:
        if event["type"] != "ping":
            snapshot = accumulate_event(
                event=adapter.validate_python(event),
                current_snapshot=snapshot,
                json_bufs=buffers,
                request_headers=None,
            )
    theirs = snapshot.to_dict(mode="json")
    assert without_nulls(reading.assembled) == without_nulls(theirs, "parsed_output")


def assert_gemini(reading: Reading, events: list[Any]) -> None:
    ours = GenerateContentResponse.model_validate(reading.assembled)
    chunks = [GenerateContentResponse.model_validate(event) for event in events]
    assert (ours.text or "") == "".join(chunk.text or "" for chunk in chunks)
    assert ours.function_calls == ([call for chunk in chunks for call in chunk.function_calls or []] or None)
    assert ours.usage_metadata == chunks[-1].usage_metadata
    assert (ours.response_id, ours.model_version) == (chunks[-1].response_id, chunks[-1].model_version)
    last = (chunks[-1].candidates or [])[0]
    assert ours.candidates
    assert ours.candidates[0].finish_reason == last.finish_reason
    assert ours.candidates[0].grounding_metadata == last.grounding_metadata


def without_nulls(value: Any, *left_out: str) -> Any:
    """Members that are null say what absent ones say; the SDKs fill in many."""
    if isinstance(value, dict):
        kept = {key: without_nulls(member, *left_out) for key, member in value.items() if key not in left_out}
        return {key: member for key, member in kept.items() if member is not None}
    return [without_nulls(member, *left_out) for member in value] if isinstance(value, list) else value


ACCUMULATED = {
    "openai_chat": assert_chat,
    "openai_responses": assert_responses,
    "anthropic_messages": assert_message,
    "gemini": assert_gemini,
}
