import datetime as dt
import os
from pathlib import Path

import pytest

from tollhouse.orchestration.arrivals import Seen, look
from tollhouse.settings import Settings, SourceSettings

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "logs").mkdir()
    return Settings(root=str(tmp_path), sources=[SourceSettings(name="proxy", format="litellm", path="logs")])


def put(path: Path, content: str = "{}", *, at: dt.datetime = NOW - dt.timedelta(hours=1)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (at.timestamp(), at.timestamp()))


def minutes(count: float) -> dt.datetime:
    return NOW - dt.timedelta(minutes=count)


def log(settings: Settings, name: str) -> Path:
    return settings.path("logs") / name


def segment(settings: Settings, number: int, *, is_open: bool = False) -> Path:
    return settings.spool_dir / "slot-0" / f"{number:012}{'.open' if is_open else ''}.jsonl"


def test_a_sealed_segment_is_news_once(settings: Settings) -> None:
    put(segment(settings, 1))
    first = look(settings, Seen(), NOW)
    second = look(settings, first.seen, NOW)
    put(segment(settings, 2))
    third = look(settings, second.seen, NOW)

    assert (first.new, second.new, third.new) == (["spool slot-0"], [], ["spool slot-0"])


def test_a_segment_that_is_being_written_is_no_news(settings: Settings) -> None:
    put(segment(settings, 1, is_open=True), at=NOW)

    assert look(settings, Seen(), NOW).new == []


def test_a_segment_that_its_writer_left_open_is_news_once_and_no_more_when_it_is_sealed(settings: Settings) -> None:
    put(segment(settings, 1, is_open=True), at=minutes(2))
    left = look(settings, Seen(), NOW)
    segment(settings, 1, is_open=True).rename(segment(settings, 1))
    sealed = look(settings, left.seen, NOW)

    assert (left.new, sealed.new) == (["spool slot-0"], [])


def test_segments_deleted_after_their_commit_are_no_news(settings: Settings) -> None:
    put(segment(settings, 1))
    put(segment(settings, 2))
    seen = look(settings, Seen(), NOW).seen
    segment(settings, 1).unlink()

    assert look(settings, seen, NOW).new == []


def test_a_file_waits_until_it_has_rested_for_a_minute(settings: Settings) -> None:
    put(log(settings, "a.jsonl"), at=minutes(0.5))
    early = look(settings, Seen(), NOW)
    late = look(settings, early.seen, NOW + dt.timedelta(minutes=1))

    assert (early.new, late.new) == ([], ["source proxy"])


def test_a_file_that_grows_is_news_when_it_rests_again_and_only_then(settings: Settings) -> None:
    put(log(settings, "a.jsonl"), at=minutes(10))
    put(log(settings, "b.jsonl"), at=minutes(9))
    seen = look(settings, Seen(), NOW).seen
    put(log(settings, "a.jsonl"), "{}\n{}", at=minutes(0.1))
    growing = look(settings, seen, NOW)
    rested = look(settings, growing.seen, NOW + dt.timedelta(minutes=2))

    assert (growing.new, rested.new) == ([], ["source proxy"])


def test_a_file_that_was_copied_with_its_old_time_is_news(settings: Settings) -> None:
    put(log(settings, "new.jsonl"), at=minutes(10))
    seen = look(settings, Seen(), NOW).seen
    put(log(settings, "old.jsonl"), at=NOW - dt.timedelta(days=400))

    assert look(settings, seen, NOW).new == ["source proxy"]


def test_a_file_rewritten_with_its_old_time_is_news(settings: Settings) -> None:
    put(log(settings, "a.jsonl"), at=minutes(10))
    seen = look(settings, Seen(), NOW).seen
    put(log(settings, "a.jsonl"), "{}\n{}", at=minutes(10))

    assert look(settings, seen, NOW).new == ["source proxy"]


def test_a_deleted_file_is_no_news(settings: Settings) -> None:
    put(log(settings, "a.jsonl"), at=minutes(10))
    put(log(settings, "b.jsonl"), at=minutes(9))
    seen = look(settings, Seen(), NOW).seen
    log(settings, "b.jsonl").unlink()

    assert look(settings, seen, NOW).new == []


def test_a_source_that_cannot_be_listed_is_a_problem_of_its_own_and_keeps_its_mark(settings: Settings) -> None:
    put(segment(settings, 1))
    put(log(settings, "a.jsonl"))
    seen = look(settings, Seen(), NOW).seen
    settings.path("logs").rename(settings.path("away"))
    put(segment(settings, 2))
    found = look(settings, seen, NOW)

    assert found.new == ["spool slot-0"]
    assert [problem.split(":")[0] for problem in found.problems] == ["source proxy"]
    assert found.seen.sources == seen.sources


def test_the_cursor_does_not_grow_with_the_number_of_files(settings: Settings) -> None:
    put(log(settings, "0.json"))
    small = look(settings, Seen(), NOW).seen.encode()
    for number in range(1, 200):
        put(log(settings, f"{number}.json"))

    assert len(look(settings, Seen(), NOW).seen.encode()) < len(small) + 10


@pytest.mark.parametrize("cursor", [None, "", "not json", '{"slots": 7}'])
def test_a_cursor_that_says_nothing_counts_as_nothing_seen(cursor: str | None) -> None:
    assert Seen.decode(cursor) == Seen()


def test_a_cursor_comes_back_as_it_was(settings: Settings) -> None:
    put(segment(settings, 3))
    put(log(settings, "a.jsonl"))
    seen = look(settings, Seen(), NOW).seen

    assert Seen.decode(seen.encode()) == seen
