"""Every key of the configuration has a test that changes it, marked with its name."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tollhouse.gateway.configuration.reference import keys

TESTS = Path(__file__).parents[1]


def changed_keys(file: Path) -> Iterator[str]:
    """The keys with which the tests of ``file`` are marked, each as often as it stands there."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.changes":
                    yield from map(ast.literal_eval, decorator.args)


def test_every_key_of_the_configuration_is_changed_by_a_test() -> None:
    marked = {key for file in TESTS.rglob("test_*.py") for key in changed_keys(file)}
    untested = set(keys()) - marked
    assert not untested, f"change {untested} in a running gateway, in a test marked by @pytest.mark.changes"
    assert marked <= set(keys())
