"""The pepper: the secret under which keys are hashed, kept apart from their store."""

import os
import secrets
import tempfile
from pathlib import Path

import msgspec

from tollhouse.errors import SettingsError, StorageError
from tollhouse.gateway.configuration.document import SecretSource
from tollhouse.gateway.configuration.secret_sources import SecretSourceError, read_secret
from tollhouse.gateway.identity.errors import IdentityError
from tollhouse.settings import Settings

SMALLEST_BYTES = 32


def pepper_path(state_dir: Path) -> Path:
    """Where the pepper is that the first use makes."""
    return state_dir / "gateway" / "pepper"


def configured_pepper(settings: Settings) -> bytes | None:
    """The pepper that ``gateway.identity.pepper`` names; None where it names none.

    For who needs the store but not the gateway's other secrets. Raises SettingsError without a word of the secret.
    """
    place = f"{settings.file}: gateway.identity.pepper"
    identity = settings.gateway.get("identity")
    written = identity.get("pepper") if isinstance(identity, dict) else None
    if written is None:
        return None
    try:
        return read_secret(msgspec.convert(written, SecretSource), Path(settings.root))
    except (msgspec.ValidationError, SecretSourceError) as error:
        said = str(error) if isinstance(error, SecretSourceError) else f"allowed: {SecretSource.allowed}"
        hint = "docs/gateway-configuration.md says how a secret is named"
        raise SettingsError(f"{place}: {said}", hint=hint) from None


def load_pepper(state_dir: Path, explicit: bytes | None = None) -> bytes:
    """``explicit`` where it is given, else the state folder's pepper, made at its first use (mode 0600).

    White space around it does not count. Processes that start at once agree on one. Raises IdentityError for one of
    fewer than 32 bytes, StorageError where the file cannot be made or read.
    """
    if explicit is not None:
        return _checked(explicit, "the pepper that the configuration names")
    path = pepper_path(state_dir)
    try:
        if not path.exists():
            _make(path)
        return _checked(path.read_bytes(), str(path))
    except OSError as error:
        raise StorageError(f"cannot make or read {path}: {error}", hint="set `state:` to a folder you own") from error


def _checked(content: bytes, origin: str) -> bytes:
    pepper = content.strip()
    if len(pepper) < SMALLEST_BYTES:
        raise IdentityError(
            f"{origin} holds {len(pepper)} bytes; a pepper has {SMALLEST_BYTES} or more",
            hint="restore it from a copy; a new pepper makes every existing key invalid",
        )
    return pepper


def _make(path: Path) -> None:
    """A link, unlike a rename, fails where another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix="pepper-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(SMALLEST_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        Path(draft).unlink()
