"""The settings: one YAML file, found by ``--config``, the environment, then upward from the working directory."""

import os
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from tollhouse.errors import SettingsError

FILE_NAME = "tollhouse.yml"
ENVIRONMENT_VARIABLE = "TOLLHOUSE_CONFIG"


class SpoolSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the gateway writes its log, and how long a segment stays after its commit."""

    path: str = "spool"
    retention_hours: int = 72


class SourceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another gateway's logs: a file or folder, read again whenever it changes."""

    name: str
    format: str
    path: str


class RetentionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``silver_days``: a date older than this is closed; None keeps silver open for ever."""

    silver_days: int | None = None
    vacuum_hours: int = 168


class EngineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``batch_mib``: compressed bronze that one silver commit takes at most; memory follows it."""

    name: Literal["embedded"] = "embedded"
    memory: str = "1GB"
    threads: int | None = None
    batch_mib: int = 48


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; paths are relative to ``root``, the folder of the settings file.

    ``gateway`` is for the gateway alone, which checks it when it starts: ``tollhouse.gateway.configuration``.
    """

    lake: str = "lake"
    state: str = ".tollhouse"
    spool: SpoolSettings = SpoolSettings()
    sources: list[SourceSettings] = []
    prices: str | None = None
    principals: str | None = None
    retention: RetentionSettings = RetentionSettings()
    engine: EngineSettings = EngineSettings()
    gateway: dict[str, Any] = {}
    root: str = "."
    file: str | None = None

    def path(self, value: str) -> Path:
        """``value`` as an absolute path, relative to the settings file's folder."""
        return (Path(self.root) / value).resolve()

    @property
    def lake_dir(self) -> Path:
        return self.path(self.lake)

    @property
    def state_dir(self) -> Path:
        return self.path(self.state)

    @property
    def spool_dir(self) -> Path:
        return self.path(self.spool.path)


def find_settings_file(explicit: str | None = None) -> Path | None:
    """The settings file in force: ``explicit``, the environment's, else the nearest upward; None where there is none.

    Raises SettingsError where a named file does not exist.
    """
    named = explicit or os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        path = Path(named)
        if not path.is_file():
            origin = "--config" if explicit else f"${ENVIRONMENT_VARIABLE}"
            raise SettingsError(f"no settings file at {path.resolve()}, named by {origin}")
        return path.resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        candidate = folder / FILE_NAME
        if candidate.is_file():
            return candidate
    return None


def load_settings(explicit: str | None = None) -> Settings:
    """The settings in force, defaults where there is no file. Raises SettingsError naming file, place and value."""
    path = find_settings_file(explicit)
    if path is None:
        return Settings(root=str(Path.cwd()))
    return parse_settings(path.read_text(), path)


def parse_settings(text: str, path: Path) -> Settings:
    """The settings of ``text``, the content of the file ``path``. Raises SettingsError naming file, place and value."""
    try:
        document = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error
    for reserved in ("root", "file"):
        if isinstance(document, dict) and reserved in document:
            raise SettingsError(f"{path}: '{reserved}' is not a setting; it is the folder of the file itself")
    try:
        settings = msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}", hint="docs/settings.md lists every setting and its values") from error
    return _checked(msgspec.structs.replace(settings, root=str(path.parent), file=str(path)))


def _checked(settings: Settings) -> Settings:
    names = [source.name for source in settings.sources]
    for name in names:
        if not name.replace("-", "").replace("_", "").isalnum():
            raise SettingsError(
                f"{settings.file}: sources: name {name!r} may hold only letters, digits, '-' and '_'",
            )
        if names.count(name) > 1:
            raise SettingsError(f"{settings.file}: sources: two sources are named {name!r}")
    return settings
