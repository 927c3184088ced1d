"""One call as it is drawn, before it is known how it ends."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from tollhouse.demo.callers import Callers, Session
from tollhouse.demo.clients import CLIENTS, Client
from tollhouse.demo.company import Principal
from tollhouse.demo.dialogue import Dialogue, Speaker
from tollhouse.demo.dice import Dice
from tollhouse.demo.endpoints import ENDPOINTS, Endpoint
from tollhouse.demo.lean import FRAME_BYTES as LEAN_FRAME_BYTES
from tollhouse.demo.lean import simplify
from tollhouse.demo.moments import SECOND, rfc3339
from tollhouse.demo.usage import Tokens
from tollhouse.demo.wires.protocols import WIRES
from tollhouse.ids import uuid7

DEADLINE_US = 600 * SECOND
# What the JSON of both bodies takes besides prose, measured over the demo's mixture.
FRAME_BYTES = {
    "openai_chat": 570,
    "openai_responses": 880,
    "openai_embeddings": 190,
    "anthropic_messages": 900,
    "gemini": 510,
}
SHORTEST_TEXT = 60
SEALED_BYTES = 150
LONGEST_FACTOR = 6.0
MEAN_INPUT = 1_500
MAX_TOKENS = (512, 1024, 4096, 8192, 32_000)


@dataclass(slots=True)
class Call:
    """A drawn call: ``fields`` are those of ``records.Call``, times are in microseconds since 1970."""

    us: int
    worker: int
    fields: dict[str, Any]
    principal: Principal
    client: Client
    endpoint: Endpoint
    tokens: Tokens
    said: Dialogue
    request_body: str
    queue_ms: int
    first_byte_ms: int
    latency_ms: int
    is_lean: bool = False

    @property
    def invocation_id(self) -> str:
        """The call's UUIDv7."""
        return self.fields["invocation_id"]


