"""What a request says of its client: the program, its session and turn, its trace and its tags."""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec

INVALID_REQUEST_TAGS: Final = "INVALID_REQUEST_TAGS"
MAX_TAGS: Final = 50
MAX_TAG_KEY: Final = 128
MAX_TAG_VALUE: Final = 1024

_TAG_BYTES: Final = 16_384
_MAX_ID: Final = 256
_MIN_VENDOR_ID: Final = 8
_OUR_TAGS: Final = b"x-tollhouse-tags"
_DATABRICKS_TAGS: Final = b"databricks-ai-gateway-request-tags"

# The first that a request has. Codex' own names count for Codex only, since others use them for other things.
_SESSION_HEADERS: Final = (
    b"x-tollhouse-session-id",
    b"x-litellm-trace-id",
    b"x-litellm-session-id",
    b"x-claude-code-session-id",
)
_CODEX_SESSION_HEADERS: Final = (b"session-id", b"session_id", b"thread-id", b"conversation_id")
_VENDOR_SESSION: Final = re.compile(rb"x-.+-session-id")
_SESSION_IN_USER_ID: Final = re.compile(r"_session_([0-9a-fA-F-]{36})$")
_TRACEPARENT: Final = re.compile(
    rb"(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?"
)

_CLIENT_KINDS: Final = (
    (r"claude-(?:cli|code)/", "claude-code"),
    (r"codex[-_ /]", "codex"),
    (r"GeminiCLI(?:-[\w-]+)?/", "gemini-cli"),
    (r"Cursor/", "cursor"),
    (r"(?:GitHub)?-?Copilot(?:-?CLI)?[-/]", "copilot-cli"),
    (r"Cline/|ai-sdk/.*\bcline\b", "cline"),
    (r"opencode/", "opencode"),
    (r"QwenCode/", "qwen-code"),
    (r"aider[-/]", "aider"),
    (r"continue/|ls/JS ", "continue"),
    (r"(?:Async)?(?:Azure)?OpenAI/Python ", "openai-python"),
    (r"(?:Azure)?OpenAI/JS ", "openai-node"),
    (r"(?:Async)?Anthropic(?:Bedrock|Vertex)?/Python ", "anthropic-python"),
    (r"Anthropic(?:Bedrock|Vertex)?/JS ", "anthropic-node"),
    (r"google-genai-sdk/\S+ gl-python/", "google-genai-python"),
    (r"google-genai-sdk/\S+ gl-node/", "google-genai-node"),
    (r"ai-sdk/|ai/\d", "ai-sdk"),
    (r"litellm/", "litellm"),
    (r"curl/", "curl"),
)
_AGENTS: Final = tuple((re.compile(pattern, re.IGNORECASE), kind) for pattern, kind in _CLIENT_KINDS)


class Marks(msgspec.Struct, frozen=True):
    """A request's marks; ``logging_error_codes`` names what could not be read of them."""

    client_kind: str | None = None
    session_id: str | None = None
    turn_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    request_tags: dict[str, str] = {}
    logging_error_codes: tuple[str, ...] = ()


class _Turn(msgspec.Struct):
    session_id: Any = None
    turn_id: Any = None


_TURN = msgspec.json.Decoder(_Turn)
_TAGS = msgspec.json.Decoder(dict[str, str])


