"""Every error that Tollhouse raises on purpose.

An error says what is wrong, with which value, where, and what to do; its class says whether trying again can help.
"""


class TollhouseError(Exception):
    """Root of all errors; ``hint`` is the next step for the reader, ``is_retryable`` whether a retry may help."""

    is_retryable = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\n  → {hint}")
        self.hint = hint


class SettingsError(TollhouseError):
    """A settings file or a command-line value that cannot be used."""


class ContractError(TollhouseError):
    """A table contract that is malformed, or a result that does not match its contract."""


class SpoolError(TollhouseError):
    """A spool that cannot be written or read as it stands."""


class SourceError(TollhouseError):
    """A log file that cannot be read."""


class LakeError(TollhouseError):
    """A lake or table that cannot be used as it stands."""


class ConcurrentWriteError(LakeError):
    """Another writer was faster; reading the watermark again and retrying is safe."""

    is_retryable = True


class StorageError(TollhouseError):
    """The disk refused: full, read-only or without permission. Nothing was committed; run again once mended."""

    is_retryable = True


class QueryError(TollhouseError):
    """A user's SQL that is not accepted."""
