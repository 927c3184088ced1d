"""Ships the content folders (models, sql, quality, dashboards, pipelines) in the wheel as ``tollhouse/_project``."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CONTENT = ("models", "sql", "quality", "dashboards", "pipelines", "workspace.yaml")


class ContentHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds every content file to the wheel; an editable install reads the checkout instead, where nothing can rot."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        for name in CONTENT:
            path = root / name
            files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
            for file in files:
                if "__pycache__" not in file.parts and not file.name.startswith("."):
                    relative = file.relative_to(root).as_posix()
                    build_data["force_include"][str(file)] = f"tollhouse/_project/{relative}"
