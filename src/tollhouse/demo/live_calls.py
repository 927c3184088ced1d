"""Every kind of live call, by the official SDKs; each kind is one request."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from tollhouse.demo.live_sdks import Clients

Ask = Callable[[Clients, str], Any]
Expected = Literal["answered", "refused"]
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_IMAGE_URL = f"data:image/png;base64,{_PIXEL}"
_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_TOOL: dict[str, Any] = {"name": "find_supplier", "description": "Suppliers in a city.", "parameters": _SCHEMA}
_CHAT_TOOLS = [{"type": "function", "function": _TOOL}]
_RESPONSES_TOOLS = [{"type": "function", "strict": False, **_TOOL}]
_MESSAGES_TOOLS = [{"name": _TOOL["name"], "description": _TOOL["description"], "input_schema": _SCHEMA}]
_GEMINI_TOOLS = [{"function_declarations": [{**_TOOL, "parameters": None, "parameters_json_schema": _SCHEMA}]}]
_MAX_TOKENS = 400


class Kind(NamedTuple):
    """A kind of call, how many of a hundred are of it, and what becomes of it."""

    share: int
    ask: Ask
    expected: Expected = "answered"


def _chat(model: str, **more: Any) -> Ask:
    def ask(sdks: Clients, text: str) -> Any:
        said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]
        return _read(sdks.openai.chat.completions.create(model=model, **{"messages": said, **more}), more)

    return ask


def _chat_image(sdks: Clients, text: str) -> Any:
    parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": _IMAGE_URL}}]
    return _chat("gpt-5.5", messages=[{"role": "user", "content": parts}])(sdks, text)


def _responses(model: str, **more: Any) -> Ask:
    def ask(sdks: Clients, text: str) -> Any:
        return _read(sdks.openai.responses.create(model=model, input=text, store=False, **more), more)

    return ask


def _embeddings(sdks: Clients, text: str) -> Any:
    return sdks.openai.embeddings.create(model="embeddings-small", input=[text, text.upper()])


def _messages(model: str, **more: Any) -> Ask:
    def ask(sdks: Clients, text: str) -> Any:
        said = [{"role": "user", "content": text}]
        asked = {"model": model, "max_tokens": _MAX_TOKENS, "messages": said, **more}
        return _read(sdks.anthropic.messages.create(**asked), more)

    return ask


def _messages_image(sdks: Clients, text: str) -> Any:
    source = {"type": "base64", "media_type": "image/png", "data": _PIXEL}
    parts = [{"type": "image", "source": source}, {"type": "text", "text": text}]
    return _messages("claude-sonnet", messages=[{"role": "user", "content": parts}])(sdks, text)


def _gemini(model: str, **config: Any) -> Ask:
    def ask(sdks: Clients, text: str) -> Any:
        return sdks.gemini.models.generate_content(model=model, contents=text, config=config)

    return ask


def _gemini_stream(model: str) -> Ask:
    def ask(sdks: Clients, text: str) -> Any:
        return list(sdks.gemini.models.generate_content_stream(model=model, contents=text))

    return ask


def _gemini_image(sdks: Clients, text: str) -> Any:
    parts = [{"text": text}, {"inline_data": {"mime_type": "image/png", "data": _PIXEL}}]
    return sdks.gemini.models.generate_content(model="gemini-flash", contents=[{"role": "user", "parts": parts}])


def _with_revoked_key(sdks: Clients, text: str) -> Any:
    said = [{"role": "user", "content": text}]
    return sdks.revoked.messages.create(model="claude-haiku", max_tokens=_MAX_TOKENS, messages=said)


def _read(answer: Any, asked: dict[str, Any]) -> Any:
    return list(answer) if asked.get("stream") else answer


_QUIET = {"disable": True}
KINDS = (
    Kind(5, _chat("gpt-5.5")),
    Kind(8, _chat("gpt-5.5", stream=True)),
    Kind(6, _chat("gpt-5.5", tools=_CHAT_TOOLS)),
    Kind(3, _chat_image),
    Kind(4, _embeddings),
    Kind(5, _responses("gpt-6.1-sol")),
    Kind(8, _responses("gpt-6.1-sol", stream=True)),
    Kind(4, _responses("gpt-6.1-sol", tools=_RESPONSES_TOOLS)),
    Kind(6, _messages("claude-sonnet")),
    Kind(10, _messages("claude-sonnet", stream=True)),
    Kind(5, _messages("claude-haiku", tools=_MESSAGES_TOOLS, stream=True)),
    Kind(3, _messages_image),
    Kind(5, _gemini("gemini-flash")),
    Kind(6, _gemini_stream("gemini-flash")),
    Kind(3, _gemini("gemini-flash", tools=_GEMINI_TOOLS, automatic_function_calling=_QUIET)),
    Kind(2, _gemini_image),
    # Translated.
    Kind(2, _chat("claude-sonnet", stream=True, tools=_CHAT_TOOLS)),
    Kind(2, _chat("gemini-flash")),
    Kind(2, _responses("claude-haiku", stream=True)),
    Kind(2, _messages("gpt-5.5", stream=True)),
    Kind(1, _messages("gemini-flash", tools=_MESSAGES_TOOLS)),
    Kind(2, _gemini_stream("claude-haiku")),
    # A destination that answers 429, then its fallback.
    Kind(3, _chat("gpt-5-mini")),
    Kind(1, _messages("gpt-5-mini", stream=True)),
    Kind(1, _chat("gpt-4-retired"), "refused"),
    Kind(1, _with_revoked_key, "refused"),
)
