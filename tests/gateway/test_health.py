from pathlib import Path

import pytest
from configured import with_endpoints

from tollhouse.gateway.configuration.endpoint import Target
from tollhouse.gateway.health import Health, TargetHealth


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def target_of(folder: Path, cooldown: str = "{failures: 3, seconds: 30}") -> Target:
    text = f"e: {{destinations: [{{provider: p, model: a}}], cooldown: {cooldown}}}"
    return with_endpoints(folder, text).endpoints["e"].primaries[0]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return target_of(tmp_path)


def fail(health: Health, target: Target, times: int) -> None:
    for _ in range(times):
        health.failed(target)


def test_so_many_failures_in_a_row_cool_a_destination(target: Target, clock: Clock) -> None:
    health = Health(clock)
    fail(health, target, 2)
    assert not health.is_cooling(target)
    fail(health, target, 1)
    assert health.is_cooling(target)
    clock.now += 29.9
    assert health.is_cooling(target)
    clock.now += 0.1
    assert not health.is_cooling(target)


def test_a_success_between_them_starts_the_count_anew(target: Target, clock: Clock) -> None:
    health = Health(clock)
    fail(health, target, 2)
    health.succeeded(target)
    fail(health, target, 2)

    assert not health.is_cooling(target)


def test_a_success_ends_a_cooldown(target: Target, clock: Clock) -> None:
    health = Health(clock)
    fail(health, target, 3)
    health.succeeded(target)

    assert not health.is_cooling(target)
    assert health.snapshot() == []


def test_after_a_cooldown_one_failure_is_enough(target: Target, clock: Clock) -> None:
    health = Health(clock)
    fail(health, target, 3)
    clock.now += 30
    fail(health, target, 1)

    assert health.is_cooling(target)


def test_a_retry_after_cools_at_once_for_as_long_as_it_says(target: Target, clock: Clock) -> None:
    health = Health(clock)
    health.failed(target, 7.5)
    assert health.is_cooling(target)
    clock.now += 7.5
    assert not health.is_cooling(target)


def test_a_retry_after_of_nothing_is_a_failure_like_others(target: Target, clock: Clock) -> None:
    health = Health(clock)
    health.failed(target, 0)

    assert not health.is_cooling(target)
    assert health.snapshot() == [TargetHealth("e/p-a", 1, 0.0)]


def test_a_retry_after_is_believed_for_five_minutes(target: Target, clock: Clock) -> None:
    health = Health(clock)
    health.failed(target, 1e12)

    assert health.snapshot() == [TargetHealth("e/p-a", 1, 300.0)]


def test_a_shorter_word_does_not_cut_a_cooldown(target: Target, clock: Clock) -> None:
    health = Health(clock)
    health.failed(target, 60)
    health.failed(target, 1)

    assert health.snapshot() == [TargetHealth("e/p-a", 2, 60.0)]


def test_a_cooldown_of_no_seconds_never_happens(tmp_path: Path, clock: Clock) -> None:
    target = target_of(tmp_path, "{seconds: 0}")
    health = Health(clock)
    fail(health, target, 9)
    health.failed(target, 60)

    assert not health.is_cooling(target)


def test_one_failure_can_be_enough(tmp_path: Path, clock: Clock) -> None:
    target = target_of(tmp_path, "{failures: 1, seconds: 5}")
    health = Health(clock)
    fail(health, target, 1)

    assert health.is_cooling(target)


def test_a_reload_keeps_what_is_known_of_a_destination(tmp_path: Path, target: Target, clock: Clock) -> None:
    health = Health(clock)
    fail(health, target, 3)
    again = target_of(tmp_path)
    health.keep_only([again])

    assert again is not target
    assert health.is_cooling(again)


def test_what_a_configuration_has_no_more_is_forgotten(target: Target, clock: Clock) -> None:
    health = Health(clock)
    fail(health, target, 3)
    health.keep_only([])

    assert health.snapshot() == []
    assert not health.is_cooling(target)


def test_the_real_clock_runs(target: Target) -> None:
    health = Health()
    health.failed(target, 60)

    assert health.is_cooling(target)
