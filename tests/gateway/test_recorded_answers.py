"""Every recorded answer at hand: usage as it was recorded, streams assembled as the official SDKs accumulate them."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from gateway.observing.accumulated import ACCUMULATED
from gateway.observing.observed_streams import read_body, read_stream

from tollhouse.gateway.wires import Wire

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "recorded-http"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers of ../shared/data are not here")

USAGE_MEMBERS = {"gemini": "usageMetadata"}


def wire_of(url: str) -> Wire | None:
    path = urlsplit(url).path
    if path.endswith("/chat/completions"):
        return "openai_chat"
    if path.endswith(("/messages", "/messages/count_tokens")):
        return "anthropic_messages"
    if "enerateContent" in path:
        return "gemini"
    return "openai_responses" if "/responses" in path else None


def answers(is_stream: bool) -> list[Any]:
    found = []
    for file in sorted(RECORDED.glob("*/*.yaml")):
        for number, exchange in enumerate(yaml.safe_load(file.read_text())["interactions"]):
            wire = wire_of(exchange["request"]["uri"])
            is_sse = "event-stream" in exchange["response"]["headers"].get("content-type", [""])[0]
            if wire is not None and is_sse == is_stream:
                found.append(pytest.param(wire, exchange["response"], id=f"{file.stem}-{number}"))
    return found


def stream_of(response: Any) -> tuple[bytes, list[Any]]:
    """The stream's bytes and its events, read in the plainest way."""
    stream = response["body"]["string"].encode()
    lines = [line[6:] for line in stream.decode().split("\n") if line.startswith("data: ")]
    return stream, [json.loads(line) for line in lines if line != "[DONE]"]


@pytest.mark.parametrize(("wire", "response"), answers(is_stream=False))
def test_a_recorded_body_is_read_with_its_own_usage(wire: Wire, response: Any) -> None:
    recorded = response["parsed_body"]
    seen = read_body(wire, json.dumps(recorded).encode(), response["status"]["code"])
    usage = recorded.get(USAGE_MEMBERS.get(wire, "usage"))
    assert (None if seen.usage is None else json.loads(seen.usage)) == usage
    assert seen.error is None
    assert seen.is_complete
    assert (seen.finish_reason is not None) == (usage is not None)


@pytest.mark.parametrize(("wire", "response"), answers(is_stream=True))
def test_a_recorded_stream_is_read_with_its_own_usage(wire: Wire, response: Any) -> None:
    stream, events = stream_of(response)
    reading = read_stream(wire, [stream])
    assert (reading.raw_events, reading.seen.error, reading.seen.is_usage_partial) == (b"", None, False)
    if reading.seen.usage is None:
        # A recording that its client left: the end never came, so there is no usage in it either.
        assert not any((event.get("response") or {}).get("usage") for event in events)
        assert not reading.seen.is_complete
        return
    assert reading.seen.is_complete
    assert json.loads(reading.seen.usage) == USAGES[wire](events)


@pytest.mark.parametrize(("wire", "response"), answers(is_stream=True))
def test_a_recorded_stream_is_assembled_as_the_official_sdk_does(wire: Wire, response: Any) -> None:
    stream, events = stream_of(response)
    ACCUMULATED[wire](read_stream(wire, [stream]), events)


@pytest.mark.parametrize(("wire", "response"), answers(is_stream=True))
def test_a_recorded_stream_gives_the_same_row_wherever_it_is_split(wire: Wire, response: Any) -> None:
    stream, _ = stream_of(response)
    whole = read_stream(wire, [stream])
    for place in range(1, len(stream), max(1, len(stream) // 40)):
        assert read_stream(wire, [stream[:place], stream[place:]]) == whole


@pytest.mark.proof
@pytest.mark.parametrize(("wire", "response"), answers(is_stream=True))
def test_a_recorded_stream_split_at_every_byte_gives_the_same_row(wire: Wire, response: Any) -> None:
    stream, _ = stream_of(response)
    whole = read_stream(wire, [stream])
    assert read_stream(wire, [stream[place : place + 1] for place in range(len(stream))]) == whole
    for place in range(len(stream)):
        assert read_stream(wire, [stream[:place], stream[place:]]) == whole


def chat_usage(events: list[Any]) -> Any:
    return next(event["usage"] for event in reversed(events) if event.get("usage"))


def response_usage(events: list[Any]) -> Any:
    return events[-1]["response"]["usage"]


def message_usage(events: list[Any]) -> Any:
    start, delta = events[0]["message"]["usage"], events[-2]["usage"]
    return start | {key: value for key, value in delta.items() if value is not None or key not in start}


def gemini_usage(events: list[Any]) -> Any:
    return events[-1]["usageMetadata"]


USAGES = {
    "openai_chat": chat_usage,
    "openai_responses": response_usage,
    "anthropic_messages": message_usage,
    "gemini": gemini_usage,
}
