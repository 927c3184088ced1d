"""A request of every caller's protocol, as every other provider's protocol says it; and junk, which none lets in."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whole_requests import REQUESTS

from tollhouse.gateway.translation.conversation import (
    Conversation,
    Document,
    Part,
    Text,
    ToolResult,
    ToolUse,
)
from tollhouse.gateway.translation.halves import UntranslatableError
from tollhouse.gateway.translation.registry import CALLERS, PROVIDERS
from tollhouse.gateway.wires import GenerativeWire

WIRES = tuple(CALLERS)
DIRECTIONS = [(caller, provider) for caller in WIRES for provider in WIRES if provider != caller]
NAMES = [f"{caller} to {provider}" for caller, provider in DIRECTIONS]
MODELS = {
    "openai_chat": "gpt-5.5",
    "openai_responses": "gpt-5.5",
    "anthropic_messages": "claude-opus-4-5",
    "gemini": "gemini-3-pro",
}


def parts_of(asked: Conversation) -> list[Part]:
    return [part for turn in asked.turns for part in turn.parts]


def said(asked: Conversation) -> str:
    """All text, the results' too, in order of the alphabet: protocols put system text and results elsewhere."""
    results = [part for found in parts_of(asked) if isinstance(found, ToolResult) for part in found.content]
    texts = [part.text for part in (*parts_of(asked), *results) if isinstance(part, Text)]
    return "".join(sorted("".join(texts).replace("\n", "")))


def called(asked: Conversation) -> list[tuple[str, Any]]:
    uses = [part for part in parts_of(asked) if isinstance(part, ToolUse)]
    return [(use.name, msgspec.json.decode(use.arguments or "{}")) for use in uses]


def translatable(asked: Conversation) -> Conversation:
    """Without what one of the protocols refuses: stops (Responses) and files by url (Chat).

    And without a choice of tools: in generateContent such a choice names the tools that are allowed.
    """
    asked.stop = []
    asked.tool_choice = None
    for part in parts_of(asked):
        if isinstance(part, ToolResult):
            part.content = [inner for inner in part.content if not is_linked(inner)]
    for turn in asked.turns:
        turn.parts = [part for part in turn.parts if not is_linked(part)]
    return asked


def is_linked(part: object) -> bool:
    return isinstance(part, Document) and part.url is not None


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS, ids=NAMES)
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_request_says_the_same_in_another_protocol(
    caller: GenerativeWire, provider: GenerativeWire, is_stream: bool
) -> None:
    for request in REQUESTS[caller]:
        asked = translatable(CALLERS[caller].read_request(request, "asked", is_stream=is_stream))
        expected = (called(asked), [tool.name for tool in asked.tools])
        text = said(asked)

        body = msgspec.json.decode(PROVIDERS[provider].write_request(asked, MODELS[provider]))
        again = CALLERS[provider].read_request(body, "again", is_stream=is_stream)

        assert (called(again), [tool.name for tool in again.tools]) == expected
        assert set(text) <= set(said(again))
        assert len(said(again)) >= len(text)


@pytest.mark.parametrize("wire", WIRES)
def test_every_request_is_valid_for_its_own_protocol_and_names_only_the_callers_fields(wire: GenerativeWire) -> None:
    for request in REQUESTS[wire]:
        for provider in WIRES:
            asked = translatable(CALLERS[wire].read_request(request, "asked", is_stream=False))
            PROVIDERS[provider].write_request(asked, MODELS[provider])
            tops = {name.partition(".")[0].partition("[")[0] for name in asked.losses}
            assert tops <= request.keys()


def places(content: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of everything in a request, schemas' and arguments' own content left out."""
    found = [path] if path else []
    if isinstance(content, dict):
        for name, value in content.items():
            found += places(value, (*path, name)) if name not in FREE else [(*path, name)]
    elif isinstance(content, list):
        for index, value in enumerate(content):
            found += places(value, (*path, index))
    return found


FREE = ("parameters", "parametersJsonSchema", "schema", "input_schema", "args", "response")
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just("data:,x"),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "text", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def spoilt(request: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    copied: Any = msgspec.json.decode(msgspec.json.encode(request))
    holder = copied
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return copied


def try_to_translate(wire: GenerativeWire, request: dict[str, Any]) -> None:
    """Read and write everywhere; nothing but UntranslatableError may come of it."""
    with contextlib.suppress(UntranslatableError):
        asked = CALLERS[wire].read_request(request, "asked", is_stream=False)
        for provider in WIRES:
            with contextlib.suppress(UntranslatableError):
                PROVIDERS[provider].write_request(asked, MODELS[provider])


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("value", [None, True, 7, -1.5, "x", "", [], [7], {}, {"type": "x"}, [[]], [{}], [None]])
def test_a_wrong_value_in_any_place_is_refused_by_name_or_read(wire: GenerativeWire, value: object) -> None:
    for request in REQUESTS[wire]:
        for path in places(request):
            try_to_translate(wire, spoilt(request, path, value))


@pytest.mark.parametrize("wire", WIRES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_junk_in_any_place_is_refused_by_name_or_read(wire: GenerativeWire, data: st.DataObject) -> None:
    request = data.draw(st.sampled_from(REQUESTS[wire]))
    for _ in range(data.draw(st.integers(1, 3))):
        request = spoilt(request, data.draw(st.sampled_from(places(request))), data.draw(junk))

    try_to_translate(wire, request)


@pytest.mark.parametrize("wire", WIRES)
@given(request=st.dictionaries(st.sampled_from(["messages", "input", "contents", "tools", "system"]), junk))
def test_a_body_of_junk_is_refused(wire: GenerativeWire, request: dict[str, Any]) -> None:
    try_to_translate(wire, request)


@pytest.mark.proof
@pytest.mark.parametrize("wire", WIRES)
@settings(max_examples=2_000, deadline=None)
@given(data=st.data())
def test_junk_in_any_place_at_length(wire: GenerativeWire, data: st.DataObject) -> None:
    request = data.draw(st.sampled_from(REQUESTS[wire]))
    for _ in range(data.draw(st.integers(1, 4))):
        request = spoilt(request, data.draw(st.sampled_from(places(request))), data.draw(junk))

    try_to_translate(wire, request)
