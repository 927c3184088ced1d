"""Which objects were found unchanged, so that a large folder is not hashed anew every few minutes.

Only a hint: losing the file costs time. Size and time of change are trusted for an object that had been left alone for
a minute when it was hashed.
"""

import json
from contextlib import suppress
from pathlib import Path

from tollhouse.sources.listing import SourceObject


class Seen:
    """The objects of one source that are known by size and time of change."""

    def __init__(self, folder: Path, source: str) -> None:
        self._path = folder / f"{source}.json"
        self._known: dict[str, list[float]] = {}
        with suppress(FileNotFoundError, json.JSONDecodeError):
            self._known = json.loads(self._path.read_text())
        self._is_changed = False

    def holds(self, found: SourceObject) -> bool:
        """Whether the object was read or hashed as it stands."""
        return self._known.get(found.path) == [found.size, found.modified_at.timestamp()]

    def add(self, found: SourceObject) -> None:
        """Notes an object whose content is in bronze."""
        self._known[found.path] = [found.size, found.modified_at.timestamp()]
        self._is_changed = True

    def save(self) -> None:
        """Writes the notes for the next run; a disk that refuses costs only time then."""
        if not self._is_changed:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(".tmp")
            draft.write_text(json.dumps(self._known))
            draft.rename(self._path)
