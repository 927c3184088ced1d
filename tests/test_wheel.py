import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
CONTENT = ("models", "sql", "quality", "dashboards", "pipelines", "workspace.yaml")
PREFIX = "tollhouse/_project/"


def in_git(*paths: str) -> set[str]:
    """Files that git has or would take, below ``paths``."""
    if not (PROJECT / ".git").exists():
        pytest.skip("this is no git checkout: there is no list to compare the wheel with")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.splitlines() if (PROJECT / name).is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(PROJECT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_projects_content_and_nothing_else(names: set[str]) -> None:
    assert {name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)} == in_git(*CONTENT)


def test_the_wheel_holds_every_file_of_the_package(names: set[str]) -> None:
    packaged = {name for name in names if name.startswith("tollhouse/") and not name.startswith(PREFIX)}

    assert packaged == {name.removeprefix("src/") for name in in_git("src/tollhouse")}
    assert {"tollhouse/py.typed", "tollhouse/settings.template.yml"} <= packaged


def test_the_wheel_leads_back_to_no_checkout(names: set[str]) -> None:
    assert not [name for name in names if name.endswith((".pth", ".pyc"))]
    assert {name.split("/")[0].split("-")[0] for name in names} == {"tollhouse"}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked where no checkout is near."""
    target = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run_installed(target: Path, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_installed_command_answers(installed: Path, tmp_path: Path) -> None:
    place = run_installed(installed, tmp_path, "-c", "import tollhouse; print(tollhouse.__file__)")
    assert place.strip() == str(installed / "tollhouse" / "__init__.py")
    assert "Bring every table up to date" in run_installed(installed, tmp_path, "-m", "tollhouse", "--help")


def test_an_installed_package_runs_the_project_that_it_carries(installed: Path, tmp_path: Path) -> None:
    run_installed(installed, tmp_path, "-m", "tollhouse", "run", "--as-of", "2026-11-23")

    assert (tmp_path / "lake" / "silver" / "invocations" / "_delta_log").is_dir()


def test_init_from_an_installed_package_copies_the_whole_project(installed: Path, tmp_path: Path) -> None:
    run_installed(installed, tmp_path, "-m", "tollhouse", "init", "mine")
    copied = {str(path.relative_to(tmp_path / "mine")) for path in (tmp_path / "mine").rglob("*") if path.is_file()}

    assert copied == in_git(*CONTENT) | {"tollhouse.yml"}
