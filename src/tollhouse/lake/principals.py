"""silver.principals: states of principals in force, from IDENTITY records and an effective-dated file."""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from tollhouse.errors import SettingsError
from tollhouse.spool.records import Identity


class FileState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the principals file: a state from ``valid_from`` to before ``valid_to``, naive times in UTC."""

    principal: str
    valid_from: str = "2015-01-01"
    valid_to: str | None = None
    principal_type: Literal["USER", "SERVICE_PRINCIPAL"] = "USER"
    teams: list[str] = []
    groups: list[str] = []
    cost_center: str | None = None
    project: str | None = None


def file_states(path: Path | None) -> tuple[list[dict[str, Any]], int]:
    """The rows of a YAML or CSV file, and a number that changes with its content; ([], 0) for None.

    In CSV, teams and groups are separated by ';'. Raises SettingsError naming file, entry and value, also where two
    states of one principal overlap.
    """
    if path is None:
        return [], 0
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"cannot read the principals file {path}: {error}") from error
    entries = _read_csv(data.decode()) if path.suffix == ".csv" else (yaml.safe_load(data) or [])
    if not isinstance(entries, list):
        raise SettingsError(f"{path}: expected a list of principals, found {type(entries).__name__}")
    rows = [_file_row(path, index, entry) for index, entry in enumerate(entries)]
    _check_overlaps(path, rows)
    return rows, int.from_bytes(hashlib.sha256(data).digest()[:7])


def _read_csv(text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for row in csv.DictReader(text.splitlines()):
        entry: dict[str, Any] = {key: value for key, value in row.items() if value}
        for name in ("teams", "groups"):
            entry[name] = [part.strip() for part in entry.get(name, "").split(";") if part.strip()]
        rows.append(entry)
    return rows


def _file_row(path: Path, index: int, entry: Any) -> dict[str, Any]:
    place = f"{path}: entry {index + 1}"
    # YAML makes dates of what looks like one.
    known = (
        {k: v.isoformat() if isinstance(v, date) else v for k, v in entry.items()} if isinstance(entry, dict) else entry
    )
    try:
        state = msgspec.convert(known, FileState)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{place}: {error}") from error
    row = msgspec.structs.asdict(state)
    row["valid_from"] = _moment(place, "valid_from", state.valid_from)
    row["valid_to"] = _moment(place, "valid_to", state.valid_to) if state.valid_to else None
    if row["valid_to"] and row["valid_to"] <= row["valid_from"]:
        raise SettingsError(f"{place}: {state.principal}: valid_to is not after valid_from")
    return row | {"origin": "file", "ingest_sequence": None}


def _moment(place: str, name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            f"{place}: {name} is {text!r}, which is not a time", hint="write it as 2026-03-01 or 2026-03-01T12:00:00Z"
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_overlaps(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    ordered = sorted(rows, key=lambda row: (row["principal"], row["valid_from"]))
    for one, other in pairwise(ordered):
        open_or_late = one["valid_to"] is None or one["valid_to"] > other["valid_from"]
        if one["principal"] == other["principal"] and open_or_late:
            raise SettingsError(
                f"{path}: two states of {one['principal']} overlap: from {one['valid_from']} and {other['valid_from']}",
                hint="give the earlier one a valid_to that is not after the later one's valid_from",
            )


def principal_rows(
    known: Iterable[Mapping[str, Any]], identities: Iterable[tuple[int, str]], states: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """All rows of silver.principals: IDENTITY states, each until the next; the file's states win their principals."""
    by_start: dict[tuple[str, datetime], dict[str, Any]] = {}
    for row in (*known, *(_identity_row(number, text) for number, text in identities)):
        if row:
            by_start[row["principal"], row["valid_from"]] = dict(row)
    named = {state["principal"] for state in states}
    ordered = [row for key, row in sorted(by_start.items()) if key[0] not in named]
    for row, following in zip_longest(ordered, ordered[1:]):
        is_same = following is not None and following["principal"] == row["principal"]
        row["valid_to"] = following["valid_from"] if following and is_same else None
    return [*ordered, *(dict(state) for state in states)]


def _identity_row(number: int, text: str) -> dict[str, Any] | None:
    record = msgspec.json.decode(text, type=Identity)
    if record.key_id is not None:
        return None
    return {
        "principal": record.principal,
        "principal_type": record.principal_type,
        "teams": record.teams,
        "groups": record.groups,
        "cost_center": record.cost_center,
        "project": record.project,
        "valid_from": datetime.fromisoformat(record.valid_from),
        "valid_to": None,
        "origin": "spool",
        "ingest_sequence": number,
    }
