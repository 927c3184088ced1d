"""Streams that Messages and generateContent write, for any answer: nothing is lost and the order is kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages_and_gemini import ANSWER_ID, Said, asking, frames, read_stream, streamed

from tollhouse.gateway.translation.answer import (
    AnswerEvent,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    TokenUsage,
    ToolUseDelta,
    ToolUseStarted,
)
from tollhouse.gateway.translation.answer_blocks import ObjectEnd
from tollhouse.gateway.translation.anthropic_messages.halves import CALLER as MESSAGES
from tollhouse.gateway.translation.anthropic_messages.halves import PROVIDER as MESSAGES_PROVIDER
from tollhouse.gateway.translation.conversation import ReasoningWish
from tollhouse.gateway.translation.gemini.halves import CALLER as GEMINI
from tollhouse.gateway.translation.gemini.halves import PROVIDER as GEMINI_PROVIDER
from tollhouse.gateway.translation.halves import AnswerWriter, CallerHalf, ProviderHalf

HALVES = [
    pytest.param(MESSAGES, MESSAGES_PROVIDER, id="messages"),
    pytest.param(GEMINI, GEMINI_PROVIDER, id="gemini"),
]
TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(TEXTS, VALUES, max_size=4)


def pieces(draw: st.DrawFn, text: str) -> list[str]:
    """``text``, cut anywhere."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@st.composite
def answers(draw: st.DrawFn) -> list[AnswerEvent]:
    """Text and reasoning before and after parallel calls whose fragments interleave."""
    texts = draw(st.lists(TEXTS, max_size=3))
    events: list[AnswerEvent] = [Started(response_id="r", model="m")]
    events += [ReasoningDelta(wire="openai_chat", text=text) for text in draw(st.lists(TEXTS, max_size=2))]
    events += [TextDelta(text) for text in texts]
    queues: list[list[AnswerEvent]] = []
    for index, arguments in enumerate(draw(st.lists(ARGUMENTS | st.none(), max_size=5))):
        text = "" if arguments is None else json.dumps(arguments, ensure_ascii=draw(st.booleans()))
        deltas = [ToolUseDelta(index, piece) for piece in pieces(draw, text)]
        queues.append([ToolUseStarted(index=index, call_id=f"call_{index}", name=f"f{index}"), *deltas])
    # Calls begin in the order of their indexes; after that, whose turn it is is anybody's guess.
    for position, queue in enumerate(queues):
        events.append(queue.pop(0))
        for earlier in queues[: position + 1]:
            events += [earlier.pop(0) for _ in range(min(len(earlier), draw(st.integers(0, 2))))]
    while waiting := [queue for queue in queues if queue]:
        events.append(draw(st.sampled_from(waiting)).pop(0))
    events += [TextDelta(text) for text in draw(st.lists(TEXTS, max_size=2))]
    end: list[AnswerEvent] = [
        Finished(reason="tool_use" if queues else "stop"),
        TokenUsage(input=50, cache_read=20, output=9, reasoning=4),
    ]
    return events + draw(st.permutations(end))


def new_writer(caller: CallerHalf) -> AnswerWriter:
    return caller.new_writer(asking(reasoning=ReasoningWish(is_shown=True)), ANSWER_ID, 1_700_000_000, "sse")


def meaning(events: list[AnswerEvent]) -> tuple[object, ...]:
    said = Said(events)
    calls = [(call_id, name, json.loads(arguments or "{}")) for call_id, name, arguments in said.calls]
    return said.text, said.reasoning, calls, said.usage, said.finished


@pytest.mark.parametrize(("caller", "provider"), HALVES)
@given(events=answers())
def test_a_stream_says_what_the_events_said(
    caller: CallerHalf, provider: ProviderHalf, events: list[AnswerEvent]
) -> None:
    written = streamed(new_writer(caller), events)
    assert meaning(read_stream(provider.new_reader(), written)) == meaning(events)


@pytest.mark.parametrize(("caller", "provider"), HALVES)
@given(events=answers())
def test_a_body_says_what_the_events_said(
    caller: CallerHalf, provider: ProviderHalf, events: list[AnswerEvent]
) -> None:
    writer = new_writer(caller)
    writer.write(events)
    assert meaning(provider.new_reader().read_body(writer.body())) == meaning(events)


@given(events=answers())
def test_blocks_of_messages_open_and_close_one_after_the_other(events: list[AnswerEvent]) -> None:
    open_block, count = None, 0
    for frame in frames(streamed(new_writer(MESSAGES), events)):
        event = json.loads(frame.data or b"")
        match event["type"]:
            case "content_block_start":
                assert open_block is None
                assert event["index"] == count
                open_block, count = count, count + 1
            case "content_block_delta":
                assert event["index"] == open_block
            case "content_block_stop":
                assert event["index"] == open_block
                open_block = None
            case _:
                assert open_block is None


@given(arguments=ARGUMENTS, data=st.data())
def test_the_end_of_an_object_is_found_wherever_it_is_cut(arguments: dict[str, object], data: st.DataObject) -> None:
    text = json.dumps(arguments, ensure_ascii=data.draw(st.booleans()))
    cut = data.draw(st.integers(0, len(text) - 1))
    end = ObjectEnd()
    end.feed(text[:cut])
    assert not end.is_reached
    end.feed("")
    end.feed(text[cut:])
    assert end.is_reached
