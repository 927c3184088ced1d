"""Requests that between them hold every field that is translated, by the caller's protocol."""

from typing import Any

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="

_CHAT: dict[str, Any] = {
    "model": "m",
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_completion_tokens": 10,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 4,
    "stop": ["END"],
    "seed": 7,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.2,
    "reasoning_effort": "high",
    "parallel_tool_calls": False,
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
    "tools": [
        {"type": "function", "function": {"name": "add", "description": "d", "parameters": SCHEMA, "strict": True}},
        {"type": "custom", "custom": {"name": "patch", "description": "p"}},
        {"type": "function", "name": "flat", "description": "f", "parameters": SCHEMA, "strict": True},
    ],
    "tool_choice": {"type": "function", "function": {"name": "add"}},
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Be kind."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
                {"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "A dot."}, {"type": "refusal", "refusal": "No more."}],
            "refusal": "Really.",
            "reasoning_content": "Hm",
            "tool_calls": [
                {"id": "c1", "type": "function", "index": 0, "function": {"name": "add", "arguments": '{"a":1}'}},
                {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "2"},
        {"role": "tool", "tool_call_id": "c2", "content": "done"},
        {
            "role": "assistant",
            "content": "Two.",
            "reasoning_details": [{"format": "gemini", "text": "Hm", "signature": "s", "type": "reasoning.text"}],
        },
        {"role": "user", "content": "Thanks"},
    ],
}

_RESPONSES: dict[str, Any] = {
    "model": "m",
    "stream": True,
    "stream_options": {"include_usage": True},
    "instructions": "Be brief.",
    "max_output_tokens": 10,
    "temperature": 0.5,
    "top_p": 0.9,
    "parallel_tool_calls": False,
    "reasoning": {"effort": "high", "summary": "auto"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}},
    "tools": [
        {"type": "function", "name": "add", "description": "d", "parameters": SCHEMA, "strict": True},
        {"type": "custom", "name": "patch", "description": "p"},
        {
            "type": "namespace",
            "name": "mcp__lake",
            "description": "the lake",
            "tools": [
                {"type": "function", "name": "rows", "description": "d", "parameters": SCHEMA, "strict": True},
                {"type": "custom", "name": "sql", "description": "d"},
            ],
        },
    ],
    "tool_choice": {"type": "function", "name": "rows", "namespace": "mcp__lake"},
    "input": [
        {
            "type": "additional_tools",
            "role": "developer",
            "tools": [
                {"type": "function", "name": "more", "description": "d", "parameters": SCHEMA, "strict": True},
                {"type": "custom", "name": "free", "description": "d"},
                {
                    "type": "namespace",
                    "name": "other",
                    "description": "d",
                    "tools": [
                        {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA, "strict": True},
                        {"type": "custom", "name": "c"},
                    ],
                },
            ],
        },
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": "Be quick."},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "text", "text": "And this?"},
                {"type": "input_image", "image_url": PNG, "detail": "low"},
                {"type": "input_file", "file_data": PDF, "filename": "a.pdf"},
                {"type": "input_file", "file_url": "https://example.com/a.pdf"},
            ],
        },
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm"}],
            "content": [{"type": "reasoning_text", "text": "Hmm"}],
            "encrypted_content": "anthropic_messages:sig",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "A dot."}, {"type": "refusal", "refusal": "No more."}],
        },
        {"type": "function_call", "call_id": "c1", "name": "rows", "namespace": "mcp__lake", "arguments": '{"a":1}'},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** Begin"},
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": [
                {"type": "input_text", "text": "2"},
                {"type": "input_image", "image_url": PNG, "detail": "low"},
                {"type": "input_file", "file_data": PDF, "filename": "a.pdf"},
                {"type": "input_file", "file_url": "https://example.com/a.pdf"},
            ],
        },
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
    ],
}

_BASE64 = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
_LINK = {"type": "url", "url": "https://example.com/a.png"}
_PLAIN = {"type": "text", "media_type": "text/plain", "data": "plain"}
_FOUND = {
    "type": "search_result",
    "title": "t",
    "source": "https://example.com",
    "content": [{"type": "text", "text": "x"}],
}

