"""The protocols that are spoken here, by the names that the log uses for their usage objects."""

from typing import Literal

from tollhouse.spool.records import UsageFormat

Wire = UsageFormat
GenerativeWire = Literal["openai_chat", "openai_responses", "anthropic_messages", "gemini"]
Operation = Literal[
    "generate",
    "embed",
    "count_tokens",
    "list_models",
    "show_model",
    "get_response",
    "delete_response",
    "cancel_response",
    "list_input_items",
]
StreamStyle = Literal["sse", "json_array"]
