"""A second opinion: what litellm sends for the same request, and what it makes of the same answer."""

import json
import os
import shutil
import subprocess
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import pytest
from translated_answers import answer, assembled, calls, conversation, read, read_whole, whole, written

from tollhouse.gateway.translation.answer import AnswerEvent, TextDelta
from tollhouse.gateway.translation.conversation import Conversation, Image, Text, ToolResult, ToolUse
from tollhouse.gateway.translation.registry import CALLERS, PROVIDERS
from tollhouse.gateway.wires import GenerativeWire

pytestmark = pytest.mark.proof

PROJECT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("litellm_oracle.py")
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}

CHAT_TOOLS = [
    {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": SCHEMA}},
    {
        "type": "function",
        "function": {"name": "now", "description": "Tells.", "parameters": {"type": "object", "properties": {}}},
    },
]
CHAT: dict[str, Any] = {
    "max_tokens": 100,
    "temperature": 0.5,
    "stop": ["END"],
    "tools": CHAT_TOOLS,
    "tool_choice": "required",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is 1 + 1, and this?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            ],
        },
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {"id": "call_a", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
                {"id": "call_b", "type": "function", "function": {"name": "now", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_a", "content": "2"},
        {"role": "tool", "tool_call_id": "call_b", "content": "noon"},
        {"role": "user", "content": "And 2 + 2?"},
    ],
}
RESPONSES: dict[str, Any] = {
    "max_output_tokens": 100,
    "temperature": 0.5,
    "instructions": "Be brief.",
    "tools": [{"type": "function", **tool["function"]} for tool in CHAT_TOOLS],
    "tool_choice": "required",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "What is 1 + 1?"}]},
        {"type": "function_call", "call_id": "call_a", "name": "add", "arguments": '{"a": 1}'},
        {"type": "function_call_output", "call_id": "call_a", "output": "2"},
        {"role": "user", "content": [{"type": "input_text", "text": "And 2 + 2?"}]},
    ],
}
MESSAGES: dict[str, Any] = {
    "max_tokens": 100,
    "temperature": 0.5,
    "stop_sequences": ["END"],
    "system": "Be brief.",
    "tools": [{"name": tool["function"]["name"], "input_schema": SCHEMA} for tool in CHAT_TOOLS],
    "tool_choice": {"type": "any"},
    "messages": [
        {"role": "user", "content": "What is 1 + 1?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "call_a", "name": "add", "input": {"a": 1}},
                {"type": "tool_use", "id": "call_b", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_a", "content": "2"},
                {"type": "tool_result", "tool_use_id": "call_b", "content": "noon"},
                {"type": "text", "text": "And 2 + 2?"},
            ],
        },
    ],
}

