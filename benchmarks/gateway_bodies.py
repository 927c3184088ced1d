"""What the benchmark's clients send: one chat question of 2 kB, one agent's turn of 76 kB, and a streamed question."""

import json
import random
from functools import cache
from typing import Any

SMALL_BYTES, AGENT_BYTES = 2_000, 76_000
_WORDS = "agent reads file then edits its tests while another build waits for cache and logs what nobody saw before"


def _text(dice: random.Random, size: int) -> str:
    known = _WORDS.split(" ")
    words = [dice.choice(known) + dice.choice(("", "", "", ".", ",", "\n")) for _ in range(size // 3)]
    return " ".join(words)[:size]


@cache
def chat(model: str, *, is_stream: bool = False) -> str:
    """A chat completion's request of 2 kB."""
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": ""}], "temperature": 0.2}
    if is_stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    body["messages"][0]["content"] = _text(random.Random(1), SMALL_BYTES - len(json.dumps(body)) - 100)
    return json.dumps(body)


@cache
def agent(model: str) -> str:
    """A coding agent's request: system text, 20 tools with schemas, and turns of tools and their results."""
    dice = random.Random(2)
    names = [f"field_{number}" for number in range(6)]
    tools = [
        {
            "name": f"tool_{number}",
            "description": _text(dice, 700),
            "input_schema": {
                "type": "object",
                "properties": {name: {"type": "string", "description": _text(dice, 60)} for name in names},
                "required": ["field_0"],
            },
        }
        for number in range(20)
    ]
    messages: list[dict[str, Any]] = [{"role": "user", "content": _text(dice, 600)}]
    body = {
        "model": model,
        "max_tokens": 32_000,
        "system": [{"type": "text", "text": _text(dice, 12_000), "cache_control": {"type": "ephemeral"}}],
        "metadata": {"user_id": json.dumps({"device_id": "d", "account_uuid": "", "session_id": "s-1"})},
        "tools": tools,
        "messages": messages,
    }
    while len(json.dumps(body)) < AGENT_BYTES - 1600:
        identity = f"toolu_{len(messages):024d}"
        used = {"type": "tool_use", "id": identity, "name": "tool_1", "input": {"field_0": _text(dice, 200)}}
        result = {"type": "tool_result", "tool_use_id": identity, "content": _text(dice, 1200)}
        messages += [{"role": "assistant", "content": [used]}, {"role": "user", "content": [result]}]
    return json.dumps(body)
