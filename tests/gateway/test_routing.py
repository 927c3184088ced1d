import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from configured import with_endpoints

from tollhouse.gateway.configuration.endpoint import Endpoint
from tollhouse.gateway.health import Health
from tollhouse.gateway.routing import plan

DICE = random.Random(7)
WEIGHTED = """\
    e:
      destinations:
        - {provider: p, model: a, weight: 3}
        - {provider: p, model: b}
        - {provider: q, model: c, weight: 0.5}
      fallbacks: [{provider: q, model: d}, {provider: p, model: b}]
"""
SESSIONS = [f"session-{number}" for number in range(4000)]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def endpoint_of(folder: Path, text: str) -> Endpoint:
    return with_endpoints(folder, text).endpoints["e"]


def first(endpoint: Endpoint, key: str | None, health: Health) -> str:
    return plan(endpoint, key, health, DICE)[0].name


@pytest.fixture
def weighted(tmp_path: Path) -> Endpoint:
    return endpoint_of(tmp_path, WEIGHTED)


def names(endpoint: Endpoint, key: str | None, health: Health) -> list[str]:
    return [target.name for target in plan(endpoint, key, health, DICE)]


def test_one_destination_and_then_the_fallbacks_in_order(weighted: Endpoint) -> None:
    plans = {tuple(names(weighted, None, Health())) for _ in range(200)}

    assert plans == {("p-a", "q-d", "p-b"), ("p-b", "q-d"), ("q-c", "q-d", "p-b")}


def test_a_session_keeps_its_destination(weighted: Endpoint) -> None:
    for session in SESSIONS[:50]:
        assert len({first(weighted, session, Health()) for _ in range(20)}) == 1


def test_without_affinity_or_a_session_it_is_by_chance(tmp_path: Path, weighted: Endpoint) -> None:
    loose = endpoint_of(tmp_path, WEIGHTED + "      affinity: none\n")

    assert len({first(loose, "session", Health()) for _ in range(200)}) == 3
    assert len({first(weighted, None, Health()) for _ in range(200)}) == 3
    assert len({first(weighted, "", Health()) for _ in range(200)}) == 3


@pytest.mark.parametrize("is_by_session", [True, False])
def test_destinations_share_the_calls_by_weight(weighted: Endpoint, is_by_session: bool) -> None:
    chosen = Counter(first(weighted, session if is_by_session else None, Health()) for session in SESSIONS)

    # Six standard deviations of a share of 4000 calls are below 0.05.
    assert chosen["p-a"] / len(SESSIONS) == pytest.approx(3 / 4.5, abs=0.05)
    assert chosen["p-b"] / len(SESSIONS) == pytest.approx(1 / 4.5, abs=0.05)
    assert chosen["q-c"] / len(SESSIONS) == pytest.approx(0.5 / 4.5, abs=0.05)


def test_only_the_sessions_of_a_destination_that_drops_out_move(weighted: Endpoint) -> None:
    clock = Clock()
    health = Health(clock)
    before = {session: first(weighted, session, health) for session in SESSIONS}
    health.failed(weighted.primaries[0], retry_after_seconds=60)
    during = {session: first(weighted, session, health) for session in SESSIONS}
    clock.now += 60
    after = {session: first(weighted, session, health) for session in SESSIONS}

    assert "p-a" not in during.values()
    assert [session for session in SESSIONS if before[session] != "p-a" and during[session] != before[session]] == []
    assert Counter(during[session] for session in SESSIONS if before[session] == "p-a").keys() == {"p-b", "q-c"}
    assert after == before


def test_a_heavier_destination_takes_sessions_and_gives_none(tmp_path: Path, weighted: Endpoint) -> None:
    heavier = endpoint_of(tmp_path, WEIGHTED.replace("weight: 3", "weight: 5"))
    moved = {
        (first(weighted, session, Health()), first(heavier, session, Health()))
        for session in SESSIONS
        if first(weighted, session, Health()) != first(heavier, session, Health())
    }

    assert moved == {("p-b", "p-a"), ("q-c", "p-a")}


def test_every_process_chooses_the_same(tmp_path: Path, weighted: Endpoint) -> None:
    code = """if True:
        import random, sys
        from tollhouse.gateway.configuration.loading import load_configuration
        from tollhouse.gateway.health import Health
        from tollhouse.gateway.routing import plan
        endpoint = load_configuration(sys.argv[1]).endpoints["e"]
        for number in range(100):
            print(plan(endpoint, f"session-{number}", Health(), random.Random())[0].name)
    """
    command = [sys.executable, "-c", code, str(tmp_path / "tollhouse.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "3"})

    assert done.stdout.split() == [first(weighted, session, Health()) for session in SESSIONS[:100]]


def test_a_session_may_be_any_text(weighted: Endpoint) -> None:
    for session in ("\ud800", "\x00", "é", "x" * 1_000_000):
        assert plan(weighted, session, Health(), DICE)


def test_cooling_destinations_are_left_out_while_another_remains(weighted: Endpoint) -> None:
    health = Health(Clock())
    for target in weighted.primaries[:2]:
        health.failed(target, retry_after_seconds=60)

    assert names(weighted, "session", health) == ["q-c", "q-d"]


def test_only_fallbacks_are_tried_when_all_destinations_cool(weighted: Endpoint) -> None:
    health = Health(Clock())
    for target in weighted.primaries:
        health.failed(target, retry_after_seconds=60)

    assert names(weighted, "session", health) == ["q-d"]


def test_all_are_tried_when_all_cool(weighted: Endpoint) -> None:
    health = Health(Clock())
    warm = names(weighted, "session", health)
    for target in (*weighted.primaries, *weighted.fallbacks):
        health.failed(target, retry_after_seconds=60)

    assert names(weighted, "session", health) == warm


def test_a_single_destination_that_cools_is_tried_all_the_same(tmp_path: Path) -> None:
    single = endpoint_of(tmp_path, "e: {destinations: [{provider: p, model: a}]}")
    health = Health(Clock())
    health.failed(single.primaries[0], retry_after_seconds=60)

    assert names(single, "session", health) == ["p-a"]


def test_a_destination_that_is_also_a_fallback_is_one_and_the_same(weighted: Endpoint) -> None:
    assert weighted.fallbacks[1] is weighted.primaries[1]


def test_a_target_says_what_the_log_says_of_it(tmp_path: Path) -> None:
    endpoint = endpoint_of(tmp_path, "e: {destinations: [{provider: p, model: x/a}, {provider: q}]}")
    known, asked = (target.destination("gpt-5") for target in endpoint.primaries)

    assert (known.destination_name, known.destination_model, known.provider) == ("p-a", "x/a", "p")
    assert (asked.destination_name, asked.destination_model, asked.provider) == ("q-*", "gpt-5", "q")
    assert known.destination_type == asked.destination_type == "EXTERNAL_FOUNDATION_MODEL"
    assert known is endpoint.primaries[0].record
