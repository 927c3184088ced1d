"""The allow-list of functions that models may use, each with a fixture that shows what it gives."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlglot import exp

from tollhouse.errors import QueryError, SettingsError
from tollhouse.sql.dialects import parse_model

_AROUND_A_FUNCTION = (exp.Window, exp.WithinGroup, exp.Filter, exp.Paren, exp.Alias, exp.IgnoreNulls)


@dataclass(frozen=True)
class Fixture:
    """One use of a function: a whole query of one value, and that value in YAML's terms."""

    name: str
    query: str
    expected: Any
    keys: frozenset[str]


@dataclass(frozen=True)
class AllowedFunctions:
    """The fixtures, and the keys (see ``function_key``) of the functions that they allow."""

    fixtures: tuple[Fixture, ...]
    keys: frozenset[str]


def function_key(node: exp.Expr) -> str:
    """What identifies a function in a tree: sqlglot's class, or the name where sqlglot has no class for it."""
    return node.name.upper() if isinstance(node, exp.Anonymous) else type(node).__name__


def load_allowed(path: Path) -> AllowedFunctions:
    """Read ``sql/functions/allowed.yml``. Raises SettingsError for an entry that cannot be read."""
    entries: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))
    fixtures = tuple(_fixture(entry, path) for entry in entries)
    return AllowedFunctions(fixtures, frozenset().union(*(fixture.keys for fixture in fixtures)))


def _fixture(entry: dict[str, Any], path: Path) -> Fixture:
    if "name" not in entry or "expected" not in entry or not ("expr" in entry or "query" in entry):
        raise SettingsError(f"{path}: an entry needs name, expected and expr or query: {entry!r}")
    query = entry.get("query") or f"SELECT {entry['expr']}" + (f" FROM {entry['from']}" if "from" in entry else "")
    tree = parse_model(query, where=f"{path}: {entry['name']}")
    # `subject: true` says that the function stands inside of another one, as in sort_array(collect_list(x)).
    subjects = _functions(tree) if entry.get("subject") else [_outermost(tree)]
    return Fixture(entry["name"], query, entry["expected"], frozenset(function_key(node) for node in subjects))


def _outermost(query: exp.Query) -> exp.Expr:
    lateral = query.find(exp.Lateral)
    node = query.selects[0] if lateral is None else lateral.this
    while isinstance(node, _AROUND_A_FUNCTION):
        node = node.this
    return node


def _functions(tree: exp.Expr) -> list[exp.Expr]:
    return list(tree.find_all(exp.Func))


def check_functions(tree: exp.Expr, allowed: AllowedFunctions, *, where: str) -> None:
    """Raise QueryError where a model uses functions outside the allow-list, naming all of them."""
    refused = sorted({_written(node) for node in _functions(tree) if function_key(node) not in allowed.keys})
    if refused:
        hint = "use another one, or add it with a fixture to sql/functions/allowed.yml"
        raise QueryError(f"{where}: functions that are not allowed in models: {', '.join(refused)}", hint=hint)


def _written(node: exp.Expr) -> str:
    return f"{node.name.lower() if isinstance(node, exp.Anonymous) else type(node).__name__}: {node.sql('databricks')}"


def names(fixtures: Iterable[Fixture]) -> list[str]:
    """The names of the functions, each once, in the order of the file."""
    return list(dict.fromkeys(fixture.name for fixture in fixtures))
