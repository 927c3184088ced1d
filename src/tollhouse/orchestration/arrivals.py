"""What has arrived in the spool and in the sources since the last look, from listings alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import msgspec

from tollhouse.errors import SourceError
from tollhouse.lake.bronze.objects import SETTLING
from tollhouse.settings import Settings
from tollhouse.sources.listing import LocalStore, ObjectStore, SourceObject
from tollhouse.spool.segment import is_open_name, segment_number, segment_paths
from tollhouse.spool.slot import slot_folders


class SlotMark(msgspec.Struct, frozen=True):
    """How far a slot was seen: its last sealed segment, and the last one that its writer abandoned (0: none)."""

    sealed: int = 0
    abandoned: int = 0


class SourceMark(msgspec.Struct, frozen=True):
    """How far a source was seen: the newest change (UTC), and number and digest of the objects up to it.

    Its size does not depend on the number of objects, since Dagster keeps a copy of it for every tick.
    """

    newest: datetime = datetime.min.replace(tzinfo=UTC)
    count: int = 0
    digest: str = ""


class Seen(msgspec.Struct, frozen=True):
    """The sensor's cursor: a mark for each slot of the spool and for each source."""

    slots: dict[str, SlotMark] = {}
    sources: dict[str, SourceMark] = {}

    @classmethod
    def decode(cls, cursor: str | None) -> "Seen":
        """The cursor's content. What another version wrote counts as nothing seen."""
        try:
            return msgspec.json.decode(cursor, type=cls) if cursor else cls()
        except msgspec.DecodeError:
            return cls()

    def encode(self) -> str:
        return msgspec.json.encode(self, order="sorted").decode()


@dataclass(frozen=True)
class Arrivals:
    """``new``: where something arrived; ``seen``: the cursor after it; ``problems``: what could not be listed."""

    new: Sequence[str]
    seen: Seen
    problems: Sequence[str]

    @property
    def run_key(self) -> str:
        """The same for the same arrivals, so that a look that is repeated starts no second run."""
        return blake2b(self.seen.encode().encode(), digest_size=12).hexdigest()


def look(settings: Settings, before: Seen, now: datetime, store: ObjectStore | None = None) -> Arrivals:
    """Compares spool and sources with ``before``. A place that cannot be listed keeps its mark and is a problem."""
    slots, problems = _slots(settings.spool_dir, now)
    sources: dict[str, SourceMark] = {}
    new = [f"spool {name}" for name, mark in slots.items() if _is_ahead(mark, before.slots.get(name, SlotMark()))]
    for source in settings.sources:
        mark = before.sources.get(source.name, SourceMark())
        try:
            settled = list(_settled((store or LocalStore()).list(str(settings.path(source.path))), now))
        except SourceError as error:
            problems.append(f"source {source.name}: {error}")
            sources[source.name] = mark
            continue
        sources[source.name] = _mark(settled)
        if _has_grown(settled, mark):
            new.append(f"source {source.name}")
    return Arrivals(new, Seen(slots or before.slots, sources), problems)


def _slots(root: Path, now: datetime) -> tuple[dict[str, SlotMark], list[str]]:
    try:
        return {slot.name: _slot_mark(slot, now) for slot in slot_folders(root)}, []
    except OSError as error:
        return {}, [f"spool: {error}"]


def _slot_mark(slot: Path, now: datetime) -> SlotMark:
    sealed = abandoned = 0
    for path in segment_paths(slot):
        number = segment_number(path) or 0
        if not is_open_name(path):
            sealed = max(sealed, number)
        elif _is_abandoned(path, now):
            abandoned = max(abandoned, number)
    return SlotMark(sealed, abandoned)


def _is_abandoned(path: Path, now: datetime) -> bool:
    """A living writer seals ten seconds after a segment's first record, so one that rests for a minute lost its own."""
    try:
        return now - datetime.fromtimestamp(path.stat().st_mtime, UTC) > SETTLING
    except FileNotFoundError:
        return False


def _is_ahead(mark: SlotMark, before: SlotMark) -> bool:
    """A segment that was seen abandoned, and then sealed by the run that this started, is not news again."""
    return max(mark.sealed, mark.abandoned) > max(before.sealed, before.abandoned)


def _settled(objects: Iterable[SourceObject], now: datetime) -> Iterable[SourceObject]:
    return (item for item in objects if now - item.modified_at > SETTLING)


def _mark(objects: Sequence[SourceObject]) -> SourceMark:
    newest = max((item.modified_at for item in objects), default=SourceMark().newest)
    return SourceMark(newest, len(objects), _digest(objects))


def _digest(objects: Iterable[SourceObject]) -> str:
    digest = blake2b(digest_size=12)
    for item in sorted(objects):
        digest.update(f"{item.path}\0{item.size}\0{item.modified_at.isoformat()}\0".encode())
    return digest.hexdigest()


def _has_grown(settled: Sequence[SourceObject], before: SourceMark) -> bool:
    """Whether there is a newer object, or one that kept an old time when it was copied here.

    Fewer old objects than before means that some were deleted, or are growing and will come back newer.
    """
    old = [item for item in settled if item.modified_at <= before.newest]
    if len(old) < len(settled) or len(old) > before.count:
        return True
    return len(old) == before.count > 0 and _digest(old) != before.digest
