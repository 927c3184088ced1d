import datetime as dt

import msgspec
import pytest

from tollhouse.demo.bodies import compression_ratio
from tollhouse.demo.lean import LEAN_BODY_BYTES, plain_usage
from tollhouse.demo.ledger import Ledger
from tollhouse.demo.traffic import generate
from tollhouse.spool.records import Admit, CallOutcome, SpoolRecord

END = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
CALLS = 2_000


@pytest.fixture(scope="module")
def records() -> list[SpoolRecord]:
    drawn = generate(calls=CALLS, days=1, seed=3, end=END, workers=2, body_bytes=LEAN_BODY_BYTES, is_lean=True)
    return [record for _, record in drawn]


def test_a_lean_log_is_short_and_its_bodies_compress_no_better_than_to_a_quarter(records) -> None:
    assert sum(len(msgspec.json.encode(record)) for record in records) / CALLS < 3_300
    assert compression_ratio(records) > 0.25


def test_a_lean_admit_says_all_that_an_admit_must(records) -> None:
    admit = next(record for record in records if isinstance(record, Admit))
    must = (admit.requester, admit.team, admit.cost_center, admit.endpoint_name, admit.destination, admit.deadline)

    assert all(must)
    assert all((admit.config_hash, admit.request_sha256, admit.request_bytes))
    assert (admit.user_agent, admit.path, admit.session_id) == (None, None, None)


def test_a_lean_outcome_keeps_attempts_bodies_and_path(records) -> None:
    outcome = next(r for r in records if isinstance(r, CallOutcome) and r.outcome == "completed" and r.request_body)

    assert outcome.attempts[0].usage
    assert outcome.request_body
    assert outcome.response_body
    assert outcome.path


def test_tokens_of_a_lean_log_are_counted(records) -> None:
    ledger = Ledger()
    for record in records:
        ledger.add(record)

    assert ledger.calls == CALLS
    assert ledger.tokens.cache_write_5m_input
    assert ledger.tokens.visible_output


def test_details_that_are_all_zero_are_left_out() -> None:
    usage = {
        "prompt_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 0},
        "more": {"reasoning_tokens": 2},
        "zero": 0,
    }

    assert plain_usage(usage) == {"prompt_tokens": 3, "more": {"reasoning_tokens": 2}, "zero": 0}