_MESSAGES: dict[str, Any] = {
    "model": "m",
    "stream": True,
    "max_tokens": 10,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 4,
    "stop_sequences": ["END"],
    "system": [{"type": "text", "text": "Be brief."}],
    "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "summarized"},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
    "tools": [{"type": "custom", "name": "add", "description": "d", "input_schema": SCHEMA, "strict": True}],
    "tool_choice": {"type": "tool", "name": "add", "disable_parallel_tool_use": True},
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image", "source": _BASE64},
                {"type": "image", "source": _LINK},
                {"type": "document", "source": _PLAIN, "title": "a.txt"},
                _FOUND,
            ],
        },
        {"role": "system", "content": "Be kind."},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "sealed"},
                {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "is_error": True,
                    "content": [
                        {"type": "text", "text": "2"},
                        {"type": "image", "source": _BASE64},
                        {"type": "image", "source": _LINK},
                        {"type": "document", "source": _PLAIN, "title": "a.txt"},
                        _FOUND,
                        {"type": "tool_reference", "tool_name": "add"},
                    ],
                }
            ],
        },
    ],
}

_INLINE = {"mimeType": "application/pdf", "data": "JVBERi0=", "displayName": "a.pdf"}
_FILE = {"mimeType": "application/pdf", "fileUri": "https://example.com/a.pdf", "displayName": "b.pdf"}

_GEMINI: dict[str, Any] = {
    "model": "m",
    "systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]},
    "generationConfig": {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 4,
        "maxOutputTokens": 10,
        "stopSequences": ["END"],
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}},
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 1024},
    },
    "tools": [{"functionDeclarations": [{"name": "add", "description": "d", "parameters": {"type": "OBJECT"}}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["add"]}},
    "contents": [
        {"role": "user", "parts": [{"text": "What is this?"}, {"inlineData": _INLINE}, {"fileData": _FILE}]},
        {
            "role": "model",
            "parts": [
                {"text": "Hm", "thought": True},
                {"functionCall": {"id": "c1", "name": "add", "args": {"a": 1}}, "thoughtSignature": "sig"},
                {"functionCall": {"id": "c2", "name": "add", "args": {"a": 2}}},
            ],
        },
        {
            "role": "function",
            "parts": [
                {"functionResponse": {"id": "c2", "name": "add", "response": {"output": "3"}}},
                {
                    "functionResponse": {
                        "id": "c1",
                        "name": "add",
                        "response": {"output": "2"},
                        "parts": [{"inlineData": _INLINE}, {"fileData": _FILE}],
                    }
                },
            ],
        },
    ],
}


def _with(body: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**body, **members}


_FORMAT = {"type": "json_schema", "schema": SCHEMA}
_ALLOWED = [{"type": "function", "name": "add"}]

REQUESTS: dict[str, list[dict[str, Any]]] = {
    "openai_chat": [
        _CHAT,
        _with(
            {name: value for name, value in _CHAT.items() if name != "max_completion_tokens"},
            max_tokens=20,
            response_format={"type": "json_object"},
            tool_choice={"type": "custom", "custom": {"name": "patch"}},
        ),
        _with(
            _CHAT,
            response_format={"type": "text"},
            tool_choice={
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "add"}}]},
            },
        ),
        _with(
            _CHAT,
            tool_choice={
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "custom", "custom": {"name": "patch"}}]},
            },
        ),
    ],
    "openai_responses": [
        _RESPONSES,
        _with(
            _RESPONSES,
            reasoning={"generate_summary": "auto"},
            text={"format": {"type": "json_object"}},
            tool_choice={"type": "custom", "name": "patch"},
        ),
        _with(
            _RESPONSES,
            text={"format": {"type": "text"}},
            tool_choice={"type": "allowed_tools", "mode": "required", "tools": _ALLOWED},
        ),
    ],
    "anthropic_messages": [
        _MESSAGES,
        *(_with(_MESSAGES, tool_choice={"type": kind}) for kind in ("auto", "any", "none")),
        _with(_MESSAGES, thinking={"type": "adaptive", "display": "omitted"}),
        _with({name: value for name, value in _MESSAGES.items() if name != "output_config"}, output_format=_FORMAT),
    ],
    "gemini": [
        _GEMINI,
        _with(
            _GEMINI,
            generationConfig={
                "responseMimeType": "application/json",
                "responseJsonSchema": SCHEMA,
                "thinkingConfig": {"thinkingLevel": "HIGH"},
            },
            tools=[{"functionDeclarations": [{"name": "add", "parametersJsonSchema": SCHEMA}]}],
            toolConfig={"functionCallingConfig": {"mode": "AUTO"}},
        ),
        _with(
            _GEMINI,
            generationConfig={"responseMimeType": "application/json", "_responseJsonSchema": SCHEMA},
            toolConfig={"functionCallingConfig": {"mode": "NONE"}},
        ),
        _with(
            _GEMINI,
            generationConfig={"responseMimeType": "application/json"},
            toolConfig={"functionCallingConfig": {"mode": "MODE_UNSPECIFIED"}},
        ),
    ],
}
