import re
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest
import yaml
from demo_lake import DemoLake

from tollhouse.cli import VERBS, cli
from tollhouse.demo.answers import QUESTIONS
from tollhouse.documentation import documents, setting_defaults
from tollhouse.settings import Settings
from tollhouse.settings_template import settings_template

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text()
PAGES = sorted((PROJECT / "docs").glob("*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


@pytest.mark.parametrize("page", [PROJECT / "README.md", *PAGES], ids=name_of)
def test_generated_sections_are_as_new(page: Path) -> None:
    expected = documents(PROJECT).get(page)

    assert expected in (None, page.read_text()), f"{page.name} has drifted: run `make docs`"


@pytest.mark.parametrize("name", [name for name, _ in setting_defaults()])
def test_every_setting_stands_in_the_docs(name: str) -> None:
    assert f"`{name}`" in (PROJECT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_stands_in_the_readme_and_in_the_docs(verb: str) -> None:
    assert f"`tollhouse {verb}`" in README
    assert f"## tollhouse {verb}\n" in (PROJECT / "docs" / "commands.md").read_text()


@pytest.mark.parametrize("verb", VERBS)
def test_the_list_of_verbs_says_what_the_verb_itself_says(verb: str) -> None:
    command = cli.get_command(click.Context(cli), verb)

    assert command is not None
    assert command.name == verb
    assert (command.help or "").strip().splitlines()[0] == VERBS[verb]


def test_the_settings_template_holds_every_setting_with_its_default() -> None:
    document = yaml.safe_load(settings_template())

    assert msgspec.convert(document, Settings) == Settings()
    assert dict(_flat(document)) == dict(setting_defaults())


def _flat(document: dict[str, object], prefix: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, value in document.items():
        found += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) and value else [(prefix + name, value)]
    return found


def test_the_readme_shows_what_the_demo_asks() -> None:
    for question in QUESTIONS:
        assert question.text in README
        assert all(line.strip() in README for line in question.sql.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_page_is_in_the_index(page: Path) -> None:
    assert page.name == "README.md" or f"]({page.name})" in (PROJECT / "docs" / "README.md").read_text()


@pytest.mark.parametrize("page", [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *PAGES], ids=name_of)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]

    assert broken == []


def test_every_make_target_that_the_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    texts = [README, (PROJECT / "CONTRIBUTING.md").read_text(), *(page.read_text() for page in PAGES)]
    named = {name for text in texts for name in re.findall(r"`make ([a-z]+)", text)}

    assert named <= targets
    assert (PROJECT / "Makefile").read_text().count("\n\t") <= 30


def test_the_readmes_python_runs(demo_lake: DemoLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo").symlink_to(demo_lake.root)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)

    assert set(names["frame"].columns) == {"team", "cost_usd"}


def test_the_readmes_question_runs_from_its_file(demo_lake: DemoLake) -> None:
    (file,) = re.findall(r"/tollhouse\.yml sql - < (sql/examples/\w+\.sql)\n", README)
    command = [sys.executable, "-m", "tollhouse", "--config", demo_lake.settings_file, "sql", "-"]
    with (PROJECT / file).open() as query:
        done = subprocess.run(command, stdin=query, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("rows)\n")


def test_the_readme_has_twenty_questions() -> None:
    assert README.count("<details><summary>") == len(list((PROJECT / "sql" / "examples").glob("*.sql"))) == 20
