import datetime as dt
import json
from collections import defaultdict

import msgspec
import pytest

from tollhouse.demo.bodies import compression_ratio
from tollhouse.demo.company import MOVED_TO, MOVING_TEAM, TEAMS
from tollhouse.demo.traffic import generate
from tollhouse.demo.usage import Tokens, tokens_of
from tollhouse.ids import date_of
from tollhouse.spool.records import Admit, AttemptStart, CallOutcome, Config, Event, Identity, SpoolRecord

END = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
CALLS = 6_000


def records_of(calls: int, seed: int = 7, workers: int = 3) -> list[tuple[int, SpoolRecord]]:
    return list(generate(calls=calls, days=14, seed=seed, end=END, workers=workers))


@pytest.fixture(scope="module")
def routed() -> list[tuple[int, SpoolRecord]]:
    return records_of(CALLS)


@pytest.fixture(scope="module")
def outcomes(routed) -> list[CallOutcome]:
    return [record for _, record in routed if isinstance(record, CallOutcome)]


def usage_in(body: str) -> object:
    decoded = json.loads(body)
    return decoded.get("usage", decoded.get("usageMetadata"))


def test_the_same_seed_gives_the_same_records_and_another_one_others() -> None:
    first, again, other = records_of(300), records_of(300), records_of(300, seed=8)

    assert msgspec.json.encode(first) == msgspec.json.encode(again)
    assert msgspec.json.encode(first) != msgspec.json.encode(other)


def test_there_are_exactly_as_many_calls_as_asked_for(routed) -> None:
    ids = {record.invocation_id for _, record in routed if isinstance(record, Admit | CallOutcome)}

    assert len(ids) == CALLS


def test_records_come_in_the_order_of_their_times(routed) -> None:
    times = [record.recorded_at for _, record in routed]

    assert times == sorted(times)


def test_every_record_survives_the_decoder(routed) -> None:
    decoder = msgspec.json.Decoder(SpoolRecord)

    for _, record in routed:
        encoded = msgspec.json.encode(record)
        assert msgspec.json.encode(decoder.decode(encoded)) == encoded


def test_each_worker_begins_with_its_configuration_and_all_of_a_call_is_one_workers(routed) -> None:
    first: dict[int, SpoolRecord] = {}
    workers = defaultdict(set)
    for worker, record in routed:
        first.setdefault(worker, record)
        if isinstance(record, Admit | CallOutcome | Event):
            workers[record.invocation_id].add(worker)

    assert {worker: type(record) for worker, record in first.items()} == {0: Config, 1: Config, 2: Config}
    assert {len(those) for those in workers.values()} == {1}


def test_a_call_that_was_not_rejected_has_one_admit_before_its_outcome(routed) -> None:
    admitted: set[str] = set()
    for _, record in routed:
        if isinstance(record, Admit):
            assert record.invocation_id not in admitted
            admitted.add(record.invocation_id)
        elif isinstance(record, AttemptStart):
            assert record.invocation_id in admitted
        elif isinstance(record, CallOutcome):
            assert (record.invocation_id in admitted) == (record.outcome != "rejected")


def test_an_outcome_says_all_that_its_admit_said(routed) -> None:
    admits = {record.invocation_id: record for _, record in routed if isinstance(record, Admit)}
    for _, record in routed:
        admit = admits.get(record.invocation_id) if isinstance(record, CallOutcome) else None
        if admit:
            names = [name for name in admit.__struct_fields__ if name != "recorded_at"]
            assert [getattr(record, name) for name in names] == [getattr(admit, name) for name in names]


def test_the_id_of_a_call_carries_the_date_of_its_time(outcomes) -> None:
    for record in outcomes:
        assert date_of(record.invocation_id) == dt.datetime.fromisoformat(record.event_time).date()


def test_usage_in_the_body_is_the_usage_of_the_last_attempt(outcomes) -> None:
    formats = set()
    for record in outcomes:
        last = record.attempts[-1] if record.attempts else None
        if not last or not last.usage or not record.response_body or record.error_code == "guardrail_blocked":
            continue
        formats.add(last.usage_format)
        body = last.upstream_response_body or record.response_body
        assert usage_in(body) == json.loads(bytes(last.usage))

    assert formats == {"openai_chat", "openai_responses", "openai_embeddings", "anthropic_messages", "gemini"}


