"""The table of docs/errors.md, read."""

from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"
COLUMNS = ["case", "protocol", "status", "body", "row"]


class Expected(NamedTuple):
    """What one case has in one protocol; ``row`` as ``gateway_cases.row_words`` says it."""

    case: str
    protocol: str
    status: str
    body: str
    row: str


def table() -> list[Expected]:
    """One item for each case and protocol: a line of the page may name several protocols."""
    found: list[Expected] = []
    case = ""
    for cells in _lines():
        case = cells[0] or case
        found += [Expected(case, protocol, *cells[2:]) for protocol in cells[1].split(", ")]
    return found


def _lines() -> list[list[str]]:
    lines = [
        [cell.strip().replace("`", "") for cell in line.strip("|\n").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith("|")
    ]
    start = lines.index(COLUMNS)
    return [line for line in lines[start + 2 :] if len(line) == len(COLUMNS)]
