"""Real traffic, where it is at hand: requests are translated or refused by name, answers are read whole."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from messages_and_gemini import ANSWER_ID, Said, asking, frames

from tollhouse.gateway.framing.sse import SseFramer
from tollhouse.gateway.translation.answer import AnswerEvent, TokenUsage
from tollhouse.gateway.translation.anthropic_messages.halves import CALLER as MESSAGES
from tollhouse.gateway.translation.anthropic_messages.halves import PROVIDER as MESSAGES_PROVIDER
from tollhouse.gateway.translation.conversation import ReasoningWish
from tollhouse.gateway.translation.gemini.halves import CALLER as GEMINI
from tollhouse.gateway.translation.gemini.halves import PROVIDER as GEMINI_PROVIDER
from tollhouse.gateway.translation.halves import CallerHalf, ProviderHalf, UntranslatableError

RECORDINGS = Path(__file__).parents[4] / "shared" / "data" / "recorded-http"
FAMILIES: dict[str, tuple[CallerHalf, ProviderHalf, str]] = {
    "anthropic-messages": (MESSAGES, MESSAGES_PROVIDER, "/messages?"),
    "gemini-generate-content": (GEMINI, GEMINI_PROVIDER, "enerateContent"),
}
FILES = [path for family in FAMILIES for path in sorted((RECORDINGS / family).glob("*.yaml"))]
pytestmark = pytest.mark.skipif(not FILES, reason=f"no recordings under {RECORDINGS}")


def exchanges(path: Path) -> list[dict[str, Any]]:
    suffix = FAMILIES[path.parent.name][2]
    recorded = yaml.safe_load(path.read_text())["interactions"]
    return [each for each in recorded if suffix in each["request"]["uri"]]


def read_answer(provider: ProviderHalf, response: dict[str, Any]) -> list[AnswerEvent]:
    reader = provider.new_reader()
    if "parsed_body" in response:
        return reader.read_body(json.dumps(response["parsed_body"]).encode())
    framer = SseFramer(1 << 20)
    text = response["body"]["string"]
    raw = text if isinstance(text, bytes) else text.encode()
    return [event for frame in framer.feed(raw) + framer.finish() for event in reader.read(frame)]


def usage_of(response: dict[str, Any], family: str) -> TokenUsage:
    """The tokens by the arithmetic of each provider, over the last usage that the raw recording holds."""
    if "parsed_body" in response:
        documents = [response["parsed_body"]]
    else:
        text = response["body"]["string"]
        lines = (text.decode() if isinstance(text, bytes) else text).splitlines()
        documents = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    seen: dict[str, Any] = {}
    for document in documents:
        found = document.get("usageMetadata") or document.get("usage") or document.get("message", {}).get("usage") or {}
        seen.update(found)
    if family == "gemini-generate-content":
        thoughts = seen.get("thoughtsTokenCount", 0)
        return TokenUsage(
            input=seen["promptTokenCount"] + seen.get("toolUsePromptTokenCount", 0),
            cache_read=seen.get("cachedContentTokenCount", 0),
            output=seen.get("candidatesTokenCount", 0) + thoughts,
            reasoning=thoughts,
        )
    written = seen.get("cache_creation_input_tokens", 0)
    return TokenUsage(
        input=seen["input_tokens"] + written + seen.get("cache_read_input_tokens", 0),
        cache_read=seen.get("cache_read_input_tokens", 0),
        cache_write_5m=written,
        output=seen["output_tokens"],
        reasoning=seen.get("output_tokens_details", {}).get("thinking_tokens", 0),
    )


def has_server_tools(body: dict[str, Any]) -> bool:
    return any(not tool.keys() & {"input_schema", "functionDeclarations"} for tool in body.get("tools", []))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded_requests_are_translated_or_refused_by_name(path: Path) -> None:
    caller, provider, _ = FAMILIES[path.parent.name]
    for exchange in exchanges(path):
        body = exchange["request"]["parsed_body"]
        if has_server_tools(body):
            with pytest.raises(UntranslatableError, match="provider runs"):
                caller.read_request(body, "any-model", is_stream=False)
            continue
        conversation = caller.read_request(body, "any-model", is_stream=False)
        again = caller.read_request(json.loads(provider.write_request(conversation, "any-model")), "m", is_stream=False)
        assert [turn.parts for turn in again.turns if turn.role == "assistant"] == [
            turn.parts for turn in conversation.turns if turn.role == "assistant"
        ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded_answers_come_out_as_they_went_in(path: Path) -> None:
    _, provider, _ = FAMILIES[path.parent.name]
    for exchange in exchanges(path):
        events = read_answer(provider, exchange["response"])
        said = Said(events)
        assert said.failed is None
        assert said.finished is not None
        assert said.usage == usage_of(exchange["response"], path.parent.name)
        for caller, reading in ((MESSAGES, MESSAGES_PROVIDER), (GEMINI, GEMINI_PROVIDER)):
            writer = caller.new_writer(asking(reasoning=ReasoningWish(is_shown=True)), ANSWER_ID, 0, "sse")
            written = [raw for event in events for raw in writer.write([event])] + writer.finish()
            reader = reading.new_reader()
            copied = Said(event for frame in frames(written) for event in reader.read(frame))
            assert (copied.text, copied.reasoning, len(copied.calls)) == (said.text, said.reasoning, len(said.calls))
