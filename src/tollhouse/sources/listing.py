"""Where source files lie: a small interface that a local folder and an object store both fit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from os import walk
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from tollhouse.errors import SourceError

_T = TypeVar("_T")

TEMPORARY_SUFFIXES = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".swp", "~")


@dataclass(frozen=True, slots=True, order=True)
class SourceObject:
    """One object of a source: its path as the store names it, its size in bytes, and when it last changed (UTC)."""

    path: str
    size: int
    modified_at: datetime


class ObjectStore(Protocol):
    """What a place for log files must offer."""

    def list(self, prefix: str) -> Iterator[SourceObject]:
        """Yield the objects under ``prefix`` in order of path, or the one object of that name."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open one object for reading; the caller closes it."""
        ...


class LocalStore:
    """Files of this machine.

    A folder is read recursively. Left out are names that begin with a dot (hidden, files and folders), names that end
    in ``TEMPORARY_SUFFIXES`` (still being written by somebody), links to folders, and what is not a regular file. A
    file that is named itself is always listed.
    """

    def list(self, prefix: str) -> Iterator[SourceObject]:
        """Yield the files under ``prefix``; raises SourceError where it is absent or may not be read."""
        root = Path(prefix)
        if _stat_or_raise(root, root.is_dir):
            yield from self._walk(root)
        else:
            yield _describe(root)

    def open(self, path: str) -> BinaryIO:
        """Open the file; raises SourceError where it is absent or may not be read."""
        file = Path(path)
        return _stat_or_raise(file, lambda: file.open("rb"))

    def _walk(self, root: Path) -> Iterator[SourceObject]:
        for folder, folders, names in walk(root, onerror=_refuse):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder, name)
                if not is_skipped(name) and file.is_file():
                    yield _describe(file)


def is_skipped(name: str) -> bool:
    """Say whether a file name is hidden or temporary."""
    return name.startswith(".") or name.endswith(TEMPORARY_SUFFIXES)


def _describe(file: Path) -> SourceObject:
    stat = _stat_or_raise(file, file.stat)
    return SourceObject(str(file), stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))


def _stat_or_raise(file: Path, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except OSError as error:
        if error.filename is None:
            error.filename = str(file)
        raise _explain(error) from error


def _refuse(error: OSError) -> None:
    raise _explain(error) from error


def _explain(error: OSError) -> SourceError:
    path = str(error.filename)
    if isinstance(error, FileNotFoundError):
        return SourceError(f"there is no file or folder '{path}'", hint="check the path, or mount what holds it")
    if isinstance(error, PermissionError):
        return SourceError(f"no permission to read '{path}'", hint="let this user read it (chmod, or another user)")
    if isinstance(error, IsADirectoryError):
        return SourceError(f"'{path}' is a folder, not a file", hint="list the folder and open the files in it")
    return SourceError(f"cannot read '{path}': {error.strerror}", hint="check the disk or the mount, and run again")
