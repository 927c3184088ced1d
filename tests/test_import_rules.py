import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SOURCES = sorted((PROJECT / "src" / "tollhouse").rglob("*.py"))


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


def loaded_by(statement: str) -> set[str]:
    """Names of the packages that a fresh interpreter has loaded after ``statement``."""
    code = f"{statement}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_import_rules_hold() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_nothing_in_src_imports_the_code_location() -> None:
    assert [path for path in SOURCES if "pipelines" in imported(path)] == []


def test_the_embedded_road_never_loads_spark() -> None:
    loaded = loaded_by("import tollhouse.lake.run, tollhouse.lake.rebuild, tollhouse.sql.door")

    assert loaded.isdisjoint({"pyspark", "pandas", "great_expectations", "dagster"})


def test_writing_the_request_log_loads_no_query_engine() -> None:
    loaded = loaded_by("import tollhouse.spool.writer")

    assert loaded.isdisjoint({"duckdb", "polars", "pyarrow", "dagster", "deltalake", "sqlglot"})


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_there_is_no_room_for_odds_and_ends(name: str) -> None:
    assert [path for path in SOURCES if name in (path.stem, path.parent.name)] == []


def test_no_source_file_is_longer_than_350_lines() -> None:
    assert [path.name for path in SOURCES if len(path.read_text().splitlines()) > 350] == []
