"""The same requests in the words of each official SDK, for every test that sends them."""

from typing import Any

from google.genai import types
from official_clients import PIXEL

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("find", "look")]
RESPONSE_TOOLS = [
    {"type": "function", "name": name, "parameters": SCHEMA, "strict": False} for name in ("find", "look")
]
MESSAGE_TOOLS = [{"name": name, "input_schema": SCHEMA} for name in ("find", "look")]
GEMINI_TOOLS = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name=name, parameters_json_schema=SCHEMA) for name in ("find", "look")
        ]
    )
]
QUIET = types.AutomaticFunctionCallingConfig(disable=True)
BOTH = "Please find and look."

CHATS: dict[str, dict[str, Any]] = {
    "text": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]},
    "tools": {"messages": [{"role": "user", "content": BOTH}], "tools": CHAT_TOOLS},
    "tool results": {
        "messages": [
            {"role": "user", "content": BOTH},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"city":"Oslo"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "found"},
        ],
        "tools": CHAT_TOOLS,
    },
    "image": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                ],
            }
        ]
    },
    "choices": {"messages": [{"role": "user", "content": "Why?"}], "n": 3},
}
RESPONSES: dict[str, dict[str, Any]] = {
    "text": {"instructions": "Be brief.", "input": "Why?"},
    "tools": {"input": BOTH, "tools": RESPONSE_TOOLS},
    "tool results": {
        "input": [
            {"role": "user", "content": BOTH},
            {"type": "function_call", "call_id": "call_1", "name": "find", "arguments": '{"city":"Oslo"}'},
            {"type": "function_call_output", "call_id": "call_1", "output": "found"},
        ],
        "tools": RESPONSE_TOOLS,
        "store": False,
    },
    "image": {
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is it?"},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"},
                ],
            }
        ]
    },
    "reasoning": {"input": "Why?", "reasoning": {"effort": "high", "summary": "auto"}, "store": False},
}
MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"system": "Be brief.", "messages": [{"role": "user", "content": "Why?"}]},
    "tools": {"messages": [{"role": "user", "content": BOTH}], "tools": MESSAGE_TOOLS},
    "tool results": {
        "messages": [
            {"role": "user", "content": BOTH},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "find", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "found"}]},
        ],
        "tools": MESSAGE_TOOLS,
    },
    "image": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                    {"type": "text", "text": "What is it?"},
                ],
            }
        ]
    },
    "reasoning": {
        "messages": [{"role": "user", "content": "Why?"}],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    },
}
GEMINIS: dict[str, dict[str, Any]] = {
    "text": {"contents": "Why?", "config": {"system_instruction": "Be brief."}},
    "tools": {"contents": BOTH, "config": {"tools": GEMINI_TOOLS, "automatic_function_calling": QUIET}},
    "tool results": {
        "contents": [
            types.Content(role="user", parts=[types.Part(text=BOTH)]),
            types.Content(role="model", parts=[types.Part.from_function_call(name="find", args={"city": "Oslo"})]),
            types.Content(
                role="user", parts=[types.Part.from_function_response(name="find", response={"result": "found"})]
            ),
        ],
        "config": {"tools": GEMINI_TOOLS, "automatic_function_calling": QUIET},
    },
    "image": {"contents": ["What is it?", types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")]},
    "reasoning": {
        "contents": "Why?",
        "config": {"thinking_config": {"include_thoughts": True, "thinking_budget": 1024}},
    },
}
