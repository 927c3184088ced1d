from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lake.small_lake import NOON, SmallLake, payload

from tollhouse.errors import SettingsError
from tollhouse.lake.principals import file_states, principal_rows


def _write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def _identity(principal: str, day: int, team: str, *, key_id: str = "") -> str:
    key = f',"key_id":"{key_id}"' if key_id else ""
    return (
        f'{{"record":"IDENTITY","recorded_at":"2026-01-{day:02}T00:00:00Z","principal":"{principal}",'
        f'"principal_type":"USER","valid_from":"2026-01-{day:02}T00:00:00Z","change":"updated","teams":["{team}"]{key}}}'
    )


def test_each_state_of_an_identity_lasts_until_the_next() -> None:
    first = principal_rows([], [(1, _identity("ada", 1, "search")), (2, _identity("bob", 2, "legal"))], [])
    rows = principal_rows(first, [(3, _identity("ada", 5, "mobile"))], [])

    assert [(row["principal"], row["teams"], row["valid_from"].day, row["valid_to"]) for row in rows] == [
        ("ada", ["search"], 1, datetime(2026, 1, 5, tzinfo=UTC)),
        ("ada", ["mobile"], 5, None),
        ("bob", ["legal"], 2, None),
    ]


def test_a_key_s_record_says_nothing_of_its_principal() -> None:
    assert principal_rows([], [(1, _identity("ada", 1, "search", key_id="vk_1"))], []) == []


def test_the_file_s_states_win_their_principal(tmp_path: Path) -> None:
    path = _write(tmp_path, "principals.yml", "- {principal: ada, teams: [finance], cost_center: CC-1}\n")
    states, digest = file_states(path)
    rows = principal_rows([], [(1, _identity("ada", 1, "search")), (2, _identity("bob", 2, "legal"))], states)

    assert [(row["principal"], row["teams"], row["origin"]) for row in rows] == [
        ("bob", ["legal"], "spool"),
        ("ada", ["finance"], "file"),
    ]
    assert digest > 0


def test_yaml_and_csv_say_the_same(tmp_path: Path) -> None:
    yaml_file = _write(
        tmp_path,
        "principals.yml",
        "- {principal: ada, valid_from: 2026-01-01, valid_to: 2026-02-01, teams: [a, b], project: p}\n",
    )
    csv_file = _write(
        tmp_path, "principals.csv", "principal,valid_from,valid_to,teams,project\nada,2026-01-01,2026-02-01,a; b,p\n"
    )

    assert file_states(yaml_file)[0] == file_states(csv_file)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {principal: ada, team: x}\n", "entry 1: .*unknown field `team`"),
        ("- {principal: ada, valid_from: soon}\n", "entry 1: valid_from is 'soon', which is not a time"),
        ("- {principal: ada, valid_from: 2026-02-01, valid_to: 2026-01-01}\n", "valid_to is not after valid_from"),
        ("- {principal: ada}\n- {principal: ada, valid_from: 2026-01-01}\n", "two states of ada overlap"),
        ("ada: {}\n", "expected a list of principals, found dict"),
    ],
)
def test_a_faulty_file_names_the_entry_and_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        file_states(_write(tmp_path, "principals.yml", text))


def test_no_file_is_no_state() -> None:
    assert file_states(None) == ([], 0)


def test_a_foreign_call_belongs_to_the_team_that_its_principal_had_then(lake: SmallLake) -> None:
    change = NOON.date()
    _write(
        lake.root,
        "principals.yml",
        f"- {{principal: ada@example.com, teams: [search], cost_center: CC-1, valid_to: {change}}}\n"
        f"- {{principal: ada@example.com, teams: [mobile], cost_center: CC-2, valid_from: {change}}}\n",
    )
    lake.configure(principals="principals.yml")
    lake.log("a.jsonl", [payload(1, NOON - timedelta(days=1)), payload(2, NOON)])
    lake.run()

    owners = lake.rows("SELECT team, cost_center, count(*) FROM {gold.costs} GROUP BY ALL ORDER BY ALL")
    assert owners == [("mobile", "CC-2", 1), ("search", "CC-1", 1)]
