"""A request that is read and written says the same."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whole_requests import REQUESTS

from tollhouse.gateway.translation.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from tollhouse.gateway.translation.registry import CALLERS, PROVIDERS
from tollhouse.gateway.translation.turns import add_parts, name_results
from tollhouse.gateway.wires import GenerativeWire

OPENAI: tuple[GenerativeWire, ...] = ("openai_chat", "openai_responses")
IMAGE = Image(media_type="image/png", data="iVBORw0KGgo=")
PDF = Document(media_type="application/pdf", data="JVBERi0=", filename="a.pdf")


def body(wire: GenerativeWire, conversation: Conversation) -> dict[str, Any]:
    return msgspec.json.decode(PROVIDERS[wire].write_request(conversation, "gpt"))


def without_reasoning(turns: list[Turn]) -> list[Turn]:
    kept: list[Turn] = []
    for turn in turns:
        add_parts(kept, turn.role, [part for part in turn.parts if not isinstance(part, Reasoning)])
    return kept


@pytest.mark.parametrize("wire", OPENAI)
def test_a_request_that_is_read_and_written_is_the_same_request(wire: GenerativeWire) -> None:
    for request in REQUESTS[wire]:
        first = CALLERS[wire].read_request(request, "m", is_stream=True)
        again = CALLERS[wire].read_request(body(wire, first), "m", is_stream=True)

        if wire == "openai_responses":
            first.turns[0] = Turn("system", [Text("Be brief.\n\nBe kind.\n\nBe quick.")])
        assert again.turns == without_reasoning(first.turns)
        assert [tool.name for tool in again.tools] == [tool.name for tool in first.tools]
        assert [tool.parameters for tool in again.tools] == [
            tool.parameters or {"type": "object", "properties": {}} for tool in first.tools
        ]
        for name in ("tool_choice", "output_format", "max_output_tokens", "temperature", "top_p", "has_parallel_tools"):
            if name != "max_output_tokens" or wire == "openai_chat":
                assert getattr(again, name) == getattr(first, name)


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=8).map(Text)
media = st.sampled_from([IMAGE, Image(url="https://e.com/a.png", detail="low"), PDF])


@st.composite
def conversations(draw: st.DrawFn) -> list[Turn]:
    """Turns as agents make them: a question, perhaps calls and all their results, then more."""
    turns: list[Turn] = []
    if draw(st.booleans()):
        add_parts(turns, "system", [draw(texts)])
    for number in range(draw(st.integers(1, 3))):
        add_parts(turns, "user", draw(st.lists(texts | media, min_size=1, max_size=3)))
        said: list[Part] = [*draw(st.lists(texts, min_size=1, max_size=2))]
        names = draw(st.lists(st.sampled_from(["add", "now"]), max_size=3))
        uses = [
            ToolUse(call_id=f"c{number}{index}", name=name, arguments='{"a": 1}') for index, name in enumerate(names)
        ]
        add_parts(turns, "assistant", [*said, *uses])
        results = [ToolResult(call_id=use.call_id, content=draw(st.lists(texts, max_size=2))) for use in uses]
        add_parts(turns, "user", results)
    name_results(turns)
    return turns


@settings(max_examples=100, deadline=None)
@given(conversations())
def test_any_conversation_survives_being_written_and_read(turns: list[Turn]) -> None:
    for wire in OPENAI:
        again = CALLERS[wire].read_request(body(wire, Conversation(model="m", turns=turns)), "m", is_stream=False)

        assert again.turns == turns
