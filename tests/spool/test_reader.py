import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tollhouse.errors import SourceError, SpoolError
from tollhouse.spool.frame import BAD_CHECKSUM, NOT_FRAMED
from tollhouse.spool.gaps import segment_gaps
from tollhouse.spool.reader import Line, delete, list_segments, read_lines, recover, verify
from tollhouse.spool.records import Event
from tollhouse.spool.segment import Segment
from tollhouse.spool.times import utc_now
from tollhouse.spool.writer import SpoolWriter

OpenWriter = Callable[..., SpoolWriter]
MakeEvent = Callable[[int], Event]


@pytest.fixture
def root(spool: OpenWriter, event: MakeEvent, tmp_path: Path) -> Path:
    """A spool with one sealed segment of four records."""
    with spool() as writer:
        for number in range(4):
            writer.append(event(number))
    return tmp_path / "spool"


def the_segment(root: Path) -> Segment:
    (segment,) = list_segments(root)
    return segment


def test_a_segment_is_described_by_its_header_and_footer(root: Path, clock: Callable[[], object]) -> None:
    segment = the_segment(root)

    assert segment.path == root / "slot-0" / "000000000001.jsonl"
    assert (segment.number, segment.is_sealed, segment.is_recovered, segment.is_suspect) == (1, True, False, False)
    assert (segment.record_count, segment.first_sequence, segment.last_sequence) == (4, 1, 4)
    assert (segment.bytes, segment.created_at, segment.sealed_at) == (segment.path.stat().st_size, clock(), clock())
    assert verify(segment)


def test_each_record_comes_with_its_place_and_its_bytes(root: Path) -> None:
    segment = the_segment(root)
    content = segment.path.read_bytes()
    lines = list(read_lines(segment))

    assert [(line.sequence, line.record, line.damage) for line in lines] == [(n, "EVENT", None) for n in (1, 2, 3, 4)]
    assert all(content[line.offset : line.offset + len(line.raw) + 1] == line.raw + b"\n" for line in lines)
    assert segment_gaps(segment) == []


def test_segments_come_in_the_order_of_their_creation(
    spool: OpenWriter, event: MakeEvent, clock: Callable[..., object], tmp_path: Path
) -> None:
    with spool(segment_bytes=1) as first, spool(segment_bytes=1, spool_id="0-other") as second:
        for writer in (first, second, first):
            clock.go(1)
            writer.append(event(1))

    assert [(segment.path.parent.name, segment.number) for segment in list_segments(tmp_path / "spool")] == [
        ("slot-0", 1),
        ("slot-1", 1),
        ("slot-0", 2),
    ]


def test_a_spool_that_does_not_exist_has_no_segments(tmp_path: Path) -> None:
    assert list_segments(tmp_path / "none") == []
    assert recover(tmp_path / "none", utc_now()) == []


def flips(content: bytes, *, bits: int) -> Iterator[tuple[int, bytes]]:
    for offset in range(len(content)):
        for bit in range(8) if bits == 8 else [offset % 8]:
            flipped = bytearray(content)
            flipped[offset] ^= 1 << bit
            yield offset, bytes(flipped)


def check_flips(root: Path, *, bits: int) -> None:
    segment = the_segment(root)
    content = segment.path.read_bytes()
    original = {line.sequence: line.raw for line in read_lines(segment)}
    for offset, flipped in flips(content, bits=bits):
        segment.path.write_bytes(flipped)
        found = the_segment(root)
        lines = list(read_lines(found))
        whole = {line.sequence: line.raw for line in lines if line.damage is None}
        assert whole.items() <= original.items(), f"byte {offset}"
        assert len(whole) >= 2, f"byte {offset}"
        assert not verify(found), f"byte {offset}"
        if found.sha256 is not None:
            lost = {n for gap in segment_gaps(found) for n in range(gap.first_sequence, gap.last_sequence + 1)}
            assert lost == original.keys() - whole.keys(), f"byte {offset}"


def test_a_flipped_bit_is_never_a_wrong_record_and_never_ends_the_reading(root: Path) -> None:
    check_flips(root, bits=1)


@pytest.mark.proof
def test_any_flipped_bit_is_never_a_wrong_record_and_never_ends_the_reading(root: Path) -> None:
    check_flips(root, bits=8)


@pytest.mark.parametrize(
    ("old", "new", "reasons"),
    [
        (b"event-1", b"event-7", [BAD_CHECKSUM]),
        (b"event-1", b"eve\xff\x00-1", [BAD_CHECKSUM]),
        (b'{"crc32c":', b'{"crc32d":', [NOT_FRAMED]),
        (b"event-1", b"event\n1", [BAD_CHECKSUM, NOT_FRAMED]),
    ],
)
def test_a_damaged_record_in_the_middle_is_set_aside_with_a_gap(
    root: Path, old: bytes, new: bytes, reasons: list[str]
) -> None:
    segment = the_segment(root)
    lines = segment.path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(old, new)
    segment.path.write_bytes(b"".join(lines))

    found = list(read_lines(segment))
    damaged = [line for line in found if line.damage is not None]
    assert [line.sequence for line in found if line.damage is None] == [1, 3, 4]
    assert [line.damage for line in damaged] == reasons
    assert damaged[0].offset == len(lines[0]) + len(lines[1])
    assert b"".join(line.raw + b"\n" for line in damaged) == lines[2]
    (gap,) = segment_gaps(segment)
    assert (gap.first_sequence, gap.last_sequence, gap.segment_number, gap.lost_bytes) == (2, 2, 1, len(lines[2]))


