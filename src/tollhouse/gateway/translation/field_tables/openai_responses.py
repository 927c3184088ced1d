"""Responses: what happens to the fields of its requests."""

from tollhouse.gateway.translation.treatment import Table, dropped, mapped, refused

_CACHE = "a hint for the provider's prompt cache"
_STORED = "it names something stored at the provider, which another provider cannot read"
_HOSTED = "a tool that the provider runs or defines"
_CONTENT = ("content", "output")  # of a message and of a tool's result
# Among the input as well, as Codex sends them, and in a namespace.
_TOOLS = ("tools[]", "tools[].tools[]", "input[].tools[]", "input[].tools[].tools[]")

FIELDS: Table = {
    **mapped("model", "input", "instructions", "stream", "max_output_tokens", "temperature", "top_p", "tools"),
    **mapped("tool_choice", "parallel_tool_calls", "reasoning", "reasoning.effort", "reasoning.summary"),
    **mapped("reasoning.generate_summary", "text", "text.format", "stream_options", "stream_options.include_usage"),
    **dropped("padding against traffic analysis is not made here", "stream_options.include_obfuscation"),
    **dropped("others have no field for it", "reasoning.context", "reasoning.mode", "context_management", "image"),
    **dropped("a wish about length that others have no field for", "text.verbosity"),
    **dropped("labels for the provider's own records", "metadata", "user", "safety_identifier", "client_metadata"),
    **dropped("nothing is stored at the provider", "store", neutral=(False,)),
    **dropped(_CACHE, "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
    **dropped("a choice among the provider's own tiers", "service_tier", neutral=("auto", "default")),
    **dropped("a programme of the provider's own", "access_programs"),
    **dropped(
        "extras of the answer; sealed reasoning is always given", "include", neutral=(["reasoning.encrypted_content"],)
    ),
    **dropped("others do not shorten a long input", "truncation", neutral=("disabled",)),
    **dropped("it counts calls of the provider's own tools, which are refused", "max_tool_calls"),
    **dropped("nothing runs in the background", "background_options"),
    **refused("nothing runs in the background", "background", neutral=(False,)),
    **refused(_STORED, "previous_response_id", "conversation", "prompt"),
    **refused("others give no log probabilities", "top_logprobs", neutral=(0,)),
    **refused("a check that only this provider makes", "moderation"),
    **mapped(*(f"input[].type={kind}" for kind in ("message", "function_call", "function_call_output", "reasoning"))),
    **mapped(*(f"input[].type={kind}" for kind in ("custom_tool_call", "custom_tool_call_output", "additional_tools"))),
    **refused(_STORED, "input[].type=item_reference"),
    **refused("sealed for this provider alone", "input[].type=compaction", "input[].type=compaction_trigger"),
    **refused(_HOSTED, "input[].type=*"),
    **mapped(*(f"input[].{name}" for name in ("type", "role", "content", "call_id", "name", "namespace", "arguments"))),
    **mapped(*(f"input[].{name}" for name in ("input", "output", "summary", "encrypted_content", "tools"))),
    **dropped("the provider's own bookkeeping", "input[].id", "input[].status", "input[].phase", "input[].caller"),
    **mapped("input[].summary[].*"),
    **mapped(*(f"input[].role={role}" for role in ("system", "developer", "user", "assistant"))),
    **refused("not a role of Responses", "input[].role=*"),
    **mapped(*(f"input[].content[].type={kind}" for kind in ("output_text", "text", "refusal", "reasoning_text"))),
    **mapped(*(f"input[].{part}[].type=input_{kind}" for part in _CONTENT for kind in ("text", "image", "file"))),
    **refused("not a kind of result that is translated", "input[].output[].type=*"),
    **refused("audio is not translated", "input[].content[].type=input_audio"),
    **refused("not a kind of content that is translated", "input[].content[].type=*"),
    **mapped(*(f"input[].{part}[].{name}" for part in _CONTENT for name in ("type", "text", "image_url"))),
    **mapped("input[].content[].refusal"),
    **mapped(*(f"input[].{part}[].{name}" for part in _CONTENT for name in ("detail", "file_data", "file_url"))),
    **mapped(*(f"input[].{part}[].filename" for part in _CONTENT)),
    **refused(_STORED, *(f"input[].{part}[].file_id" for part in _CONTENT)),
    **dropped(
        "sources and figures of an earlier answer", "input[].content[].annotations", "input[].content[].logprobs"
    ),
    **dropped(_CACHE, *(f"input[].{part}[].prompt_cache_breakpoint" for part in _CONTENT)),
    **mapped(*(f"{tool}.type={kind}" for tool in _TOOLS for kind in ("function", "custom"))),
    **mapped("tools[].type=namespace", "tools[].tools", "input[].tools[].type=namespace", "input[].tools[].tools"),
    **refused(_HOSTED, *(f"{tool}.type=*" for tool in _TOOLS)),
    **mapped(*(f"{tool}.{name}" for tool in _TOOLS for name in ("type", "name", "description", "parameters"))),
    **mapped(*(f"{tool}.strict" for tool in _TOOLS)),
    **dropped(
        "a grammar that others do not enforce; it is told in the description",
        *(f"{tool}.format" for tool in _TOOLS),
    ),
    **dropped("others load every tool at once", *(f"{tool}.defer_loading" for tool in _TOOLS), neutral=(False,)),
    **dropped("others have no field for it", *(f"{tool}.output_schema" for tool in _TOOLS)),
    **dropped("others let only the model call", *(f"{tool}.allowed_callers" for tool in _TOOLS), neutral=(["direct"],)),
    **mapped(*(f"tool_choice.type={kind}" for kind in ("function", "custom", "allowed_tools"))),
    **refused(_HOSTED, "tool_choice.type=*"),
    **mapped(*(f"tool_choice.{name}" for name in ("type", "name", "namespace", "mode", "tools", "tools[].*"))),
    **mapped(*(f"text.format.type={kind}" for kind in ("text", "json_object", "json_schema"))),
    **refused("not a format that is translated", "text.format.type=*"),
    **mapped(*(f"text.format.{name}" for name in ("type", "name", "schema", "strict"))),
    **dropped("others have no field for it", "text.format.description"),
}
