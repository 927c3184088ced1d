import datetime as dt
import hashlib
from pathlib import Path

import msgspec
import pytest

from tollhouse.demo.ledger import Ledger
from tollhouse.demo.spooling import write_spool
from tollhouse.spool.records import SpoolRecord

END = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def digests(root: Path) -> dict[str, str]:
    paths = sorted(root.rglob("*.jsonl"))
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def recounted(root: Path) -> Ledger:
    """A ledger of what lies on the disk, read by the time of writing."""
    decoder = msgspec.json.Decoder(SpoolRecord)
    lines = [line for path in root.rglob("*.jsonl") for line in path.read_bytes().splitlines()]
    records = [decoder.decode(line) for line in lines if b'"sequence":' in line[:60]]
    ledger = Ledger()
    for record in sorted(records, key=lambda record: record.recorded_at):
        ledger.add(record)
    return ledger


def test_the_ledger_equals_a_recount_of_the_segments(tmp_path: Path) -> None:
    ledger = write_spool(tmp_path, end=END, calls=2_500, days=3, segment_bytes=1_000_000)
    counted = recounted(tmp_path)

    assert ledger.calls == counted.calls == 2_500
    for name in (
        "outcomes",
        "records",
        "verdicts",
        "usage_sources",
        "calls_by_team",
        "tokens_by_team",
        "attempts",
        "tokens",
        "attempt_tokens",
        "in_doubt",
    ):
        assert getattr(ledger, name) == getattr(counted, name), name


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_spool(tmp_path / name, end=END, calls=400, days=2, segment_bytes=300_000)

    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert len(digests(tmp_path / "one")) > 3


@pytest.mark.parametrize("workers", [1, 4])
def test_each_worker_has_its_own_slot(tmp_path: Path, workers: int) -> None:
    write_spool(tmp_path, end=END, calls=50, days=1, workers=workers)

    assert len({path.parent for path in tmp_path.rglob("*.jsonl")}) == workers


def test_a_few_calls_stay_in_doubt(tmp_path: Path) -> None:
    ledger = write_spool(tmp_path, end=END, calls=4_000, days=2)

    assert 0 < len(ledger.in_doubt) < 30
    assert all(admit.deadline for admit in ledger.open_calls.values())
