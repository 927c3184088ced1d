"""What is known of each kind of provider."""

from collections.abc import Mapping
from typing import NamedTuple

from tollhouse.gateway.configuration.document import ProviderKind
from tollhouse.gateway.wires import Wire

_OPENAI: tuple[Wire, ...] = ("openai_chat", "openai_responses", "openai_embeddings")


class Kind(NamedTuple):
    """``speaks`` is what is taken where the file names no protocols, ``can_speak`` what it may name.

    The credential goes into the header ``credential_header`` after ``credential_prefix``. None for ``base_url``: the
    file has to give one. None for ``prices_as``: the provider's own name.
    """

    base_url: str | None
    speaks: tuple[Wire, ...]
    can_speak: tuple[Wire, ...]
    credential_header: str
    credential_prefix: str
    prices_as: str | None


KINDS: Mapping[ProviderKind, Kind] = {
    "openai": Kind("https://api.openai.com/v1", _OPENAI, _OPENAI, "authorization", "Bearer ", "openai"),
    "anthropic": Kind(
        "https://api.anthropic.com/v1",
        ("anthropic_messages",),
        ("anthropic_messages",),
        "x-api-key",
        "",
        "anthropic",
    ),
    "gemini": Kind(
        "https://generativelanguage.googleapis.com/v1beta", ("gemini",), ("gemini",), "x-goog-api-key", "", "google"
    ),
    "azure_openai": Kind(None, _OPENAI, _OPENAI, "api-key", "", "azure"),
    "openai_compatible": Kind(
        None,
        ("openai_chat", "openai_embeddings"),
        (*_OPENAI, "anthropic_messages"),
        "authorization",
        "Bearer ",
        None,
    ),
}
