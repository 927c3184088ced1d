"""Google takes its fields in camel and in snake case; its own SDK mixes them."""

import re
from typing import Any

import msgspec

_SNAKE = re.compile(rb'"[a-z]+_[a-z_]+"\s*:')
_NAMES = """
inline_data file_data function_call function_response function_declarations function_calling_config
allowed_function_names include_thoughts thinking_budget thinking_level max_output_tokens stop_sequences
response_mime_type response_schema response_json_schema thinking_config system_instruction tool_config
generation_config generate_content_request output_dimensionality parameters_json_schema
"""
_CAMEL = {name: re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in _NAMES.split()}
_CALLERS_OWN = {"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema"}


def in_camel_case(body: bytes) -> bytes:
    """The body with the fields that are read here in camel case; what the caller named stays. Invalid JSON too."""
    if _SNAKE.search(body) is None:
        return body
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    return msgspec.json.encode(_renamed(document))


def _renamed(value: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {_CAMEL.get(name, name): item for name, item in value.items()}
    return {name: item if name in _CALLERS_OWN else _renamed(item) for name, item in named.items()}
