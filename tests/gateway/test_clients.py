"""A request's marks: program, session, turn, trace and tags."""

import json

import pytest

from tollhouse.gateway.clients import INVALID_REQUEST_TAGS, MAX_TAGS, Marks, marks

CODEX = b"codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)"
UUID = "0198c0de-0000-7000-8000-000000000001"


def of(user_id: str | None = None, cache_key: str | None = None, **headers: str | bytes) -> Marks:
    named = {name.replace("_", "-").encode(): v if isinstance(v, bytes) else v.encode() for name, v in headers.items()}
    return marks(named, user_id, cache_key)


def session(user_id: str | None = None, cache_key: str | None = None, **headers: str | bytes) -> str | None:
    return of(user_id, cache_key, **headers).session_id


@pytest.mark.parametrize(
    ("user_agent", "kind"),
    [
        ("claude-cli/2.1.197 (external, sdk-cli)", "claude-code"),
        ("claude-code/2.1.197 (sdk-cli)", "claude-code"),
        (CODEX.decode(), "codex"),
        ("codex_cli_rs/0.50", "codex"),
        ("Codex Desktop/1.0", "codex"),
        ("GeminiCLI-tui/0.61.0/gemini-3.1-pro-preview (linux; x64; terminal)", "gemini-cli"),
        ("GeminiCLI/0.61.0/gemini-3.1-pro (linux; x64)", "gemini-cli"),
        ("Cursor/2.4", "cursor"),
        ("GitHubCopilotCLI/1.0", "copilot-cli"),
        ("copilot-cli/1.0", "copilot-cli"),
        ("Cline/3.2", "cline"),
        ("ai-sdk/openai-compatible/1.0 cline/3", "cline"),
        ("opencode/1.18.33 ai-sdk/provider-utils/3", "opencode"),
        ("QwenCode/0.15.10 (linux; x64)", "qwen-code"),
        ("aider/0.86", "aider"),
        ("ls/JS 5.23.2", "continue"),
        ("OpenAI/Python 3.57.0", "openai-python"),
        ("AsyncOpenAI/Python 3.57.0", "openai-python"),
        ("AsyncAzureOpenAI/Python 3.57.0", "openai-python"),
        ("OpenAI/JS 5.20.1", "openai-node"),
        ("AsyncAnthropic/Python 2.14.0", "anthropic-python"),
        ("Anthropic/JS 0.70", "anthropic-node"),
        ("google-genai-sdk/3.6.1 gl-python/3.11.7", "google-genai-python"),
        ("google-genai-sdk/1.2 gl-node/v22", "google-genai-node"),
        ("ai-sdk/openai-compatible/1.0", "ai-sdk"),
        ("litellm/1.106.2", "litellm"),
        ("curl/8.5.0", "curl"),
        ("Mozilla/5.0", None),
        ("", None),
    ],
)
def test_a_user_agent_names_the_program(user_agent: str, kind: str | None) -> None:
    assert of(user_agent=user_agent).client_kind == kind


def test_copilots_command_line_is_openais_sdk_with_an_initiator() -> None:
    assert of(user_agent="OpenAI/JS 5.20.1", x_initiator="user").client_kind == "copilot-cli"


def test_a_request_without_anything_has_no_marks() -> None:
    assert marks([], None, None) == Marks()


def test_headers_may_come_as_a_list() -> None:
    assert marks([(b"x-session-id", b"s1"), (b"accept", b"*/*")], None, None).session_id == "s1"


def test_the_first_source_of_a_session_counts() -> None:
    headers = {
        "x_tollhouse_session_id": "ours",
        "x_litellm_trace_id": "trace",
        "x_litellm_session_id": "litellm",
        "x_claude_code_session_id": "claude",
        "x_acme_session_id": "acme-0001",
        "x_session_id": "plain",
    }
    found = []
    while headers:
        found.append(session(json.dumps({"session_id": "body"}), **headers))
        headers.pop(next(iter(headers)))
    assert found == ["ours", "trace", "litellm", "claude", "acme-0001", "plain"]
    assert session(json.dumps({"session_id": "body"})) == "body"


def test_a_vendors_session_of_less_than_eight_characters_is_none() -> None:
    assert session(x_acme_session_id="1234567") is None
    assert session(x_acme_session_id="12345678") == "12345678"


def test_codex_own_headers_count_for_codex_only() -> None:
    assert session(user_agent=CODEX, session_id="s", thread_id="t") == "s"
    assert session(user_agent=CODEX, thread_id="t") == "t"
    for older in (b"session_id", b"conversation_id"):
        assert marks([(b"user-agent", CODEX), (older, b"c")], None, None).session_id == "c"
    assert session(user_agent="curl/8", session_id="s", thread_id="t") is None


