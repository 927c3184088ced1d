"""Reading secrets from where the configuration says that they are. No message holds anything of them."""

import os
from pathlib import Path

from tollhouse.errors import TollhouseError
from tollhouse.gateway.configuration.document import SecretSource

GREATEST_BYTES = 65_536
# What is shorter is a placeholder ("EMPTY", "ollama"): in a log it would be found everywhere and hides nothing.
LEAST_REDACTED_BYTES = 12
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class SecretSourceError(TollhouseError):
    """A secret that is not where it should be: ``member`` of its source, what was ``found``, what is ``permitted``."""

    def __init__(self, member: str | None, found: str, permitted: str) -> None:
        super().__init__(f"found {found}; allowed: {permitted}")
        self.member = member
        self.found = found
        self.permitted = permitted


def read_secret(source: SecretSource, folder: Path) -> bytes:
    """The secret without white space around it; a relative file is in ``folder``. Raises SecretSourceError."""
    if source.env is not None and source.file is None:
        return _from_environment(source.env)
    if source.file is not None and source.env is None:
        return _from_file(folder / source.file, folder)
    found = "neither env nor file" if source.env is None else "both env and file"
    raise SecretSourceError(None, found, SecretSource.allowed)


def _from_environment(name: str) -> bytes:
    # Strict, and never quoted otherwise: what stands here by mistake is often the secret itself.
    if not _NAME_CHARACTERS.issuperset(name):
        raise SecretSourceError("env", "other characters", "the name of an environment variable: A-Z, 0-9 and _")
    permitted = "an environment variable that is set and not empty"
    value = os.environ.get(name)
    if value is None:
        raise SecretSourceError("env", f"{name}, which is not set", permitted)
    if not value.strip():
        raise SecretSourceError("env", f"{name}, which is empty", permitted)
    return os.fsencode(value).strip()


def _from_file(file: Path, folder: Path) -> bytes:
    permitted = f"a readable file of at most {GREATEST_BYTES} bytes, relative to {folder}"
    try:
        with file.open("rb") as opened:
            content = opened.read(GREATEST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "no file name"
        raise SecretSourceError("file", f"a file that cannot be read ({reason})", permitted) from None
    if len(content) > GREATEST_BYTES:
        raise SecretSourceError("file", "a greater file", permitted)
    if not content.strip():
        raise SecretSourceError("file", "an empty file", permitted)
    return content.strip()


def header_value(secret: bytes) -> str | None:
    """The secret as a part of a header, None where it has characters that no header may hold."""
    return secret.decode("ascii") if all(0x21 <= byte <= 0x7E for byte in secret) else None
