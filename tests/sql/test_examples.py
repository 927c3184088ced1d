from pathlib import Path

import pytest

from tollhouse.sql.dialects import parse_model, to_duckdb

FOLDER = Path(__file__).parents[2] / "sql" / "examples"
EXAMPLES = sorted(FOLDER.glob("*.sql"))


def test_there_are_twenty_examples():
    assert len(EXAMPLES) == 20


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_opens_with_its_question(file):
    first, *rest = file.read_text().splitlines()
    assert first.startswith("-- ")
    assert first.endswith("?")
    assert rest


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_runs_on_the_demo_lake(file, demo_lake):
    frame = demo_lake.sql(file.read_text())
    assert frame.columns == parse_model(file.read_text(), where=str(file)).named_selects