def test_codex_turn_metadata_names_the_turn() -> None:
    turn = json.dumps({"turn_id": "turn-1", "session_id": "s", "sandbox": "none"})
    found = of(user_agent=CODEX, x_codex_turn_metadata=turn)
    assert (found.turn_id, found.session_id) == ("turn-1", "s")
    assert of(user_agent="curl/8", x_codex_turn_metadata=turn).turn_id is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"turn_id": 5}', '{"turn_id": ""}', "{" + '"a":[' * 5000])
def test_turn_metadata_that_cannot_be_read_names_no_turn(text: str) -> None:
    assert of(user_agent=CODEX, x_codex_turn_metadata=text).turn_id is None


def test_codex_prompt_cache_key_is_its_session_where_nothing_else_is() -> None:
    assert session(cache_key="thread-9", user_agent=CODEX) == "thread-9"
    assert session(cache_key="thread-9", user_agent="OpenAI/Python 3") is None


@pytest.mark.parametrize(
    ("user_id", "expected"),
    [
        (json.dumps({"device_id": "d", "account_uuid": "", "session_id": UUID}), UUID),
        (f"user_0af3_account__session_{UUID}", UUID),
        ("user_0af3", None),
        ("{broken", None),
        ('{"session_id": 5}', None),
        ("{\ud83d", None),
    ],
)
def test_the_user_id_of_the_body_may_hold_the_session(user_id: str, expected: str | None) -> None:
    assert session(user_id) == expected


def test_blank_and_endless_ids_are_none() -> None:
    assert session(x_session_id="  ") is None
    assert session(x_session_id="x" * 257) is None
    assert session(x_session_id=" s ") == "s"


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"),
        ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", "0af7651916cd43dd8448eb211c80319c"),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", None),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", None),
        ("00-" + "0" * 32 + "-b7ad6b7169203331-01", None),
        ("00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01", None),
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", None),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", None),
        ("", None),
    ],
)
def test_a_traceparent_is_taken_only_where_it_is_valid(text: str, trace: str | None) -> None:
    found = of(traceparent=text)
    assert found.trace_id == trace
    assert found.span_id == ("b7ad6b7169203331" if trace else None)


def test_tags_come_from_both_headers_and_ours_win() -> None:
    found = of(
        x_tollhouse_tags='{"app":"chat","env":"prod"}',
        databricks_ai_gateway_request_tags='{"env":"dev","team":"red"}',
    )
    assert found.request_tags == {"app": "chat", "env": "prod", "team": "red"}
    assert found.logging_error_codes == ()


def test_our_tags_may_be_pairs() -> None:
    assert of(x_tollhouse_tags=" app = chat,env=a=b , x=").request_tags == {"app": "chat", "env": "a=b", "x": ""}


@pytest.mark.parametrize(
    "text",
    [
        "{broken",
        '{"a":1}',
        '{"":"x"}',
        "app",
        "=x",
        "a=1,,b=2",
        json.dumps({str(n): "x" for n in range(MAX_TAGS + 1)}),
        json.dumps({"a": "x" * 1025}),
        json.dumps({"a" * 129: "x"}),
        "a=" + "x" * 20_000,
        b'{"a":"\xff"}',
    ],
)
def test_tags_that_are_wrong_or_too_much_are_none_and_the_row_says_so(text: str | bytes) -> None:
    found = of(x_tollhouse_tags=text, databricks_ai_gateway_request_tags='{"team":"red"}')
    assert (found.request_tags, found.logging_error_codes) == ({"team": "red"}, (INVALID_REQUEST_TAGS,))


def test_databricks_tags_are_json_only() -> None:
    found = of(databricks_ai_gateway_request_tags="a=b")
    assert (found.request_tags, found.logging_error_codes) == ({}, (INVALID_REQUEST_TAGS,))


def test_both_headers_together_may_not_have_more_tags_than_one() -> None:
    found = of(
        x_tollhouse_tags=json.dumps({f"a{n}": "x" for n in range(30)}),
        databricks_ai_gateway_request_tags=json.dumps({f"b{n}": "x" for n in range(30)}),
    )
    assert (found.request_tags, found.logging_error_codes) == ({}, (INVALID_REQUEST_TAGS,))


def test_tags_of_one_request_are_not_those_of_the_next() -> None:
    of(x_tollhouse_tags="a=b").request_tags["c"] = "d"
    assert of().request_tags == {}
