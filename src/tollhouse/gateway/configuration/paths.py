"""Where each operation is at each kind of provider."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote_plus

from tollhouse.gateway.configuration.document import ProviderKind
from tollhouse.gateway.wires import Wire

_STORED = "/responses/{}"
_LISTS = {"list_models": "/models", "show_model": "/models/{}"}
_PATHS: Mapping[Wire, Mapping[str, str]] = {
    "openai_chat": {"generate": "/chat/completions", **_LISTS},
    "openai_responses": {
        "generate": "/responses",
        "get_response": _STORED,
        "delete_response": _STORED,
        "cancel_response": f"{_STORED}/cancel",
        "list_input_items": f"{_STORED}/input_items",
        **_LISTS,
    },
    "openai_embeddings": {"embed": "/embeddings", **_LISTS},
    "anthropic_messages": {"generate": "/messages", "count_tokens": "/messages/count_tokens", **_LISTS},
    "gemini": {
        "generate": "/models/{}:generateContent",
        "stream": "/models/{}:streamGenerateContent",
        "count_tokens": "/models/{}:countTokens",
        "embed": "/models/{}:embedContent",
        "embed_batch": "/models/{}:batchEmbedContents",
        **_LISTS,
    },
}
_IN_DEPLOYMENTS = ("/chat/completions", "/embeddings")
# Credentials in the query, and what makes Google answer in another format than the gateway reads.
_NEVER_PASSED = frozenset(
    {"key", "api_key", "access_token", "oauth_token", "alt", "callback", "upload_protocol", "uploadtype", "api-version"}
)
# A segment of dots alone would climb, encoded once too (the URL standard reads %2e as a dot): nobody has such a name.
_DOTS = {".": "%252E", "..": "%252E%252E"}


class Template(NamedTuple):
    """A URL before and after its one gap, and the query that it always has. ``after`` None: there is no gap."""

    before: str
    after: str | None
    query: str


def templates(
    kind: ProviderKind, base_url: str, wires: Sequence[Wire], api_version: str | None
) -> dict[tuple[Wire, str], Template]:
    """The URLs of all that a provider offers, by protocol and operation; Gemini has two verbs more."""
    found: dict[tuple[Wire, str], Template] = {}
    query = f"api-version={quote(api_version, safe='')}" if api_version else ""
    for wire in wires:
        for verb, path in _PATHS[wire].items():
            placed = _azure(path, api_version) if kind == "azure_openai" else path
            before, gap, after = placed.partition("{}")
            found[wire, verb] = Template(base_url + before, after if gap else None, query)
    return found


def _azure(path: str, api_version: str | None) -> str:
    if api_version is None:
        return f"/openai/v1{path}"
    return f"/openai/deployments/{{}}{path}" if path in _IN_DEPLOYMENTS else f"/openai{path}"


def filled(template: Template, subject: str, query: str) -> str:
    """The whole URL. ``subject`` becomes one segment of the path, or a part of one, whatever it holds."""
    before, after, own = template
    url = before if after is None else before + _segment(subject) + after
    if own and query:
        return f"{url}?{own}&{query}"
    return f"{url}?{own or query}" if own or query else url


def _segment(subject: str) -> str:
    return _DOTS.get(subject) or quote(subject, safe="", errors="replace") or "%20"


def passed_query(query: str) -> str:
    """A client's query without what may not pass; characters that no query may hold are percent-encoded."""
    kept = [part for part in query.split("&") if part and not _is_kept_back(part)]
    return quote("&".join(kept), safe="!$'()*+,;:@/?&=%-._~", errors="replace")


def _is_kept_back(part: str) -> bool:
    return unquote_plus(part.partition("=")[0]).strip().lower().lstrip("$.") in _NEVER_PASSED
