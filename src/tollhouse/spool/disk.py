"""The few operations on files whose order and failures the spool's promises stand on.

A value of its own, so that a test can pass a disk that fails.
"""

import errno
import os
from pathlib import Path

from tollhouse.errors import StorageError

_HINTS = {
    errno.ENOSPC: "free space on this file system, or move the spool to a larger one; the next record is tried again",
    errno.EDQUOT: "raise the quota of this user or free space; the next record is tried again",
    errno.EFBIG: "raise the process's file size limit (ulimit -f) above the spool's segment size, then start again",
    errno.EROFS: "mount the file system writable again",
    errno.EACCES: "give this user read and write permission on the spool's folder, or run as the user who owns it",
    errno.EPERM: "give this user read and write permission on the spool's folder, or run as the user who owns it",
    errno.EIO: "look at the kernel's log: the disk itself reported an error; move the spool to a healthy disk",
    errno.ENOTDIR: "name a folder, not a file, as the spool's root",
    errno.EEXIST: "name a folder, not a file, as the spool's root",
    errno.EMFILE: "raise the number of open files that the process may have (ulimit -n)",
}


def storage_error(doing: str, path: Path, error: OSError) -> StorageError:
    """What the disk refused, where, why and what to do."""
    code = error.errno if error.errno is not None else errno.EIO
    hint = _HINTS.get(code, "mend the cause; what was acknowledged before stays readable")
    return StorageError(f"cannot {doing} {path}: {os.strerror(code)}", hint=hint)


class Disk:
    """System calls as they are; each raises OSError."""

    write = staticmethod(os.write)

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)

    def fdatasync(self, descriptor: int) -> None:
        os.fdatasync(descriptor)

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        source.rename(target)

    def sync_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.fsync(descriptor)
        finally:
            os.close(descriptor)

    def write_all(self, descriptor: int, data: bytes) -> None:
        """All of ``data``; a short write goes on with the rest."""
        written = self.write(descriptor, data)
        while written < len(data):
            written += self.write(descriptor, memoryview(data)[written:])

    def replace_file(self, path: Path, content: bytes, *, is_synced: bool = True) -> None:
        """Put ``content`` in the place of ``path`` so that a reader sees the old or the new file, never half of one."""
        draft = path.with_name(f"{path.name}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            self.write_all(descriptor, content)
            if is_synced:
                self.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.rename(draft, path)
        if is_synced:
            self.sync_folder(path.parent)
