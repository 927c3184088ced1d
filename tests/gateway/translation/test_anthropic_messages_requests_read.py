"""What a Messages request says in the intermediate form."""

import pytest

from tollhouse.gateway.translation.anthropic_messages.halves import CALLER
from tollhouse.gateway.translation.conversation import (
    Conversation,
    Document,
    Image,
    OutputFormat,
    Reasoning,
    ReasoningWish,
    Text,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from tollhouse.gateway.translation.halves import UntranslatableError


def read(**members: object) -> Conversation:
    body = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], **members}
    return CALLER.read_request(body, "m", is_stream=False)


def parts_of(*blocks: dict[str, object]) -> list[object]:
    return list(read(messages=[{"role": "user", "content": list(blocks)}]).turns[0].parts)


def refused_field(**members: object) -> str:
    with pytest.raises(UntranslatableError) as caught:
        read(**members)
    return caught.value.field


def test_the_limits_of_a_request_keep_their_names() -> None:
    conversation = read(temperature=0.5, top_p=0.9, top_k=40, stop_sequences=["END"], stream=True)
    assert conversation.max_output_tokens == 100
    assert (conversation.temperature, conversation.top_p, conversation.top_k) == (0.5, 0.9, 40)
    assert conversation.stop == ["END"]
    assert conversation.turns == [Turn("user", [Text("Hi")])]
    assert conversation.losses == []


def test_system_text_comes_as_a_string_or_as_blocks_whose_cache_control_is_named_once() -> None:
    cached = {"type": "text", "text": "Two", "cache_control": {"type": "ephemeral"}}
    assert read(system="One").turns[0] == Turn("system", [Text("One")])
    conversation = read(system=[{"type": "text", "text": "One"}, cached, cached])
    assert conversation.turns[0] == Turn("system", [Text("One"), Text("Two"), Text("Two")])
    assert conversation.losses == ["system[].cache_control"]


def test_claude_codes_billing_text_is_no_system_text_for_others() -> None:
    billing = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.197; cc_entrypoint=cli;"}
    conversation = read(system=[billing, {"type": "text", "text": "Be brief."}])
    assert conversation.turns[0] == Turn("system", [Text("Be brief.")])
    assert conversation.losses == ["system[].text"]


def test_system_text_in_the_middle_stays_there() -> None:
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": [{"type": "text", "text": "Speak French."}]},
        {"role": "assistant", "content": "Salut"},
    ]
    turns = read(messages=messages).turns
    assert [turn.role for turn in turns] == ["user", "system", "assistant"]
    assert turns[1].parts == [Text("Speak French.")]


def test_hints_are_dropped_by_name() -> None:
    conversation = read(
        metadata={"user_id": "u"},
        service_tier="auto",
        cache_control={"type": "ephemeral"},
        context_management={"edits": []},
        brand_new_field=1,
    )
    assert conversation.losses == ["metadata", "service_tier", "cache_control", "context_management", "brand_new_field"]


def test_pictures_and_documents() -> None:
    png = {"type": "base64", "media_type": "image/png", "data": "iVBOR"}
    assert parts_of(
        {"type": "image", "source": png},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "document", "title": "A", "source": {**png, "media_type": "application/pdf"}},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "document", "title": "B", "source": {"type": "text", "media_type": "text/plain", "data": "text"}},
        {"type": "search_result", "title": "T", "source": "S", "content": [{"type": "text", "text": "found"}]},
    ) == [
        Image(media_type="image/png", data="iVBOR"),
        Image(url="https://example.com/a.png"),
        Document(media_type="application/pdf", data="iVBOR", filename="A"),
        Document(url="https://example.com/a.pdf"),
        Text("B\ntext"),
        Text("T\nS\nfound"),
    ]


