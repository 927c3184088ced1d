"""What guardrails say about the demo's calls: EVENT records apart from the calls' own."""

from dataclasses import dataclass
from typing import Literal

from tollhouse.demo.calls import Call
from tollhouse.demo.dice import Dice
from tollhouse.demo.moments import rfc3339
from tollhouse.ids import uuid7
from tollhouse.spool.records import Event, GuardrailVerdict

CHECKED_SHARE = 0.10
Verdict = Literal["pass", "flag", "mask", "block"]


@dataclass(frozen=True)
class Guardrail:
    """A guardrail, and what it says when it hits."""

    name: str
    phase: Literal["input", "output"]
    mode: Literal["enforce", "shadow"]
    hit: Verdict
    category: str
    hit_share: float
    entity: str | None = None


GUARDRAILS = (
    Guardrail("pii", "input", "enforce", "mask", "personal_data", 0.20, "EMAIL_ADDRESS"),
    Guardrail("prompt-injection", "input", "shadow", "flag", "jailbreak", 0.08),
    Guardrail("toxicity", "output", "shadow", "flag", "harassment", 0.04),
    Guardrail("secrets", "output", "enforce", "mask", "credential", 0.06, "API_KEY"),
)
BLOCKERS = {
    "input": Guardrail("prompt-injection", "input", "enforce", "block", "jailbreak", 1.0),
    "output": Guardrail("toxicity", "output", "enforce", "block", "violence", 1.0),
}


def background(call: Call, end_us: int, rng: Dice) -> list[tuple[int, Event]]:
    """The verdict of one guardrail on a sample of calls, input checks at the call's start, output checks at its end."""
    if rng.random() >= CHECKED_SHARE:
        return []
    rail = rng.choice(GUARDRAILS)
    verdict = rail.hit if rng.random() < rail.hit_share else "pass"
    at = call.us + 500 if rail.phase == "input" else end_us
    return [(at, _event(call, at, rail, verdict, rng))]


def blocking(call: Call, end_us: int, phase: Literal["input", "output"], rng: Dice) -> list[tuple[int, Event]]:
    """The verdict that blocked ``call``."""
    return [(end_us, _event(call, end_us, BLOCKERS[phase], "block", rng))]


def _event(call: Call, at: int, rail: Guardrail, verdict: Verdict, rng: Dice) -> Event:
    is_hit = verdict != "pass"
    said = GuardrailVerdict(
        guardrail_name=rail.name,
        phase=rail.phase,
        mode=rail.mode,
        verdict=verdict,
        category=rail.category if is_hit else None,
        score=round(rng.uniform(0.7, 1.0) if is_hit else rng.uniform(0.0, 0.4), 3),
        entity_counts={rail.entity: rng.randrange(1, 4)} if rail.entity and is_hit else {},
        latency_ms=1 + int(rng.expovariate(0.05)),
    )
    return Event(
        recorded_at=rfc3339(at),
        event_id=uuid7(at // 1000, rng.getrandbits(74)),
        event_type="guardrail",
        event_time=rfc3339(at),
        invocation_id=call.invocation_id,
        guardrail=said,
    )
