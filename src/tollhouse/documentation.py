"""The generated sections of README.md and docs/: ``python -m tollhouse.documentation``, and a test fails on drift.

A section stands between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->``.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from tollhouse.cli import VERBS, cli
from tollhouse.gateway.configuration.reference import kinds_table, reference
from tollhouse.gateway.translation.tables_page import translation_tables
from tollhouse.lake.contracts import LAYERS, Contract, load_contracts
from tollhouse.project import project_dir
from tollhouse.settings import Settings
from tollhouse.settings_template import settings_template

_WIDTH = 100
_NOT_SETTINGS = ("root", "file")


def documents(project: Path) -> dict[Path, str]:
    """What every page with generated sections should hold, by path; ``project`` is the checkout."""
    contracts = load_contracts(project)
    sections = {
        "tables": _tables(contracts),
        "commands": _commands(),
        "examples": _examples(project / "sql" / "examples"),
        "columns": _columns(contracts),
        "help": _help(),
        "settings": _settings(),
        "translation": translation_tables(),
        "gateway-configuration": reference(),
        "provider-kinds": kinds_table(),
    }
    pages = [project / "README.md", *sorted((project / "docs").glob("*.md"))]
    return {page: _filled(page.read_text(), sections) for page in pages if "<!-- begin: " in page.read_text()}


def _filled(text: str, sections: Mapping[str, str]) -> str:
    for name, content in sections.items():
        pattern = re.compile(rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
        text = pattern.sub(lambda found, content=content: f"{found[1]}\n{content}\n{found[2]}", text)
    return text


def _tables(contracts: Mapping[str, Contract]) -> str:
    rows = [f"| `{name}` | {contract.document.grain} |" for name, contract in _ordered(contracts)]
    return "\n".join(["| table | grain |", "| --- | --- |", *rows, ""])


def _ordered(contracts: Mapping[str, Contract]) -> list[tuple[str, Contract]]:
    return sorted(contracts.items(), key=lambda item: (LAYERS.index(item[1].layer), item[0]))


def _columns(contracts: Mapping[str, Contract]) -> str:
    return "\n".join(line for _, contract in _ordered(contracts) for line in _table_page(contract))


def _table_page(contract: Contract) -> Iterator[str]:
    document = contract.document
    yield from (f"## {contract.table}", "", document.grain, "")
    yield f"Key: {_names(document.key)}. Partitioned by: {_names(document.partitioned_by)}. Owner: {document.owner}."
    yield from ("", "| column | type | null | description |", "| --- | --- | --- | --- |")
    for column in contract.columns:
        null = "yes" if column.nullable else "no"
        tag = f" *({column.tag})*" if column.tag else ""
        yield f"| `{column.name}` | `{column.type}` | {null} | {column.description}{tag} |".replace("\n", " ")
    yield ""


def _names(columns: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns) or "none"


def _commands() -> str:
    rows = [f"| `tollhouse {verb}` | {text} |" for verb, text in VERBS.items()]
    return "\n".join(["| command | what it does |", "| --- | --- |", *rows, ""])


def _help() -> str:
    root = click.Context(cli, info_name="tollhouse", terminal_width=_WIDTH, help_option_names=["-h", "--help"])
    return "\n".join(_command_help(cli, root))


def _command_help(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from (f"## {context.command_path}", "", "```text", command.get_help(context), "```", "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                inner = click.Context(below, parent=context, info_name=name, terminal_width=_WIDTH)
                yield from _command_help(below, inner)


def _examples(folder: Path) -> str:
    blocks = (_example(path) for path in sorted(folder.glob("*.sql")))
    return "\n".join(blocks)


def _example(path: Path) -> str:
    first, _, query = path.read_text().partition("\n")
    question = first.removeprefix("--").strip()
    return f"<details><summary>{question}</summary>\n\n```sql\n{query.strip()}\n```\n\n</details>\n"


def _settings() -> str:
    rows = [f"| `{name}` | `{_shown(default)}` |" for name, default in setting_defaults()]
    table = "\n".join(["| setting | default |", "| --- | --- |", *rows])
    return f"{table}\n\n```yaml\n{settings_template()}```\n"


def _shown(default: object) -> str:
    return "null" if default is None else str(default)


def setting_defaults(settings: Any = None, prefix: str = "") -> Iterator[tuple[str, object]]:
    """(dotted name, default) of every setting."""
    settings = Settings() if settings is None else settings
    for name in settings.__struct_fields__:
        value: object = getattr(settings, name)
        if isinstance(value, msgspec.Struct):
            yield from setting_defaults(value, f"{name}.")
        elif prefix or name not in _NOT_SETTINGS:
            yield prefix + name, value


def main() -> int:
    """Writes every generated section of the checkout."""
    for page, text in documents(project_dir()).items():
        page.write_text(text)
        click.echo(f"wrote {page.relative_to(project_dir())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
