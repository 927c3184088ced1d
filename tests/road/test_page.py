"""docs/bad-input.md and the tests tell of the same cases."""

import re
from pathlib import Path

from road import foreign_cases, own_cases

PAGE = Path(__file__).parents[2] / "docs" / "bad-input.md"
REASONS = [(case.name, [*case.refused, *case.unmapped]) for case in foreign_cases.CASES]
REASONS += [(case.name, case.unmapped) for case in [*own_cases.WRITTEN, *own_cases.FORGED]]


def _rows() -> dict[str, str]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in lines}
    return {name: row for name, row in rows.items() if name not in {"case", "---"}}


def test_every_case_is_on_the_page_with_its_reason() -> None:
    rows = _rows()
    assert [(name, reason) for name, reasons in REASONS for reason in reasons if reason not in rows[name]] == []
    assert {name for name, _ in REASONS} - set(rows) == set()


def test_every_row_of_the_page_is_tested() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    tested = {name for name, _ in REASONS}
    untested = [name for name in _rows() if name not in tested and f'"{name}"' not in text]
    assert [name for name in untested if f"{re.sub(' ', '_', name)}_" not in text] == []