def test_a_translated_answer_has_the_same_tokens_in_the_callers_protocol(outcomes) -> None:
    translated = [record for record in outcomes if record.translation_losses and record.response_body]

    assert translated
    for record in translated:
        usage = usage_in(record.response_body)
        assert record.attempts[-1].upstream_request_body
        assert usage["input_tokens"] + usage["cache_read_input_tokens"] == tokens_of(record.attempts[-1]).input


def test_no_bucket_is_negative(outcomes) -> None:
    for record in outcomes:
        for attempt in record.attempts:
            assert min(tokens_of(attempt)) >= 0


def test_caches_of_both_lives_reasoning_and_reads_occur(outcomes) -> None:
    total = Tokens()
    for record in outcomes:
        for attempt in record.attempts:
            total = total.plus(tokens_of(attempt))

    assert min(total) > 0


def test_every_kind_of_end_occurs(outcomes) -> None:
    assert {record.outcome for record in outcomes} == {"completed", "rejected", "failed", "cancelled", "cut"}
    assert {400, 401, 429, 499, 500, 504, 529} <= {record.status_code for record in outcomes}
    assert {"RETRY", "FALLBACK"} <= {attempt.action for record in outcomes for attempt in record.attempts}
    assert {"logged", "off", "sampled_out", "oversize", "unauthenticated"} == {r.payload_state for r in outcomes}
    assert {"client", "judge", "shadow", "replay", "monitor"} == {record.source for record in outcomes}
    assert any(attempt.is_not_billable for record in outcomes for attempt in record.attempts)
    assert any(record.redaction_count for record in outcomes)
    assert any(record.stream_events for record in outcomes)
    assert any(attempt.usage and len(record.attempts) > 1 for record in outcomes for attempt in record.attempts[:1])


def test_a_caller_without_a_key_leaves_neither_name_nor_body(outcomes) -> None:
    for record in outcomes:
        if record.status_code == 401:
            assert (record.requester, record.team, record.request_body, record.attempts) == (None, None, None, [])


def test_half_way_one_team_moves_to_another_cost_center(routed, outcomes) -> None:
    middle = (END - dt.timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    centers = defaultdict(set)
    for record in outcomes:
        centers[record.team, record.event_time >= middle].add(record.cost_center)
    moved = [record for _, record in routed if isinstance(record, Identity) and record.change == "updated"]

    assert centers[MOVING_TEAM, False] == {"CC-4300"}
    assert centers[MOVING_TEAM, True] == {MOVED_TO}
    assert {(record.valid_from, record.cost_center) for record in moved} == {(middle, MOVED_TO)}


def test_every_caller_has_an_identity_and_all_teams_call(routed, outcomes) -> None:
    known = {record.principal for _, record in routed if isinstance(record, Identity)}

    assert {record.requester for record in outcomes} - {None} <= known
    assert {record.team for record in outcomes} - {None} == {team.name for team in TEAMS}


def test_a_blocked_call_has_the_verdict_that_blocked_it(routed, outcomes) -> None:
    blocked = {record.invocation_id for record in outcomes if record.error_code == "guardrail_blocked"}
    events = [record for _, record in routed if isinstance(record, Event)]

    assert blocked
    assert blocked == {event.invocation_id for event in events if event.guardrail.verdict == "block"}
    assert {event.guardrail.verdict for event in events} == {"pass", "flag", "mask", "block"}


def test_a_derived_call_names_an_earlier_one(outcomes) -> None:
    times = {record.invocation_id: record.event_time for record in outcomes}
    derived = [record for record in outcomes if record.parent_invocation_id]

    assert {record.source for record in derived} == {"judge", "shadow", "replay"}
    assert all(times[record.parent_invocation_id] < record.event_time for record in derived)


def test_bodies_compress_no_better_than_to_a_quarter(outcomes) -> None:
    assert compression_ratio(outcomes) > 0.25


def test_the_mean_size_of_the_bodies_follows_the_knob() -> None:
    def mean(body_bytes: int) -> float:
        drawn = generate(calls=1_500, days=2, seed=1, end=END, workers=1, body_bytes=body_bytes)
        whole = [r for _, r in drawn if isinstance(r, CallOutcome) and r.outcome == "completed" and r.request_body]
        return sum(len(record.request_body) + len(record.response_body) for record in whole) / len(whole)

    assert 1_100 < mean(1_300) < 1_600
    assert 3_300 < mean(4_000) < 4_900
