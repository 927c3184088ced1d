"""Where everything stands in a YAML file: its nodes, its keys' lines, and which mapping a value was read from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from tollhouse.gateway.configuration.findings import ConfigurationError, Finding, YamlPath

_MERGE = "tag:yaml.org,2002:merge"


class Member(NamedTuple):
    """One key of a mapping; ``first_line`` is set where the mapping has the key already, on that line."""

    key: str
    line: int
    value: yaml.Node
    first_line: int | None = None


class Places:
    """Lines by path. A path that is not in the file has the line of what would hold it."""

    def __init__(self) -> None:
        self._lines: dict[YamlPath, int] = {(): 1}
        self._paths: dict[int, YamlPath] = {}
        self._indices: dict[int, tuple[int, ...]] = {}

    def add(self, path: YamlPath, line: int) -> None:
        self._lines[path] = line

    def bind(self, struct: msgspec.Struct, path: YamlPath) -> None:
        """Remember where ``struct``, which lives as long as these places do, was read."""
        self._paths[id(struct)] = path

    def of(self, struct: msgspec.Struct) -> YamlPath:
        """Where ``struct`` was read. Raises KeyError for one that was not."""
        return self._paths[id(struct)]

    def bind_items(self, items: tuple[object, ...], indices: tuple[int, ...]) -> None:
        """Remember at which indices of its list each of ``items`` was read: faulty ones are not among them."""
        self._indices[id(items)] = indices

    def index(self, items: tuple[object, ...], position: int) -> int:
        """The index in the file of the item at ``position``; what no list was read for is a default."""
        indices = self._indices.get(id(items))
        return position if indices is None else indices[position]

    def line(self, path: YamlPath) -> int:
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def keys_under(self, path: YamlPath) -> list[str]:
        """The keys of a mapping as they are written, whether or not their values can be used."""
        depth = len(path)
        return [str(known[-1]) for known in self._lines if len(known) == depth + 1 and known[:depth] == path]


def compose(text: str, file: Path) -> yaml.Node | None:
    """The nodes of a YAML document, None where it is empty. Raises ConfigurationError where it is not YAML."""
    try:
        # The loader's annotation knows only the pure Python loaders.
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        # The error's own text would quote the line, and with it what may be a secret.
        raise ConfigurationError(file, [Finding(line, (), f"no YAML ({error.problem})", "YAML")]) from None
    except yaml.YAMLError:
        raise ConfigurationError(file, [Finding(1, (), "control characters", "YAML")]) from None


def line_of(node: yaml.Node) -> int:
    """The line, from 1, on which ``node`` begins."""
    return node.start_mark.line + 1


def members(mapping: yaml.MappingNode) -> list[Member]:
    """A mapping's members, those merged in by ``<<`` last; a key of its own wins over a merged one."""
    first: dict[str, int] = {}
    found: list[Member] = []
    for member in _own(mapping):
        found.append(member._replace(first_line=first.get(member.key)))
        first.setdefault(member.key, member.line)
    for member in _merged(mapping):
        if member.key not in first:
            first[member.key] = member.line
            found.append(member._replace(first_line=None))
    return found


def _own(mapping: yaml.MappingNode) -> Iterator[Member]:
    for key, value in mapping.value:
        if key.tag != _MERGE:
            text = key.value if isinstance(key, yaml.ScalarNode) else f"({key.id})"
            yield Member(text, line_of(key), value)


def _merged(mapping: yaml.MappingNode) -> Iterator[Member]:
    for key, value in mapping.value:
        if key.tag == _MERGE:
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for source in sources:
                if isinstance(source, yaml.MappingNode):
                    yield from members(source)
