"""What the generator wrote, counted while it wrote: the truth that the lake is compared with."""

from collections import Counter, deque
from dataclasses import dataclass, field

from tollhouse.demo.usage import Tokens, tokens_of, usage_source
from tollhouse.spool.records import Admit, Attempt, CallOutcome, Event, SpoolRecord

SAMPLE_EVERY = 20
SAMPLE_SIZE = 500


@dataclass
class Ledger:
    """Counts over a log.

    ``outcomes`` and ``records`` count by outcome and record kind, ``verdicts`` by guardrail and verdict. ``tokens``
    sums the buckets of each call's last attempt (as silver.invocations), ``attempt_tokens`` those of all attempts (as
    gold.costs), ``tokens_by_team`` input and output of the last attempt; ``usage_sources`` counts ended calls by where
    their counts come from. ``open_calls`` are the calls without an outcome, ``sample`` is every twentieth of the last
    outcomes.
    """

    outcomes: Counter[str] = field(default_factory=Counter[str])
    records: Counter[str] = field(default_factory=Counter[str])
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    usage_sources: Counter[str] = field(default_factory=Counter[str])
    calls_by_team: Counter[str] = field(default_factory=Counter[str])
    tokens_by_team: Counter[str] = field(default_factory=Counter[str])
    attempts: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    attempt_tokens: Tokens = field(default_factory=Tokens)
    open_calls: dict[str, Admit] = field(default_factory=dict[str, Admit])
    sample: deque[CallOutcome] = field(default_factory=lambda: deque[CallOutcome](maxlen=SAMPLE_SIZE))

    @property
    def calls(self) -> int:
        """Calls in all: with an outcome and without."""
        return self.outcomes.total() + len(self.open_calls)

    @property
    def in_doubt(self) -> frozenset[str]:
        """Ids of the calls that were admitted and never ended."""
        return frozenset(self.open_calls)

    def add(self, record: SpoolRecord) -> None:
        """Count one record. A call's OUTCOME must be given once only."""
        self.records[str(type(record).__struct_config__.tag)] += 1
        if isinstance(record, CallOutcome):
            self._add_outcome(record)
        elif isinstance(record, Admit):
            self.open_calls[record.invocation_id] = record
        elif isinstance(record, Event) and record.guardrail:
            self.verdicts[record.guardrail.guardrail_name, record.guardrail.verdict] += 1

    def _add_outcome(self, record: CallOutcome) -> None:
        self.open_calls.pop(record.invocation_id, None)
        self.outcomes[record.outcome] += 1
        team = record.team or "unattributed"
        self.calls_by_team[team] += 1
        if record.attempts:
            last = self._add_attempts(record.attempts)
            self.tokens_by_team[team] += last.input + last.output
        self.usage_sources[usage_source(record.attempts[-1]) if record.attempts else "none"] += 1
        if self.outcomes.total() % SAMPLE_EVERY == 0:
            self.sample.append(record)

    def _add_attempts(self, attempts: list[Attempt]) -> Tokens:
        """Count ``attempts``; the tokens of the last one."""
        self.attempts += len(attempts)
        tokens = Tokens()
        for attempt in attempts:
            tokens = tokens_of(attempt)
            self.attempt_tokens = self.attempt_tokens.plus(tokens)
        self.tokens = self.tokens.plus(tokens)
        return tokens
