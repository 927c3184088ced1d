"""The content folders (models, sql, ...) that the package runs."""

from pathlib import Path

from tollhouse.errors import SettingsError

_PACKAGE = Path(__file__).resolve().parent


def project_dir(settings_root: Path | None = None) -> Path:
    """The folder that holds ``models/``: beside the settings file, else the checkout's, else the wheel's.

    Raises SettingsError where none of the three has it.
    """
    candidates = [settings_root] if settings_root else []
    candidates += [_PACKAGE.parent.parent, _PACKAGE / "_project"]
    for candidate in candidates:
        if (candidate / "models" / "silver").is_dir():
            return candidate
    looked = ", ".join(str(c) for c in candidates)
    raise SettingsError(f"no project found: none of {looked} holds models/silver", hint="run `tollhouse init`")
