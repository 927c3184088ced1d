"""The programs that call: their user agents, the endpoints they prefer and how they behave."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Client:
    """A program; ``endpoints`` are weighted, ``stream_share`` is the share of calls that it streams."""

    kind: str
    user_agent: str
    endpoints: dict[str, int]
    stream_share: float
    is_agent: bool = False
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


CLIENTS = {
    client.kind: client
    for client in (
        Client(
            "claude-code",
            "claude-cli/2.1.197 (external, sdk-cli)",
            {"claude-sonnet": 6, "claude-opus": 2, "claude-haiku": 2},
            1.0,
            is_agent=True,
        ),
        Client(
            "codex",
            "codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)",
            {"gpt-6.1-sol": 4, "gpt-5.5-responses": 1},
            1.0,
            is_agent=True,
        ),
        Client(
            "gemini-cli",
            "GeminiCLI-tui/0.61.0/gemini-3.1-pro-preview (linux; x64; terminal)",
            {"gemini-pro": 3, "gemini-flash": 2},
            0.7,
            is_agent=True,
        ),
        Client("cursor", "Cursor/2.4", {"gpt-5.5": 4, "ledger-coder": 1}, 1.0, is_agent=True),
        Client(
            "chat-ui",
            "meridian-chat/4.2",
            {"gpt-5-mini": 5, "claude-haiku": 3, "gemini-flash": 2},
            0.9,
            tags={"app": ("chat",), "locale": ("en", "de", "fr", "sv")},
        ),
        Client(
            "python-sdk",
            "OpenAI/Python 3.54.0",
            {"gpt-5-mini": 4, "embeddings-small": 3, "llama-70b": 2, "ledger-coder": 1},
            0.2,
            tags={"app": ("batch-labelling", "notebook", "nightly-eval"), "env": ("prod", "dev")},
        ),
        Client(
            "node-sdk",
            "OpenAI/JS 5.23.2",
            {"gpt-5-mini": 4, "claude-haiku": 2, "gemini-flash": 2},
            0.5,
            tags={"app": ("storefront", "newsletter", "dunning"), "env": ("prod", "staging")},
        ),
    )
}
SERVICE_CLIENTS = ("python-sdk", "node-sdk")
