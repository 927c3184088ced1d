from datetime import UTC, datetime, timedelta

import pytest
from lake.small_lake import SmallLake

from tollhouse.cli import main


def _keys(lake: SmallLake, *arguments: str) -> None:
    assert main(["--config", str(lake.root / "tollhouse.yml"), "keys", *arguments]) == 0


def _states(lake: SmallLake) -> list[tuple[object, ...]]:
    lake.run(datetime.now(UTC) + timedelta(hours=1))
    return lake.rows(
        "SELECT principal, principal_type, teams, groups, cost_center, project, valid_to IS NULL "
        "FROM {silver.principals} ORDER BY principal, valid_from"
    )


def test_what_tollhouse_keys_changes_is_a_state_in_silver_principals(
    lake: SmallLake, capsys: pytest.CaptureFixture[str]
) -> None:
    _keys(lake, "team", "search", "--cost-center", "CC-1")
    _keys(lake, "principal", "ana", "--team", "search", "--group", "engineers", "--project", "app")
    _keys(lake, "principal", "bot", "--type", "service_principal", "--cost-center", "CC-7")
    _keys(lake, "create", "ana", "--cost-center", "CC-9")
    first = [
        ("ana", "USER", ["search"], ["engineers"], "CC-1", "app", True),
        ("bot", "SERVICE_PRINCIPAL", [], [], "CC-7", None, True),
    ]
    assert _states(lake) == first

    _keys(lake, "team", "search", "--cost-center", "CC-2")
    _keys(lake, "principal", "bot", "--delete")
    assert _states(lake) == [
        ("ana", "USER", ["search"], ["engineers"], "CC-1", "app", False),
        ("ana", "USER", ["search"], ["engineers"], "CC-2", "app", True),
        ("bot", "SERVICE_PRINCIPAL", [], [], "CC-7", None, False),
        ("bot", "SERVICE_PRINCIPAL", [], [], None, None, True),
    ]
    states = lake.rows("SELECT valid_from, valid_to FROM {silver.principals} WHERE principal = 'ana' ORDER BY ALL")
    assert states[0][1] == states[1][0]
