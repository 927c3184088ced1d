"""Messages: what happens to the fields of its requests."""

from tollhouse.gateway.translation.treatment import Table, dropped, mapped, refused

_CACHE = "a hint for the provider's prompt cache"
_STORED = "it names something stored at the provider, which another provider cannot read"
_SERVER = "a tool that the provider runs or defines"
_NO_FIELD = "others have no field for it"
_CONTENT = "messages[].content[]"
_RESULT = f"{_CONTENT}.content[]"

_TOP: Table = {
    **mapped("model", "messages", "system", "max_tokens", "stream", "stop_sequences", "temperature", "top_p", "top_k"),
    **mapped("tools", "tool_choice", "thinking", "output_config", "output_config.effort", "output_config.format"),
    **mapped("output_format", "thinking.type", "thinking.budget_tokens", "thinking.display"),
    **mapped(*(f"{place}.type=json_schema" for place in ("output_config.format", "output_format"))),
    **mapped("output_config.format.type", "output_config.format.schema", "output_format.type", "output_format.schema"),
    **refused("not a format that is translated", "output_config.format.type=*", "output_format.type=*"),
    **dropped(_CACHE, "cache_control", "system[].cache_control", "tools[].cache_control"),
    **dropped("labels for the provider's own records", "metadata", "diagnostics", "user_profile_id", "workspace_id"),
    **dropped("a choice among the provider's own tiers", "service_tier", "speed", "inference_geo"),
    **dropped("a matter of the provider's own billing", "billing_policy", "fallback_credit_token", "fallbacks"),
    **dropped("a beta of the provider", "betas", "anthropic_beta"),
    **dropped("others do not shorten a long conversation", "context_management", "compaction"),
    **dropped(_NO_FIELD, "output_config.task_budget"),
    **refused(_STORED, "container", "thread"),
    **refused("a tool that the provider runs", "mcp_servers"),
    **mapped("system[].type", "system[].text", "system[].type=text"),
    **refused("only text is system text", "system[].type=*"),
    **dropped("sources of an earlier answer, or a wish for them", "system[].citations"),
    **mapped("tools[].type=custom", "tools[].type", "tools[].name", "tools[].description", "tools[].input_schema"),
    **mapped("tools[].strict"),
    **refused(_SERVER, "tools[].type=*"),
    **dropped("others load every tool at once", "tools[].defer_loading", neutral=(False,)),
    **dropped(_NO_FIELD, "tools[].input_examples", "tools[].eager_input_streaming"),
    **dropped("others let only the model call", "tools[].allowed_callers", neutral=(["direct"],)),
    **mapped(*(f"tool_choice.type={kind}" for kind in ("auto", "any", "tool", "none"))),
    **refused("not a choice of Messages", "tool_choice.type=*"),
    **mapped("tool_choice.type", "tool_choice.name", "tool_choice.disable_parallel_tool_use"),
}

_BLOCKS: Table = {
    **mapped("messages[].role", "messages[].content"),
    **mapped(*(f"messages[].role={role}" for role in ("user", "assistant", "system"))),
    **refused("not a role of Messages", "messages[].role=*"),
    **mapped(*(f"{_CONTENT}.type={kind}" for kind in ("text", "image", "document", "search_result"))),
    **mapped(*(f"{_CONTENT}.type={kind}" for kind in ("tool_use", "tool_result", "thinking", "redacted_thinking"))),
    **refused(_SERVER, f"{_CONTENT}.type=*"),
    **mapped(*(f"{_CONTENT}.{name}" for name in ("type", "text", "source", "id", "name", "input", "tool_use_id"))),
    **mapped(*(f"{_CONTENT}.{name}" for name in ("content", "is_error", "thinking", "signature", "data", "title"))),
    **dropped("others let only the model call", f"{_CONTENT}.caller", neutral=({"type": "direct"},)),
    **mapped(*(f"{_RESULT}.type={kind}" for kind in ("text", "image", "document", "search_result", "tool_reference"))),
    **refused("not a kind of result that is translated", f"{_RESULT}.type=*"),
    **mapped(*(f"{_RESULT}.{name}" for name in ("type", "text", "source", "title", "content", "tool_name"))),
    **mapped(f"{_RESULT}.content[].type=text", f"{_RESULT}.content[].type", f"{_RESULT}.content[].text"),
    **refused("not a kind of result that is translated", f"{_RESULT}.content[].type=*"),
    **dropped("sources of an earlier answer, or a wish for them", *(f"{at}.citations" for at in (_CONTENT, _RESULT))),
    **dropped(_CACHE, *(f"{at}.cache_control" for at in (_CONTENT, _RESULT, f"{_RESULT}.content[]"))),
    **dropped(_NO_FIELD, *(f"{at}.{name}" for at in (_CONTENT, _RESULT) for name in ("context", "transformations"))),
}


def _source(place: str) -> Table:
    return {
        **mapped(*(f"{place}.source.type={kind}" for kind in ("base64", "url", "text"))),
        **refused(_STORED, f"{place}.source.type=file"),
        **refused("not a kind of source that is translated", f"{place}.source.type=*"),
        **mapped(*(f"{place}.source.{name}" for name in ("type", "data", "media_type", "url"))),
    }


FIELDS: Table = {**_TOP, **_BLOCKS, **_source(_CONTENT), **_source(_RESULT)}
