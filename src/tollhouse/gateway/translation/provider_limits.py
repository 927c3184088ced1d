"""What each provider's protocol has no place for, by the names of the intermediate form, and the callers' words."""

from collections.abc import Mapping

from tollhouse.gateway.translation.treatment import Table, dropped, refused
from tollhouse.gateway.wires import GenerativeWire

_NO_FIELD = "its protocol has no such field"
_TEXT_ONLY = "system text and the model's own turns hold only text there"
_FOREIGN = "sealed for the provider that made it"

LIMITS: Mapping[GenerativeWire, Table] = {
    "openai_chat": {
        **dropped(_NO_FIELD, "top_k", "tool_result.is_error", "reasoning.is_shown"),
        **dropped(_FOREIGN, "reasoning_block"),
        **refused("a document must be given in the request itself", "document.url"),
        **refused(_TEXT_ONLY, "system.file", "assistant.file"),
    },
    "openai_responses": {
        **dropped(_NO_FIELD, "top_k", "seed", "presence_penalty", "frequency_penalty", "tool_result.is_error"),
        **dropped(_FOREIGN, "reasoning_block"),
        **refused("its answers cannot be told where to stop", "stop"),
        **refused(_TEXT_ONLY, "system.file", "assistant.file"),
    },
    "anthropic_messages": {
        **dropped(_NO_FIELD, "seed", "presence_penalty", "frequency_penalty", "image.detail"),
        **dropped("newer models take none, others not beside thinking and 1 at most", "temperature", "top_p", "top_k"),
        **dropped("not where a tool is forced, nor by old models, nor amid calls made without it", "reasoning"),
        **dropped("it knows no JSON without a schema", "output_format"),
        **dropped("an error's result holds only text there", "tool_result.is_error"),
        **dropped(_FOREIGN, "reasoning_block"),
        **refused("it must be told the media type", "image.media_type"),
        **refused("it reads PDF and plain text", "document.media_type"),
        **refused(_TEXT_ONLY, "system.file", "assistant.file"),
    },
    "gemini": {
        **dropped(_NO_FIELD, "has_parallel_tools", "tool.is_strict", "image.detail", "document.filename"),
        **dropped("models before 2.5 do not think", "reasoning"),
        **dropped("it takes 32 bits", "seed"),
        **dropped(_FOREIGN, "reasoning_block"),
        **refused("it must be told the media type", "image.media_type", "document.media_type"),
        **refused("its system text holds only text", "system.file"),
    },
}

_CHAT_REASONING = "messages[].reasoning_details"
_BLOCKS = "messages[].content[]"
_PARTS = "contents[].parts[]"
_CONFIG = "generationConfig"

# The caller's name of each member of the intermediate form that some provider has no place for.
WORDS: Mapping[GenerativeWire, Mapping[str, str]] = {
    "openai_chat": {
        "system.file": "messages[].content[]",
        "assistant.file": "messages[].content[]",
        "has_parallel_tools": "parallel_tool_calls",
        "reasoning": "reasoning_effort",
        "output_format": "response_format",
        "tool.is_strict": "tools[].function.strict",
        "image.detail": "messages[].content[].image_url.detail",
        "document.filename": "messages[].content[].file.filename",
        "image.media_type": "messages[].content[].image_url.url",
        "document.media_type": "messages[].content[].file.file_data",
        "reasoning_block": _CHAT_REASONING,
    },
    "openai_responses": {
        "system.file": "input[].content[]",
        "assistant.file": "input[].content[]",
        "has_parallel_tools": "parallel_tool_calls",
        "reasoning.is_shown": "reasoning.summary",
        "output_format": "text.format",
        "tool.is_strict": "tools[].strict",
        "image.detail": "input[].content[].detail",
        "document.url": "input[].content[].file_url",
        "document.filename": "input[].content[].filename",
        "image.media_type": "input[].content[].image_url",
        "document.media_type": "input[].content[].file_data",
        "reasoning_block": "input[].type=reasoning",
    },
    "anthropic_messages": {
        "system.file": _BLOCKS,
        "assistant.file": _BLOCKS,
        "has_parallel_tools": "tool_choice.disable_parallel_tool_use",
        "stop": "stop_sequences",
        "reasoning": "thinking",
        "reasoning.is_shown": "thinking.display",
        "output_format": "output_config.format",
        "tool.is_strict": "tools[].strict",
        "document.url": f"{_BLOCKS}.source.url",
        "document.filename": f"{_BLOCKS}.title",
        "image.media_type": f"{_BLOCKS}.source.media_type",
        "document.media_type": f"{_BLOCKS}.source.media_type",
        "tool_result.is_error": f"{_BLOCKS}.is_error",
        "reasoning_block": f"{_BLOCKS}.type=thinking",
    },
    "gemini": {
        "system.file": _PARTS,
        "assistant.file": _PARTS,
        "temperature": f"{_CONFIG}.temperature",
        "top_p": f"{_CONFIG}.topP",
        "top_k": f"{_CONFIG}.topK",
        "stop": f"{_CONFIG}.stopSequences",
        "seed": f"{_CONFIG}.seed",
        "presence_penalty": f"{_CONFIG}.presencePenalty",
        "frequency_penalty": f"{_CONFIG}.frequencyPenalty",
        "reasoning": f"{_CONFIG}.thinkingConfig",
        "reasoning.is_shown": f"{_CONFIG}.thinkingConfig.includeThoughts",
        "output_format": f"{_CONFIG}.responseMimeType",
        "document.url": f"{_PARTS}.fileData.fileUri",
        "document.filename": f"{_PARTS}.fileData.displayName",
        "image.media_type": f"{_PARTS}.inlineData.mimeType",
        "document.media_type": f"{_PARTS}.inlineData.mimeType",
        "tool_result.is_error": f"{_PARTS}.functionResponse.response.error",
        "reasoning_block": f"{_PARTS}.thoughtSignature",
    },
}