def test_parallel_calls_their_results_and_thinking() -> None:
    messages = [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "c2VhbGVk"},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"größe": 1}},
                {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "one", "is_error": True},
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_2",
                    "content": [
                        {"type": "text", "text": "two"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"}},
                        {"type": "tool_reference", "tool_name": "h"},
                    ],
                },
            ],
        },
    ]
    conversation = read(messages=messages)
    assert conversation.turns[0].parts == [
        Reasoning(wire="anthropic_messages", text="Hm", signature="c2ln"),
        Reasoning(wire="anthropic_messages", signature="redacted_thinking:c2VhbGVk"),
        ToolUse(call_id="toolu_1", name="f", arguments='{"größe":1}'),
        ToolUse(call_id="toolu_2", name="g", arguments="{}"),
    ]
    assert conversation.turns[1].parts == [
        ToolResult(call_id="toolu_1", content=[Text("one")], is_error=True),
        ToolResult(
            call_id="toolu_2",
            content=[Text("two"), Image(media_type="image/png", data="iVBOR"), Text("The tool h can be called.")],
        ),
    ]
    assert conversation.losses == []


def test_tools_and_the_hints_that_others_do_not_know() -> None:
    tool = {
        "type": "custom",
        "name": "f",
        "description": "d",
        "input_schema": {"type": "object"},
        "strict": True,
        "defer_loading": True,
        "cache_control": {"type": "ephemeral"},
        "allowed_callers": ["direct"],
    }
    conversation = read(tools=[tool])
    assert conversation.tools == [Tool(name="f", description="d", parameters={"type": "object"}, is_strict=True)]
    assert conversation.losses == ["tools[].defer_loading", "tools[].cache_control"]


@pytest.mark.parametrize(
    ("given", "expected", "has_parallel_tools"),
    [
        ({"type": "auto"}, ToolChoice("auto"), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required"), False),
        ({"type": "none"}, ToolChoice("none"), None),
        ({"type": "tool", "name": "f"}, ToolChoice("tool", "f"), None),
    ],
)
def test_tool_choices(given: object, expected: ToolChoice, has_parallel_tools: bool | None) -> None:
    conversation = read(tool_choice=given)
    assert conversation.tool_choice == expected
    assert conversation.has_parallel_tools is has_parallel_tools


@pytest.mark.parametrize(
    ("thinking", "config", "expected"),
    [
        (None, None, None),
        (None, {"effort": "high"}, ReasoningWish(effort="high")),
        ({"type": "disabled"}, {"effort": "high"}, ReasoningWish(effort="none")),
        ({"type": "between_tools"}, None, ReasoningWish(effort="none")),
        ({"type": "enabled", "budget_tokens": 2048}, None, ReasoningWish(budget_tokens=2048, is_shown=True)),
        ({"type": "adaptive"}, None, ReasoningWish()),
        ({"type": "adaptive", "display": "omitted"}, {"effort": "max"}, ReasoningWish(effort="max", is_shown=False)),
        ({"type": "adaptive", "display": "summarized"}, None, ReasoningWish(is_shown=True)),
    ],
)
def test_wishes_for_thinking(thinking: object, config: object, expected: ReasoningWish | None) -> None:
    assert read(thinking=thinking, output_config=config).reasoning == expected


@pytest.mark.parametrize("place", ["output_config", "output_format"])
def test_a_schema_for_the_answer(place: str) -> None:
    wanted = {"type": "json_schema", "schema": {"type": "object"}}
    conversation = read(**{place: {"format": wanted} if place == "output_config" else wanted})
    assert conversation.output_format == OutputFormat(kind="json_schema", schema={"type": "object"}, is_strict=True)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "100"}, "max_tokens"),
        ({"container": "c_1"}, "container"),
        ({"mcp_servers": [{"url": "https://example.com"}]}, "mcp_servers"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type=web_search_20250305"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": {"type": "deep"}}, "thinking.type"),
        ({"output_config": {"effort": "extreme"}}, "output_config.effort"),
        ({"system": [{"type": "image"}]}, "system[0].type=image"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role=tool"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "server_tool_use", "id": "s", "name": "n"}]}]},
            "messages[0].content[0].type=server_tool_use",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}
                ]
            },
            "messages[0].content[0].source.type=file",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "text", "data": "f"}}]}]},
            "messages[0].content[0].source.type",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": "{}"}]}]},
            "messages[0].content[0].input",
        ),
        (
            {"messages": [{"role": "system", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}]}]},
            "messages[0].content",
        ),
    ],
)
def test_what_others_cannot_mean_is_refused_by_name(members: dict[str, object], field: str) -> None:
    assert refused_field(**members) == field
