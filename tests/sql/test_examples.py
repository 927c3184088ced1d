from pathlib import Path

import pytest

from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.sql.dialects import parse_model

FOLDER = Path(__file__).parents[2] / "sql" / "examples"
EXAMPLES = sorted(FOLDER.glob("*.sql"))
MAY_BE_EMPTY = {"in_doubt_calls", "payload_search", "unpriced_models"}


@pytest.fixture(scope="module")
def lake(demo_lake):
    with Lakehouse(demo_lake.settings) as opened:
        yield opened


def test_there_are_twenty_examples():
    assert len(EXAMPLES) == 20


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_opens_with_its_question(file):
    first, *rest = file.read_text().splitlines()
    assert first.startswith("-- ")
    assert first.endswith("?")
    assert rest


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_runs_on_the_demo_lake(file, lake):
    frame = lake.sql(file.read_text())
    assert frame.columns == parse_model(file.read_text(), where=str(file)).named_selects
    assert frame.height > 0 or file.stem in MAY_BE_EMPTY
