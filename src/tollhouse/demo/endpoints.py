"""What the demo's gateway offers: endpoints, the models behind them and where each falls back to."""

from dataclasses import dataclass, field

from tollhouse.demo import shape
from tollhouse.demo.shape import Lengths
from tollhouse.spool.records import Destination, UsageFormat

HOSTED = "EXTERNAL_FOUNDATION_MODEL"
API_TYPES: dict[UsageFormat, str] = {
    "openai_chat": "openai/v1/chat/completions",
    "openai_responses": "openai/v1/responses",
    "openai_embeddings": "openai/v1/embeddings",
    "anthropic_messages": "anthropic/v1/messages",
    "gemini": "gemini/v1/generateContent",
}
PATHS: dict[UsageFormat, str] = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "openai_embeddings": "/v1/embeddings",
    "anthropic_messages": "/v1/messages",
}


@dataclass(frozen=True)
class Endpoint:
    """A name that clients ask for, the model behind it, its lengths in tokens and its speed."""

    name: str
    wire: UsageFormat
    destination: Destination
    input_lengths: Lengths
    output_lengths: Lengths
    first_byte_ms: int
    tokens_per_second: int
    fallback: str | None = None
    reasoning_share: float = 0.0
    sampling_fraction: float = 1.0
    has_cache: bool = True
    tags: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def api_type(self) -> str:
        """Protocol and operation."""
        return API_TYPES[self.wire]

    def path(self, is_stream: bool) -> str:
        """Path that a client of this protocol posts to."""
        if self.wire == "gemini":
            verb = "streamGenerateContent" if is_stream else "generateContent"
            return f"/v1beta/models/{self.name}:{verb}"
        return PATHS[self.wire]


def _destination(provider: str, model: str) -> Destination:
    return Destination(
        destination_name=f"{provider}-{model.rsplit('/', 1)[-1]}",
        destination_type=HOSTED,
        destination_model=model,
        provider=provider,
    )


_CODE = (shape.CODE_INPUT, shape.CODE_OUTPUT)
_CHAT = (shape.CHAT_INPUT, shape.CHAT_OUTPUT)
_NONE = Lengths((0,) * len(shape.QUANTILES))

ENDPOINTS = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint(
            "claude-sonnet",
            "anthropic_messages",
            _destination("anthropic", "claude-sonnet-5-5"),
            *_CODE,
            first_byte_ms=900,
            tokens_per_second=75,
            fallback="gpt-5.5",
            reasoning_share=0.3,
            tags={"tier": "frontier"},
        ),
        Endpoint(
            "claude-opus",
            "anthropic_messages",
            _destination("anthropic", "claude-opus-5-5"),
            *_CODE,
            first_byte_ms=1500,
            tokens_per_second=45,
            fallback="claude-sonnet",
            reasoning_share=0.5,
            tags={"tier": "frontier"},
        ),
        Endpoint(
            "claude-haiku",
            "anthropic_messages",
            _destination("anthropic", "claude-haiku-5-5"),
            *_CHAT,
            first_byte_ms=420,
            tokens_per_second=140,
        ),
        Endpoint(
            "gpt-6.1-sol",
            "openai_responses",
            _destination("openai", "gpt-6.1-sol"),
            *_CODE,
            first_byte_ms=1100,
            tokens_per_second=90,
            fallback="gpt-5.5-responses",
            reasoning_share=0.7,
            tags={"tier": "frontier"},
        ),
        Endpoint(
            "gpt-5.5-responses",
            "openai_responses",
            _destination("openai", "gpt-5.5"),
            *_CODE,
            first_byte_ms=1000,
            tokens_per_second=80,
            reasoning_share=0.6,
        ),
        Endpoint(
            "gpt-5.5",
            "openai_chat",
            _destination("openai", "gpt-5.5"),
            *_CODE,
            first_byte_ms=1000,
            tokens_per_second=80,
            fallback="gpt-5-mini",
            reasoning_share=0.4,
            tags={"tier": "frontier"},
        ),
        Endpoint(
            "gpt-5-mini",
            "openai_chat",
            _destination("openai", "gpt-5-mini"),
            *_CHAT,
            first_byte_ms=500,
            tokens_per_second=130,
            fallback="llama-70b",
            reasoning_share=0.2,
        ),
        Endpoint(
            "gemini-flash",
            "gemini",
            _destination("google", "gemini-3.8-flash"),
            *_CHAT,
            first_byte_ms=380,
            tokens_per_second=180,
            reasoning_share=0.4,
        ),
        Endpoint(
            "gemini-pro",
            "gemini",
            _destination("google", "gemini-3.1-pro-preview"),
            *_CODE,
            first_byte_ms=1300,
            tokens_per_second=85,
            fallback="gemini-flash",
            reasoning_share=0.8,
            tags={"tier": "frontier"},
        ),
        Endpoint(
            "llama-70b",
            "openai_chat",
            _destination("groq", "llama-3.3-70b-versatile"),
            *_CHAT,
            first_byte_ms=250,
            tokens_per_second=260,
            has_cache=False,
        ),
        Endpoint(
            "ledger-coder",
            "openai_chat",
            _destination("vllm", "meridian-ledger-coder-14b"),
            *_CHAT,
            first_byte_ms=180,
            tokens_per_second=60,
            fallback="gpt-5-mini",
            tags={"hosting": "own"},
        ),
        Endpoint(
            "embeddings-small",
            "openai_embeddings",
            _destination("openai", "text-embedding-3-small"),
            shape.CHAT_INPUT,
            _NONE,
            first_byte_ms=90,
            tokens_per_second=1,
            sampling_fraction=0.5,
            has_cache=False,
        ),
    )
}
