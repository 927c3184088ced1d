"""A small call in every protocol, how errors look there, and what a row says in one line."""

import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from running_gateway import Answer, RunningGateway
from simulated_server import SimulatedServer

MODELS = {
    "openai_chat": "gpt-5.5",
    "openai_responses": "resp-5.5",
    "anthropic_messages": "claude-sonnet-5",
    "gemini": "gemini-3.1-pro",
    "embeddings": "text-embedding-3-small",
}
PROVIDERS = {
    "openai_chat": "openai",
    "openai_responses": "responses",
    "anthropic_messages": "anthropic",
    "gemini": "gemini",
    "embeddings": "openai",
}
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "embeddings": "/v1/embeddings",
}
HELLO = [{"role": "user", "content": "hello"}]


class Spoken(NamedTuple):
    """What the caller speaks and what its model's provider does; they differ where the call is translated."""

    caller: str
    provider: str

    @classmethod
    def of(cls, text: str) -> "Spoken":
        caller, _, provider = text.partition(" to ")
        return cls(caller, provider or caller)

    def model(self, prefix: str = "") -> str:
        """A model that the endpoint of that prefix serves by this provider."""
        return prefix + MODELS[self.provider]


def path_of(wire: str, model: str, *, is_stream: bool = False, is_array: bool = False) -> str:
    """Where a call in this protocol goes."""
    if wire != "gemini":
        return PATHS[wire]
    verb = "streamGenerateContent" if is_stream else "generateContent"
    return f"/v1beta/models/{model}:{verb}" + ("?alt=sse" if is_stream and not is_array else "")


def body_of(wire: str, model: str, *, is_stream: bool = False) -> dict[str, Any]:
    """The smallest body of a call in this protocol."""
    if wire == "gemini":
        return {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    if wire == "embeddings":
        return {"model": model, "input": "hello"}
    body: dict[str, Any] = {"model": model, **({"stream": True} if is_stream else {})}
    if wire == "openai_responses":
        return {**body, "input": "hello"}
    return {**body, **({"max_tokens": 100} if wire == "anthropic_messages" else {}), "messages": HELLO}


def error_words(wire: str, error: Any) -> str:
    """An error in one protocol's shape as the words that say which one: OpenAI's type and code, others' type."""
    if wire == "anthropic_messages":
        assert error["type"] == "error"
        assert error["error"]["message"]
        return error["error"]["type"]
    if wire == "openai_responses" and error.get("type") == "error":
        assert set(error) == {"type", "code", "message", "param", "sequence_number"}
        return f"error {error['code']}"
    if wire == "openai_responses" and error.get("type") == "response.failed":
        return f"response.failed {error['response']['error']['code']}"
    inner = error["error"]
    assert inner["message"]
    if wire == "gemini":
        assert isinstance(inner["code"], int)
        return inner["status"]
    assert set(inner) == {"message", "type", "param", "code"}
    return f"{inner['type']} {inner['code']}"


def stream_events(body: bytes) -> list[Any]:
    """The JSON of each event of a stream, SSE or JSON array; what is not JSON is left out."""
    if body.lstrip().startswith(b"["):
        return json.loads(body)
    found: list[Any] = []
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n")[:-1]:
        data = b"".join(line[6:] for line in block.split(b"\n") if line.startswith(b"data: "))
        with suppress(ValueError):
            found.append(json.loads(data))
    return found


def usage_source(row: Mapping[str, Any]) -> str:
    """Where the last attempt's token counts are from: provider, partial, estimated, none."""
    attempts = row.get("attempts") or [{}]
    if "usage" in attempts[-1]:
        return "partial" if attempts[-1].get("is_usage_partial") else "provider"
    return "estimated" if "estimated_input_tokens" in attempts[-1] else "none"


def row_words(row: Mapping[str, Any]) -> str:
    """Outcome, status, error code, payload state and usage source of a row, as the table of docs/errors.md has them."""
    state = row.get("payload_state", "logged")
    return f"{row['outcome']} {row['status_code']} {row.get('error_code', '-')} {state} {usage_source(row)}"


class Bench:
    """A gateway and its upstream for one case after the other; every call has an id of its own."""

    def __init__(self, gateway: RunningGateway, simulated: SimulatedServer) -> None:
        self.gateway = gateway
        self.simulated = simulated
        self.request_id = ""
        self.request_ids: list[str] = []
        self.keys: dict[str, str] = {}

    def headers(self, wire: str) -> dict[str, str]:
        """What a call of this protocol sends, its key apart; the call gets a new id."""
        self.request_id = str(uuid.uuid4())
        self.request_ids.append(self.request_id)
        version = {"anthropic-version": "2023-06-01"} if wire == "anthropic_messages" else {}
        return {"x-request-id": self.request_id, **version}

    def ask(
        self,
        spoken: Spoken,
        *,
        stream: bool = False,
        prefix: str = "",
        model: str | None = None,
        raw: bytes | None = None,
        changes: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Answer:
        """One call; ``raw`` stands in the place of its body, ``changes`` are members of it."""
        named = model or spoken.model(prefix)
        body = {**body_of(spoken.caller, named, is_stream=stream), **(changes or {})}
        return self.gateway.call(
            path_of(spoken.caller, named, is_stream=stream),
            body if raw is None else raw,
            headers={**self.headers(spoken.caller), **(headers or {})},
            key=key,
        )

    def row(self) -> dict[str, Any]:
        """The one row of the newest call, waited for."""
        self.gateway.await_effect(lambda: bool(self.rows()), "the call's row")
        rows = self.rows()
        assert len(rows) == 1
        return rows[0]

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the newest call so far."""
        return [row for row in self.gateway.records("OUTCOME", self.request_id) if row["request_id"] == self.request_id]


class Seen(NamedTuple):
    """What the client got, None where it had left; ``provider_body``: what it should be where that passes unchanged."""

    answer: Answer | None
    provider_body: bytes | None = None