def marks(
    headers: dict[bytes, bytes] | list[tuple[bytes, bytes]],
    metadata_user_id: str | None,
    prompt_cache_key: str | None,
) -> Marks:
    """The marks of a request: its headers (names lower-case) and two members of its body.

    The session is the first of: our header, LiteLLM's, Claude Code's, another vendor's ``x-…-session-id`` of at least
    8 characters, Codex' own headers, ``x-session-id``, the session inside ``metadata.user_id`` (as JSON, or behind
    ``_session_``), and for Codex the prompt cache key.
    """
    named = headers if isinstance(headers, dict) else dict(headers)
    kind = _client_kind(named.get(b"user-agent", b""), copilot=b"x-initiator" in named)
    is_codex = kind == "codex"
    turn = _turn_of(named.get(b"x-codex-turn-metadata")) if is_codex else None
    session_id = (
        _session_in_headers(named, is_codex=is_codex)
        or (_id_of(turn.session_id) if turn else None)
        or (_session_in_user_id(metadata_user_id) if metadata_user_id else None)
        or (_id_of(prompt_cache_key) if is_codex else None)
    )
    trace = _TRACEPARENT.fullmatch(named.get(b"traceparent", b""))
    trace_id, span_id = (trace[1].decode(), trace[2].decode()) if trace else (None, None)
    turn_id = _id_of(turn.turn_id) if turn else None
    return Marks(kind, session_id, turn_id, trace_id, span_id, *_request_tags(named))


@lru_cache(maxsize=1024)
def _client_kind(user_agent: bytes, *, copilot: bool) -> str | None:
    text = user_agent.decode("latin-1")
    kind = next((kind for pattern, kind in _AGENTS if pattern.match(text)), None)
    # Copilot's command line calls by OpenAI's SDK and names itself only by this header.
    return "copilot-cli" if copilot and kind == "openai-node" else kind


def _session_in_headers(named: dict[bytes, bytes], *, is_codex: bool) -> str | None:
    for name in _SESSION_HEADERS:
        if name in named and (session := _id_of(named[name])):
            return session
    for name, value in named.items():
        if name.endswith(b"-session-id") and _VENDOR_SESSION.fullmatch(name) and len(value) >= _MIN_VENDOR_ID:
            return _id_of(value)
    for name in (*(_CODEX_SESSION_HEADERS if is_codex else ()), b"x-session-id"):
        if name in named and (session := _id_of(named[name])):
            return session
    return None


def _session_in_user_id(user_id: str) -> str | None:
    """Claude Code's user id is JSON, and was ``user_…_session_<uuid>`` before."""
    if user_id.startswith("{"):
        turn = _turn_of(user_id.encode("utf-8", "replace"))
        return _id_of(turn.session_id) if turn else None
    found = _SESSION_IN_USER_ID.search(user_id)
    return found[1] if found else None


def _turn_of(text: bytes | None) -> _Turn | None:
    if not text:
        return None
    try:
        return _TURN.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _id_of(value: Any) -> str | None:
    """An id that is not empty and not too long to be one."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        return None
    text = text.strip()
    return text if 0 < len(text) <= _MAX_ID else None


def _request_tags(named: dict[bytes, bytes]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The tags of both headers, ours above Databricks'; a header with anything wrong in it gives none."""
    tags: dict[str, str] = {}
    is_valid = True
    for name in (_DATABRICKS_TAGS, _OUR_TAGS):
        text = named.get(name, b"").strip()
        if text:
            given = _read_tags(text, is_ours=name == _OUR_TAGS)
            is_valid = is_valid and given is not None
            tags |= given or {}
    if len(tags) > MAX_TAGS:
        return {}, (INVALID_REQUEST_TAGS,)
    return tags, () if is_valid else (INVALID_REQUEST_TAGS,)


def _read_tags(text: bytes, *, is_ours: bool) -> dict[str, str] | None:
    """A JSON object of strings, in our header also ``k=v,k2=v2``; None where it is neither, or too much."""
    if len(text) > _TAG_BYTES:
        return None
    if is_ours and not text.startswith(b"{"):
        tags = _read_pairs(text.decode("utf-8", "replace"))
    else:
        try:
            tags = _TAGS.decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
    if tags is None or len(tags) > MAX_TAGS:
        return None
    return tags if all(0 < len(key) <= MAX_TAG_KEY and len(tags[key]) <= MAX_TAG_VALUE for key in tags) else None


def _read_pairs(text: str) -> dict[str, str] | None:
    tags: dict[str, str] = {}
    for pair in text.split(","):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            return None
        tags[key.strip()] = value.strip()
    return tags
