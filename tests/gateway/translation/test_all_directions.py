"""An answer of every provider's protocol, read by a caller of every other one."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from translated_answers import (
    WIRES,
    Assembled,
    answer,
    assembled,
    calls,
    conversation,
    read,
    read_whole,
    whole,
    written,
)

from tollhouse.gateway.translation.answer import (
    AnswerEvent,
    Failed,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
)
from tollhouse.gateway.wires import GenerativeWire

DIRECTIONS = [(provider, caller) for provider in WIRES for caller in WIRES if provider != caller]
NAMES = [f"{provider} to {caller}" for provider, caller in DIRECTIONS]
USED = (120, 100, 30)

ANSWERS: dict[str, tuple[list[AnswerEvent], Assembled]] = {
    "text": (answer(TextDelta("Hello, "), TextDelta("world")), Assembled("Hello, world", reason="stop", usage=USED)),
    "unicode": (
        answer(TextDelta('naïve 日本 🎉\n\t"\\')),
        Assembled('naïve 日本 🎉\n\t"\\', reason="stop", usage=USED),
    ),
    "length": (answer(TextDelta("Once"), reason="length"), Assembled("Once", reason="length", usage=USED)),
    "one call": (
        answer(*calls(("add", ['{"a": 1', ', "b": 2}'])), reason="tool_use"),
        Assembled(calls=[("add", {"a": 1, "b": 2})], reason="tool_use", usage=USED),
    ),
    "a call without arguments": (
        answer(*calls(("now", [])), reason="tool_use"),
        Assembled(calls=[("now", {})], reason="tool_use", usage=USED),
    ),
    "three calls, interleaved, text before and after": (
        answer(
            TextDelta("Let me "),
            TextDelta("look."),
            *calls(("a", ['{"x":', "1}"]), ("b", []), ("a", ['{"y":"', "é", '"}'])),
            TextDelta(" Done."),
            reason="tool_use",
        ),
        Assembled(
            "Let me look. Done.", calls=[("a", {"x": 1}), ("b", {}), ("a", {"y": "é"})], reason="tool_use", usage=USED
        ),
    ),
    "reasoning": (
        answer(
            ReasoningDelta(wire="openai_chat", text="Hmm, "),
            ReasoningDelta(wire="openai_chat", text="yes."),
            TextDelta("Yes"),
        ),
        Assembled("Yes", reasoning="Hmm, yes.", reason="stop", usage=USED),
    ),
    "nothing": (answer(), Assembled(reason="stop", usage=USED)),
}


def through(provider: GenerativeWire, caller: GenerativeWire, events: list[AnswerEvent]) -> list[AnswerEvent]:
    """The events as the provider streams them, as they reach the caller."""
    told = read(provider, written(provider, conversation(provider), events))
    return read(caller, written(caller, conversation(caller), told))


def through_whole(provider: GenerativeWire, caller: GenerativeWire, events: list[AnswerEvent]) -> list[AnswerEvent]:
    told = read_whole(provider, whole(provider, conversation(provider), events))
    return read_whole(caller, whole(caller, conversation(caller), told))


@pytest.mark.parametrize(("provider", "caller"), DIRECTIONS, ids=NAMES)
@pytest.mark.parametrize("name", ANSWERS)
def test_a_streamed_answer_arrives_as_it_was_given(name: str, provider: GenerativeWire, caller: GenerativeWire) -> None:
    events, expected = ANSWERS[name]

    assert assembled(through(provider, caller, events)) == expected


@pytest.mark.parametrize(("provider", "caller"), DIRECTIONS, ids=NAMES)
@pytest.mark.parametrize("name", ANSWERS)
def test_a_unary_answer_arrives_as_it_was_given(name: str, provider: GenerativeWire, caller: GenerativeWire) -> None:
    events, expected = ANSWERS[name]

    assert assembled(through_whole(provider, caller, events)) == expected


@pytest.mark.parametrize(("provider", "caller"), DIRECTIONS, ids=NAMES)
def test_an_error_in_the_middle_of_a_stream_arrives_as_the_callers_own(
    provider: GenerativeWire, caller: GenerativeWire
) -> None:
    events = [Started(model="real"), TextDelta("He"), Failed(status=529, code="overloaded", message="Come back later")]

    arrived = assembled(through(provider, caller, events))

    assert arrived == Assembled("He", failure="Come back later")


@pytest.mark.parametrize(("provider", "caller"), DIRECTIONS, ids=NAMES)
def test_a_stream_that_breaks_off_arrives_as_an_error(provider: GenerativeWire, caller: GenerativeWire) -> None:
    stream = written(provider, conversation(provider), answer(TextDelta("Hello")))
    cut = stream[: stream.index(b"Hello") + 20]

    arrived = assembled(read(caller, written(caller, conversation(caller), read(provider, cut))))

    assert arrived.failure
    assert arrived.reason is None


@pytest.mark.parametrize(("provider", "caller"), DIRECTIONS, ids=NAMES)
def test_a_refusal_is_told_as_text_or_as_a_refusal(provider: GenerativeWire, caller: GenerativeWire) -> None:
    arrived = assembled(through(provider, caller, answer(RefusalDelta("I cannot."), reason="refusal")))

    assert arrived.text == "I cannot."
    assert arrived.reason in ("refusal", "content_filter", "stop")


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
arguments = st.dictionaries(
    st.text('abcü"\\', max_size=4), st.none() | st.booleans() | st.integers(-9, 9) | texts, max_size=3
)


@st.composite
def answers(draw: st.DrawFn) -> list[AnswerEvent]:
    """Text, then calls whose fragments interleave in any order, then text."""
    content: list[AnswerEvent] = [TextDelta(text) for text in draw(st.lists(texts.filter(bool), max_size=3))]
    given = draw(st.lists(st.tuples(st.sampled_from(["add", "look_up"]), arguments), max_size=4))
    fragments = [(name, fragments_of(draw, msgspec.json.encode(value).decode())) for name, value in given]
    content += calls(*fragments)
    content += [TextDelta(text) for text in draw(st.lists(texts.filter(bool), max_size=2))]
    return answer(*content, reason="tool_use" if given else "stop")


def fragments_of(draw: st.DrawFn, text: str) -> list[str]:
    if text == "{}" and draw(st.booleans()):
        return []
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True) if end > start]


@settings(max_examples=60, deadline=None)
@given(answers())
def test_any_answer_arrives_in_every_direction(events: list[AnswerEvent]) -> None:
    expected = assembled(events)

    for provider, caller in DIRECTIONS:
        assert assembled(through(provider, caller, events)) == expected
        assert assembled(through_whole(provider, caller, events)) == expected


@pytest.mark.proof
@settings(max_examples=600, deadline=None)
@given(answers())
def test_any_answer_arrives_in_every_direction_at_length(events: list[AnswerEvent]) -> None:
    expected = assembled(events)

    for provider, caller in DIRECTIONS:
        assert assembled(through(provider, caller, events)) == expected
        assert assembled(through_whole(provider, caller, events)) == expected