ANSWERS: dict[str, list[AnswerEvent]] = {
    "text": answer(TextDelta("Fo"), TextDelta("ur 🎉")),
    "length": answer(TextDelta("Fo"), reason="length"),
    "calls": answer(
        TextDelta("Wait."), *calls(("add", ['{"a": ', "2}"]), ("now", []), ("add", ['{"a": 3}'])), reason="tool_use"
    ),
}
# How litellm is asked, for which caller's request; the provider's wire, model and path.
WAYS: list[tuple[str, GenerativeWire, dict[str, Any], GenerativeWire, str, str]] = [
    ("chat", "openai_chat", CHAT, "anthropic_messages", "anthropic/claude-opus-4-5", ""),
    ("chat", "openai_chat", CHAT, "gemini", "gemini/gemini-2.5-flash", ""),
    ("responses", "openai_responses", RESPONSES, "anthropic_messages", "anthropic/claude-opus-4-5", ""),
    ("responses", "openai_responses", RESPONSES, "gemini", "gemini/gemini-2.5-flash", ""),
    ("messages", "anthropic_messages", MESSAGES, "openai_chat", "hosted_vllm/some-model", "/v1"),
]
CASES = [(*way, name, is_stream) for way in WAYS for name in ANSWERS for is_stream in (False, True)]
# litellm's Messages stream is bytes for the caller; its unary answers say what we ask it.
CASES = [case for case in CASES if not (case[0] == "messages" and case[-1])]
NAMES = [f"{case[1]} to {case[3]}, {case[6]}, {'streamed' if case[7] else 'whole'}" for case in CASES]


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with litellm, in an environment of its own."""
    uv = shutil.which("uv") or str(PROJECT / ".tools" / "bin" / "uv")
    home = tmp_path_factory.mktemp("oracle") / "venv"
    python = home / "bin" / "python"
    for command in (
        [uv, "venv", "-q", "--python", "3.11", str(home)],
        [uv, "pip", "install", "-q", "--python", str(python), "litellm"],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        except (OSError, subprocess.TimeoutExpired) as failure:
            pytest.skip(f"litellm cannot be installed here: {failure}")
        if done.returncode != 0:
            pytest.skip(f"litellm cannot be installed here: {done.stderr.strip()[-200:]}")
    return python


@pytest.fixture(scope="module")
def outcomes(oracle: Path) -> dict[str, Any]:
    """What litellm sent and made of the answer, by case."""
    given = []
    for how, _, request, provider, model, path, name, is_stream in CASES:
        asked, events = conversation(provider), ANSWERS[name]
        body = {**request, "model": model, "stream": is_stream}
        texts = {"whole": whole(provider, asked, events).decode(), "stream": written(provider, asked, events).decode()}
        given.append({"how": how, "request": body, "path": path, **texts})
    environment = {"PATH": os.environ["PATH"], "LITELLM_LOCAL_MODEL_COST_MAP": "True", "HOME": str(oracle.parent)}
    done = subprocess.run(
        [str(oracle), str(SCRIPT)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(NAMES, json.loads(done.stdout), strict=True))


def result_text(result: ToolResult) -> str:
    """A result's text; litellm gives Gemini ``content`` where Google's own name for it is ``output``."""
    text = "".join(part.text for part in result.content if isinstance(part, Text))
    return json.loads(text)["content"] if text.startswith('{"content":') else text


def essence(wire: GenerativeWire, body: dict[str, Any]) -> dict[str, Any]:
    """What a provider's request asks for, whoever wrote it."""
    asked: Conversation = CALLERS[wire].read_request(body, "m", is_stream=False)
    parts = [part for turn in asked.turns for part in turn.parts]
    uses = [(part.name, msgspec.json.decode(part.arguments)) for part in parts if isinstance(part, ToolUse)]
    results = [part for part in parts if isinstance(part, ToolResult)]
    return {
        "roles": [role for role, _ in groupby(turn.role for turn in asked.turns)],
        "texts": [part.text for part in parts if isinstance(part, Text)],
        "pictures": [part.data for part in parts if isinstance(part, Image)],
        "calls": uses,
        "results": [(part.name, result_text(part)) for part in results],
        "tools": [(tool.name, tool.description) for tool in asked.tools],
        "choice": asked.tool_choice,
        "limits": (asked.max_output_tokens, asked.temperature, asked.stop),
    }


@pytest.mark.parametrize(("case", "name"), list(zip(CASES, NAMES, strict=True)), ids=NAMES)
def test_litellm_sends_the_same(case: tuple[Any, ...], name: str, outcomes: dict[str, Any]) -> None:
    _, caller, request, provider, model, *_ = case
    asked = CALLERS[caller].read_request({**request, "model": model}, "m", is_stream=case[-1])
    ours = msgspec.json.decode(PROVIDERS[provider].write_request(asked, model.partition("/")[2]))

    assert essence(provider, ours) == essence(provider, outcomes[name]["sent"])


@pytest.mark.parametrize(("case", "name"), list(zip(CASES, NAMES, strict=True)), ids=NAMES)
def test_litellm_makes_the_same_of_the_answer(case: tuple[Any, ...], name: str, outcomes: dict[str, Any]) -> None:
    _, caller, _, provider, *_, answer_name, is_stream = case
    asked = conversation(provider)
    if is_stream:
        told = read(provider, written(provider, asked, ANSWERS[answer_name]))
        ours = assembled(read(caller, written(caller, conversation(caller), told)))
    else:
        told = read_whole(provider, whole(provider, asked, ANSWERS[answer_name]))
        ours = assembled(read_whole(caller, whole(caller, conversation(caller), told)))
    theirs = outcomes[name]["answer"]

    assert ours.text == theirs["text"]
    assert ours.calls == [(called, json.loads(arguments)) for called, arguments in theirs["calls"]]
    assert ours.usage == tuple(theirs["usage"])