def test_a_binary_line_says_why_it_is_damaged(root: Path) -> None:
    segment = the_segment(root)
    content = segment.path.read_bytes()
    middle = content.index(b"\n") + 1
    segment.path.write_bytes(content[:middle] + bytes(range(128, 255)) + b"\n" + content[middle:])

    first, *others = read_lines(segment)
    assert first == Line(middle, bytes(range(128, 255)), None, None, NOT_FRAMED)
    assert [line.sequence for line in others] == [1, 2, 3, 4]


def test_a_sealed_segment_cut_short_is_listed_as_suspect(root: Path) -> None:
    path = the_segment(root).path
    path.write_bytes(path.read_bytes()[:-200])

    segment = the_segment(root)
    assert (segment.is_sealed, segment.is_suspect, segment.sha256, verify(segment)) == (True, True, None, False)
    assert [line.sequence for line in read_lines(segment)][:4] == [1, 2, 3, 4]


def test_an_empty_file_in_a_slot_is_no_crash(root: Path) -> None:
    (root / "slot-0" / "000000000002.jsonl").touch()
    (root / "slot-0" / "000000000003.open.jsonl").touch()
    (root / "slot-0" / "notes.txt").touch()

    assert [(segment.number, segment.record_count) for segment in list_segments(root)] == [(1, 4), (2, 0)]


def test_an_open_segment_is_read_up_to_its_last_whole_line(spool: OpenWriter, event: MakeEvent, tmp_path: Path) -> None:
    with spool() as writer:
        writer.append(event(1))
        segment = the_segment(tmp_path / "spool")
        with segment.path.open("ab") as file:
            file.write(b'{"crc32c":"0000')
        assert [line.sequence for line in read_lines(segment)] == [1]
        assert not verify(segment)
        with pytest.raises(SpoolError, match="still open"):
            delete(segment)


def test_a_segment_sealed_meanwhile_is_found_under_its_new_name(
    spool: OpenWriter, event: MakeEvent, tmp_path: Path
) -> None:
    with spool() as writer:
        writer.append(event(1))
        segment = the_segment(tmp_path / "spool")

    assert [line.sequence for line in read_lines(segment)] == [1]


def test_a_deleted_segment_stays_deleted_and_can_be_deleted_again(root: Path) -> None:
    segment = the_segment(root)
    delete(segment)
    delete(segment)

    assert list_segments(root) == []
    for read in (verify, lambda gone: list(read_lines(gone))):
        with pytest.raises(SourceError, match=r"000000000001.jsonl has vanished\n.*list the segments again"):
            read(segment)


AS_ANOTHER_USER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from tollhouse.errors import TollhouseError
from tollhouse.spool.reader import delete, list_segments, recover
from tollhouse.spool.writer import SpoolWriter

root = Path(sys.argv[1])
segments = list_segments(root)
if os.getuid() == 0:
    os.setuid(65534)
actions = {
    "list": lambda: list_segments(root),
    "recover": lambda: recover(root, datetime.now(UTC)),
    "delete": lambda: delete(segments[0]),
    "write": lambda: SpoolWriter(root),
}
try:
    actions[sys.argv[2]]()
except TollhouseError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def forbidden() -> Iterator[Callable[[int], Path]]:
    """A spool with a sealed and an open segment in folders that only their owner may write, and may read by mode."""
    root = Path(tempfile.mkdtemp())

    def make(mode: int) -> Path:
        root.chmod(0o755)
        with SpoolWriter(root, durability="os") as writer:
            writer.append(Event(recorded_at="t", event_id="e", event_type="audit", event_time="t"))
        left_open = writer.slot / "000000000002.open.jsonl"
        left_open.write_bytes((writer.slot / "000000000001.jsonl").read_bytes()[:-20])
        for path in writer.slot.iterdir():
            path.chmod(mode & 0o444)
        writer.slot.chmod(mode)
        return root

    yield make
    (root / "slot-0").chmod(0o755)
    shutil.rmtree(root)


@pytest.mark.parametrize(
    ("action", "mode", "message"),
    [
        (
            "list",
            0o700,
            "SourceError no permission to read {root}/slot-0/slot.json\n  → give this user read permission",
        ),
        ("recover", 0o555, "SpoolError no permission to seal what a dead writer left open in {root}/slot-0"),
        ("delete", 0o555, "SpoolError no permission to delete {root}/slot-0/000000000001.jsonl\n  → give this user"),
        ("write", 0o555, "StorageError cannot take the spool's slot {root}/slot-0: Permission denied\n  → give this"),
    ],
)
def test_without_permission_the_error_names_the_path_and_what_to_do(
    forbidden: Callable[[int], Path], action: str, mode: int, message: str
) -> None:
    if mode == 0o700 and os.getuid() != 0:
        pytest.skip("only root can hide a folder of its own from the user it becomes")
    root = forbidden(mode)
    command = [sys.executable, "-c", AS_ANOTHER_USER, str(root), action]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert told.startswith(message.format(root=root)), told


def test_a_clock_that_leaps_to_1970_changes_no_number(
    spool: OpenWriter, event: MakeEvent, clock: Callable[..., object], tmp_path: Path
) -> None:
    with spool() as writer:
        writer.append(event(1))
        clock.moment -= timedelta(days=365 * 56)
        writer.append(event(2))
        clock.go(3600)
        writer.append(event(3))

    lines = [line.sequence for segment in list_segments(tmp_path / "spool") for line in read_lines(segment)]
    assert sorted(lines) == [1, 2, 3]
