"""The views of ``sql/views/``: loaded, instantiated for each endpoint, and put in order.

A file's name is the view's name. One whose name holds ``{endpoint}`` makes a view for each endpoint, and its query
refers to that endpoint as ``:endpoint``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from sqlglot import exp

from tollhouse.errors import QueryError
from tollhouse.sql.dialects import parse_model, tables_of

_PLACE = "{endpoint}"


@dataclass(frozen=True)
class View:
    """One view: its name, its query in Databricks SQL, and the file that holds it."""

    name: str
    query: exp.Query
    file: Path


@dataclass(frozen=True)
class Views:
    """What ``sql/views/`` holds: whole views, and templates that endpoints fill."""

    fixed: Mapping[str, View]
    templates: tuple[View, ...]

    def is_from_template(self, name: str) -> bool:
        """Whether ``name`` is one that some endpoint could give rise to."""
        parts = (template.name.split(_PLACE) for template in self.templates)
        return any(name.lower().startswith(start) and name.lower().endswith(end) for start, end in parts)

    def for_endpoints(self, endpoints: Iterable[str]) -> dict[str, View]:
        """All views by name, each after those that it reads. Raises QueryError where two endpoints give one name."""
        found = dict(self.fixed)
        made: dict[str, str] = {}
        for template in self.templates:
            for endpoint in sorted(endpoints):
                view = _instance(template, endpoint)
                _refuse_collision(view.name, endpoint, made, found)
                made[view.name.lower()], found[view.name] = endpoint, view
        return _ordered(found)


def load_views(folder: Path) -> Views:
    """Read all views of a folder. Raises QueryError naming the file that cannot be parsed."""
    views = [View(file.name.removesuffix(".sql"), parse_model(file.read_text("utf-8"), where=str(file)), file)
             for file in sorted(folder.glob("*.sql"))]  # fmt: skip
    fixed = {view.name: view for view in views if _PLACE not in view.name}
    return Views(fixed, tuple(view for view in views if _PLACE in view.name))


def endpoint_identifier(endpoint: str) -> str:
    """``endpoint`` with every character but letters, digits and the underscore replaced by an underscore."""
    return re.sub(r"[^A-Za-z0-9_]", "_", endpoint)


def _instance(template: View, endpoint: str) -> View:
    query = template.query.copy()
    for place in list(query.find_all(exp.Placeholder)):
        place.replace(exp.Literal.string(endpoint))
    return View(template.name.replace(_PLACE, endpoint_identifier(endpoint)), query, template.file)


def _refuse_collision(name: str, endpoint: str, made: Mapping[str, str], views: Mapping[str, View]) -> None:
    if name.lower() in made:
        other = made[name.lower()]
        raise QueryError(
            f"the endpoints {other!r} and {endpoint!r} would both be read as {name}",
            hint="rename one of them; in a view's name everything but letters, digits and '_' becomes '_'",
        )
    if name in views:
        raise QueryError(f"the endpoint {endpoint!r} would be read as {name}, which is the view {views[name].file}")


def _ordered(views: Mapping[str, View]) -> dict[str, View]:
    graph = {name: tables_of(view.query) & views.keys() for name, view in views.items()}
    try:
        return {name: views[name] for name in TopologicalSorter(graph).static_order()}
    except CycleError as error:
        raise QueryError(f"these views read each other: {' -> '.join(error.args[1])}") from error
