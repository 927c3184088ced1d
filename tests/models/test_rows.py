"""Rows in, rows out: every case in the YAML files beside this one.

A file holds ``model`` (table/format), ``base`` (a record that the cases change), ``json_members`` (members that hold
JSON as text) and ``cases``: ``name``, ``rows`` (each a ``record`` over the base, or a ``raw_text``, and other columns
of bronze), ``principals``, and ``expect``: for each row the columns that matter. Objects are compared by the members
given, maps whole.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from models.runner import ModelRunner, Row, merged, plain, record_text

from tollhouse.sql.dialects import duckdb_type

FILES = sorted(Path(__file__).parent.glob("*.yml"))


def _cases() -> list[Any]:
    documents = {file.stem: yaml.safe_load(file.read_text()) for file in FILES}
    return [
        pytest.param(document, case, id=f"{name}: {case['name']}")
        for name, document in documents.items()
        for case in document["cases"]
    ]


def _bronze(document: Row, row: Row) -> Row:
    if "raw_text" in row:
        return row
    record = merged(document["base"], row["record"])
    present = {key: value for key, value in record.items() if value != "(absent)"}
    columns = {key: value for key, value in row.items() if key != "record"}
    return columns | {"raw_text": record_text(present, document.get("json_members", []))}


@pytest.mark.parametrize(("document", "case"), _cases())
def test_rows_of_a_log_become_the_rows_that_are_expected(models: ModelRunner, document: Row, case: Row) -> None:
    rows = [_bronze(document, row) for row in case["rows"]]
    result = models.run(document["model"], rows, case.get("principals"))
    assert len(result.rows) == len(case["expect"])
    for found, expected in zip(result.rows, case["expect"], strict=True):
        for column, value in plain(expected).items():
            is_map = result.types[column].startswith("MAP")
            assert (found[column] if is_map else _asked(found[column], value)) == value, column


def _asked(found: Any, expected: Any) -> Any:
    """``found`` cut down to the members that ``expected`` names."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: _asked(found[key], value) for key, value in expected.items()}
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [_asked(one, other) for one, other in zip(found, expected, strict=True)]
    return found


@pytest.mark.parametrize("document", [yaml.safe_load(file.read_text()) for file in FILES], ids=[f.stem for f in FILES])
def test_every_result_has_the_columns_and_types_of_its_contract(models: ModelRunner, document: Row) -> None:
    contract = models.contracts[document["model"].split("/")[0]]
    rows = [_bronze(document, row) for case in document["cases"] for row in case["rows"]]
    result = models.run(document["model"], rows)
    rejection = {"rejection_reason": "VARCHAR"} if contract.document.rejects_to else {}
    assert _types(result.types) == _types({n: duckdb_type(t) for n, t in contract.column_types} | rejection)
    taken = [row for row in result.rows if row.get("rejection_reason") is None]
    missing = {c.name for c in contract.columns if not c.nullable for row in taken if row[c.name] is None}
    assert not missing


def _types(types: dict[str, str]) -> dict[str, str]:
    spelled = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ", "TEXT": "VARCHAR", '"': "", "INTEGER": "INT", " ": ""}
    written = dict(types)
    for long, short in spelled.items():
        written = {name: text.replace(long, short) for name, text in written.items()}
    return written
