"""A provider as a call needs it: its URLs, its credential, its protocols."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tollhouse.gateway.configuration import document as written
from tollhouse.gateway.configuration.kinds import KINDS
from tollhouse.gateway.configuration.paths import Template, filled, passed_query, templates
from tollhouse.gateway.configuration.secret_sources import header_value
from tollhouse.gateway.wires import GenerativeWire, Operation, StreamStyle, Wire

_GENERATIVE: Mapping[Wire, GenerativeWire] = {
    "openai_chat": "openai_chat",
    "openai_responses": "openai_responses",
    "anthropic_messages": "anthropic_messages",
    "gemini": "gemini",
}


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """``translated_wire`` is the protocol of calls that are translated, None for a provider of embeddings alone.

    ``credential_header`` is a name and the whole value, None where the provider is asked without.
    """

    name: str
    kind: written.ProviderKind
    base_url: str
    wires: tuple[Wire, ...]
    translated_wire: GenerativeWire | None
    credential_header: tuple[str, str] | None = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    prices_as: str
    api_version: str | None
    _templates: Mapping[tuple[Wire, str], Template] = field(repr=False)

    def speaks(self, wire: Wire, operation: Operation) -> bool:
        """Whether a call of that protocol can go to it as it came."""
        return (wire, operation) in self._templates

    def url(
        self,
        wire: Wire,
        operation: Operation,
        subject: str = "",
        *,
        is_stream: bool = False,
        style: StreamStyle = "sse",
        is_batch: bool = False,
        query: str = "",
    ) -> str:
        """The URL of a call; whatever ``subject`` holds, host and path stay what the operation says.

        ``subject``: the model (generate, embed, count_tokens, show_model) or the id of a stored response.
        ``is_batch``: Gemini's batchEmbedContents. ``query``: the client's, still percent-encoded, without "?"; what
        would carry a credential or change the answer's format is left out of it.
        Raises KeyError for an operation that ``speaks`` denies.
        """
        verb = operation
        if wire == "gemini":
            verb = "stream" if is_stream and operation == "generate" else "embed_batch" if is_batch else operation
        template = self._templates[wire, verb]
        asked = passed_query(query) if query else ""
        if verb == "stream" and style == "sse":
            asked = f"{asked}&alt=sse" if asked else "alt=sse"
        return filled(template, subject, asked)


def compile_provider(name: str, provider: written.Provider, credential: bytes | None) -> Provider:
    """``provider`` with the defaults of its kind; ``credential`` is checked to be fit for a header."""
    kind = KINDS[provider.kind]
    base_url = (provider.base_url or kind.base_url or "").rstrip("/")
    wires = tuple(dict.fromkeys(provider.protocols or kind.speaks))
    value = None if credential is None else header_value(credential)
    return Provider(
        name=name,
        kind=provider.kind,
        base_url=base_url,
        wires=wires,
        translated_wire=next((_GENERATIVE[wire] for wire in wires if wire in _GENERATIVE), None),
        credential_header=None if value is None else (kind.credential_header, kind.credential_prefix + value),
        headers=tuple((header.lower(), value) for header, value in provider.headers.items()),
        prices_as=provider.prices_as or kind.prices_as or name,
        api_version=provider.api_version,
        _templates=templates(provider.kind, base_url, wires, provider.api_version),
    )