class Switchboard:
    """Draws calls: caller, endpoint, tokens, words and times. Where ``is_lean``, their log is a plain gateway's."""

    def __init__(
        self, rng: Dice, callers: Callers, workers: int, body_bytes: int, config_hash: str, *, is_lean: bool = False
    ) -> None:
        self.rng = rng
        self.is_lean = is_lean
        self.callers = callers
        self.speaker = Speaker(rng, body_bytes)
        self._workers = workers
        self._config_hash = config_hash
        self._choices = {
            kind: (tuple(ENDPOINTS[name] for name in client.endpoints), tuple(client.endpoints.values()))
            for kind, client in CLIENTS.items()
        }

    def draw(self, us: int) -> Call:
        """The call that arrives at ``us``."""
        rng = self.rng
        principal, client, session = self.callers.draw(us)
        endpoints, weights = self._choices[client.kind]
        endpoint = rng.choices(endpoints, weights)[0]
        tokens = _tokens(endpoint, session, rng)
        is_stream = bool(endpoint.output_lengths.values[-1]) and rng.random() < client.stream_share
        said = self._dialogue(us, endpoint, tokens, session, is_stream)
        body = msgspec.json.encode(WIRES[endpoint.wire].request(said))
        first_byte_ms = int(endpoint.first_byte_ms * rng.lognormvariate(0.0, 0.45)) + tokens.input // 100
        fields = self._identity(us, principal, client, session)
        fields |= self._target(us, endpoint, is_stream, client)
        fields |= {"request_sha256": hashlib.sha256(body).hexdigest(), "request_bytes": len(body)}
        return Call(
            us=us,
            worker=int(rng.random() * self._workers),
            fields=fields,
            principal=principal,
            client=client,
            endpoint=endpoint,
            tokens=tokens,
            said=said,
            request_body=body.decode(),
            queue_ms=1 + int(rng.expovariate(0.3)),
            first_byte_ms=first_byte_ms,
            latency_ms=first_byte_ms + tokens.output * 1000 // endpoint.tokens_per_second,
            is_lean=self.is_lean,
        )

    def _identity(self, us: int, who: Principal, client: Client, session: Session | None) -> dict[str, Any]:
        rng = self.rng
        fields: dict[str, Any] = {
            "invocation_id": uuid7(us // 1000, rng.getrandbits(74)),
            "request_id": f"req_{rng.getrandbits(80):020x}",
            "event_time": rfc3339(us),
            "requester": who.name,
            "requester_type": who.kind,
            "auth_mode": "virtual_key",
            "key_id": who.key_id,
            "team": who.team.name,
            "groups": list(who.groups),
            "cost_center": who.team.cost_center,
            "project": who.team.project,
            "ip_address": who.ip_address,
            "user_agent": client.user_agent,
            "client_kind": client.kind,
        }
        if session:
            fields |= {"session_id": session.session_id, "turn_id": f"turn_{session.turn:03d}"}
        if rng.random() < 0.15:
            fields |= {"trace_id": f"{rng.getrandbits(128):032x}", "span_id": f"{rng.getrandbits(64):016x}"}
        return fields

    def _target(self, us: int, endpoint: Endpoint, is_stream: bool, client: Client) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "service_type": "MODEL_PROVIDER_SERVICE",
            "endpoint_name": endpoint.name,
            "endpoint_tags": endpoint.tags,
            "api_type": endpoint.api_type,
            "method": "POST",
            "path": endpoint.path(is_stream),
            "requested_model": endpoint.name,
            "is_stream": is_stream,
            "deadline": rfc3339(us + DEADLINE_US),
            "config_hash": self._config_hash,
            "destination": endpoint.destination,
        }
        if client.tags:
            fields["request_tags"] = {key: self.rng.choice(values) for key, values in client.tags.items()}
        if is_stream and endpoint.wire == "gemini":
            fields["query"] = "alt=sse"
        if client.kind == "claude-code":
            fields["query"] = "beta=true"
        return fields

    def _dialogue(
        self, us: int, endpoint: Endpoint, tokens: Tokens, session: Session | None, is_stream: bool
    ) -> Dialogue:
        rng, speaker = self.rng, self.speaker
        budget = max(SHORTEST_TEXT, speaker.body_bytes - FRAME_BYTES[endpoint.wire])
        factor = min(LONGEST_FACTOR, 0.35 + 0.65 * tokens.input / MEAN_INPUT) if session is None else 1.0
        is_calling = session is not None and rng.random() < 0.5
        said = Dialogue(
            model=endpoint.name,
            response_model=endpoint.destination.destination_model,
            response_id=f"{rng.getrandbits(96):024x}",
            created=us // SECOND,
            system=speaker.system(),
            turns=speaker.turns(int(budget * 0.55 * factor)),
            answer="",
            finish="tool" if is_calling else ("length" if rng.random() < 0.03 else "stop"),
            is_stream=is_stream,
            max_tokens=rng.choice(MAX_TOKENS),
            called=speaker.tool() if is_calling else None,
            answered=speaker.tool() if session is not None and session.turn > 1 and rng.random() < 0.4 else None,
            user=session.session_id if session else None,
        )
        if tokens.output:
            self._answer(said, tokens, int(budget * 0.45 * factor))
        else:
            said.sealed = speaker.sealed(int(budget * 0.3))
        if self.is_lean:
            simplify(said, speaker, max(SHORTEST_TEXT, speaker.body_bytes - LEAN_FRAME_BYTES))
        return said

    def _answer(self, said: Dialogue, tokens: Tokens, characters: int) -> None:
        if tokens.reasoning_output and self.rng.random() < 0.5:
            said.thinking, said.sealed = self.speaker.text(characters // 3), self.speaker.sealed(SEALED_BYTES)
            characters -= characters // 3
        said.answer = self.speaker.text(characters // 2 if said.called else characters)


def _tokens(endpoint: Endpoint, session: Session | None, rng: Dice) -> Tokens:
    given = max(1, endpoint.input_lengths.draw(rng.random()))
    visible = endpoint.output_lengths.draw(rng.random())
    reasoning = 0
    if rng.random() < endpoint.reasoning_share:
        reasoning = 16 + int(rng.expovariate(1 / 400))
    if session is None:
        is_read = endpoint.has_cache and given > 1024 and rng.random() < 0.4
        read = given // 128 * 128 if is_read else 0
        return Tokens(max(1, given - read), read, 0, 0, visible, reasoning)
    return _session_tokens(endpoint, session, Tokens(given, 0, 0, 0, visible, reasoning), rng)


def _session_tokens(endpoint: Endpoint, session: Session, fresh: Tokens, rng: Dice) -> Tokens:
    """An agent sends its whole conversation each turn: most of it is read from the cache."""
    read, given = session.cached, fresh.uncached_input
    session.cached = min(180_000, read + given + fresh.output)
    if endpoint.wire == "anthropic_messages":
        uncached = 2 + int(rng.random() * 20)
        lives = (0, given) if session.is_long_lived else (given, 0)
        return fresh._replace(
            uncached_input=uncached,
            cache_read_input=read,
            cache_write_5m_input=lives[0],
            cache_write_1h_input=lives[1],
        )
    read = read // 128 * 128
    if endpoint.name == "gpt-6.1-sol" and given > 1024:
        return fresh._replace(
            uncached_input=given % 128 + 1, cache_read_input=read, cache_write_5m_input=given // 128 * 128
        )
    return fresh._replace(cache_read_input=read)
