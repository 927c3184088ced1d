import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tollhouse.spool.reader import list_segments
from tollhouse.spool.records import Event
from tollhouse.spool.schema import line_schema, with_schema
from tollhouse.spool.writer import SpoolWriter

DOCUMENT = Path(__file__).parents[2] / "docs" / "spool-format.md"
OpenWriter = Callable[..., SpoolWriter]
MakeEvent = Callable[[int], Event]


def test_the_documented_schema_is_the_one_of_the_records() -> None:
    document = DOCUMENT.read_text("utf-8")
    if document != with_schema(document):
        pytest.fail(f"the records have changed: run `python -m tollhouse.spool.schema docs/{DOCUMENT.name}`")


def test_every_kind_of_record_has_a_schema_with_its_name() -> None:
    kinds = {definition["properties"]["record"]["enum"][0] for definition in line_schema()["$defs"].values()
             if "record" in definition["properties"]}  # fmt: skip
    assert kinds == {"CONFIG", "IDENTITY", "ADMIT", "ATTEMPT", "OUTCOME", "EVENT", "GAP", "SEGMENT", "SEAL"}


@pytest.fixture
def segment(spool: OpenWriter, event: MakeEvent, tmp_path: Path) -> Path:
    with spool() as writer:
        for number in range(3):
            writer.append(event(number))
    return list_segments(tmp_path / "spool")[0].path


def documented_verifier(segment: Path) -> tuple[int, str]:
    code = re.search(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert code is not None
    done = subprocess.run([sys.executable, "-c", code[1], str(segment)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_documented_verifier_accepts_a_written_segment(segment: Path) -> None:
    assert documented_verifier(segment) == (0, "whole: 3 records\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"event-1", b"event-9", 'damaged line: b\'{"crc32c":'),
        (b"\n", b" ", "damaged line: "),
        (b'"record_count":3', b'"record_count":4', "damaged line: "),
        (None, b"", "not sealed, or not the lines that were sealed"),
    ],
)
def test_the_documented_verifier_refuses_a_damaged_segment(
    segment: Path, old: bytes | None, new: bytes, message: str
) -> None:
    content = segment.read_bytes()
    lines = content.splitlines(keepends=True)
    segment.write_bytes(content.replace(old, new, 1) if old else b"".join([*lines[:2], *lines[3:]]))

    code, told = documented_verifier(segment)
    assert (code, told.startswith(message)) == (1, True), told


def test_an_outsider_reads_a_line_as_plain_json(segment: Path) -> None:
    said = [msgspec.json.decode(line) for line in segment.read_bytes().splitlines()]
    assert [line.get("sequence") for line in said] == [None, 1, 2, 3, None]
