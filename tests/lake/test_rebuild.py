import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from lake.small_lake import AS_OF, NOON, SmallLake, outcome, payload

from tollhouse.errors import ContractError, LakeError
from tollhouse.lake.embedded.committing import commit_files
from tollhouse.lake.engine import Commit
from tollhouse.lake.evolution import stale_dates, stale_tables
from tollhouse.lake.rebuild import rebuild
from tollhouse.lake.run import STEPS

SCRIPT = Path(__file__).with_name("killed_rebuild.py")
# A rebuild is one more commit: the number that it gives its rows differs, the rows do not.
NUMBERS = ("change_sequence",)
NEXT_DAY = NOON + timedelta(days=1)
COLUMN = "  - {name: is_long, type: BOOLEAN, description: The question was long.}\n"


def rebuild_all(lake: SmallLake, table: str, first: str | None = None, last: str | None = None) -> dict[str, list[str]]:
    days = [None if day is None else (NOON.fromisoformat(day)).date() for day in (first, last)]
    found: dict[str, list[str]] = {}
    with lake.open() as opened:
        for name, dates in rebuild(opened, table, days[0], days[1], AS_OF):
            found.setdefault(name, []).extend(dates)
    return found


def test_after_a_rebuild_of_every_table_the_lake_is_what_it_was(copied: SmallLake, finished: SmallLake) -> None:
    with copied.open() as lake:
        models = [name for name, contract in lake.contracts.items() if contract.queries]
        upstream = [name for name in models if (lake.contract(name).document.driving or "").startswith("bronze.")]
    done = {name for table in upstream for name in rebuild_all(copied, table)}

    assert done == set(models)
    assert copied.contents(without=NUMBERS) == finished.contents(without=NUMBERS)


def test_a_run_after_a_rebuild_changes_no_row(copied: SmallLake, finished: SmallLake) -> None:
    rebuild_all(copied, "silver.guardrail_checks")
    copied.run()

    assert copied.contents(without=NUMBERS) == finished.contents(without=NUMBERS)


def test_a_table_that_no_model_makes_cannot_be_rebuilt(copied: SmallLake) -> None:
    with pytest.raises(LakeError, match=r"silver\.prices is not made by a model"):
        rebuild_all(copied, "silver.prices")


def test_a_rebuild_that_was_killed_goes_on_where_it_was(copied: SmallLake, finished: SmallLake) -> None:
    command = [sys.executable, str(SCRIPT), str(copied.root / "tollhouse.yml"), "silver.invocations", AS_OF.isoformat()]
    assert subprocess.run(command, check=False).returncode == -9
    with copied.open() as lake:
        left = stale_dates(lake, "silver.invocations")
        whole = lake.state("silver.invocations").files
    assert 0 < len(left) < len({file.partition["event_date"] for file in whole})

    assert rebuild_all(copied, "silver.invocations")["silver.invocations"] == left
    assert copied.contents(without=NUMBERS) == finished.contents(without=NUMBERS)


@pytest.fixture
def changed(lake: SmallLake) -> SmallLake:
    """A lake with a project of its own and calls of two days; then silver.payloads got a new column."""
    models = lake.own_project() / "models"
    lake.write([outcome(1), outcome(2, NEXT_DAY)])
    lake.run()
    add_column(models)
    return lake


def add_column(models: Path) -> None:
    with (models / "silver" / "payloads.yml").open("a") as file:
        file.write(COLUMN)
    for query in (models / "silver" / "payloads").glob("*.sql"):
        query.write_text(f"SELECT *, length(prompt_text) > 5 AS is_long FROM (\n{query.read_text()}\n) AS before")


def test_an_added_column_goes_on_and_the_rebuild_that_run_names_makes_the_past_equal(
    changed: SmallLake, make_lake
) -> None:
    changed.write([outcome(3, NEXT_DAY + timedelta(hours=1))])
    with changed.start("run", "--as-of", AS_OF.isoformat()) as process:
        shown, _ = process.communicate()
    assert process.returncode == 0, shown
    assert "maintain rebuild silver.payloads --from 2026-11-18 --to 2026-11-19" in shown
    flags = "SELECT is_long FROM {silver.payloads} ORDER BY invocation_id"
    assert changed.rows(flags) == [(None,), (None,), (True,)]

    rebuild_all(changed, "silver.payloads", "2026-11-18", "2026-11-19")

    whole = make_lake("whole")
    add_column(whole.own_project() / "models")
    whole.write([outcome(1), outcome(2, NEXT_DAY)])
    whole.write([outcome(3, NEXT_DAY + timedelta(hours=1))])
    whole.run()
    assert changed.rows(flags) == [(True,)] * 3
    with changed.open() as lake:
        assert stale_tables(lake) == {}
    assert changed.contents(without=[*NUMBERS, "batch"]) == whole.contents(without=[*NUMBERS, "batch"])


def test_a_nested_column_is_added_by_itself_too(lake: SmallLake) -> None:
    models = lake.own_project() / "models"
    lake.write([outcome(1)])
    lake.run()
    contract = models / "silver" / "invocations.yml"
    contract.write_text(
        contract.read_text().replace("provider_request_id: STRING>>", "provider_request_id: STRING, region: STRING>>")
    )
    change = "SELECT * REPLACE (transform(attempts, a -> named_struct({})) AS attempts) FROM (\n{}\n) AS before"
    names = nested_names(contract.read_text())
    for query in (models / "silver" / "invocations").glob("*.sql"):
        fields = ", ".join(f"'{name}', a.{name}" for name in names if name != "region") + ", 'region', 'eu'"
        query.write_text(change.format(fields, query.read_text()))
    lake.write([outcome(2, NEXT_DAY)])
    lake.run()

    regions = "SELECT attempts[1].region FROM {silver.invocations} ORDER BY invocation_id"
    assert lake.rows(regions) == [(None,), ("eu",)]
    rebuild_all(lake, "silver.invocations")
    assert lake.rows(regions) == [("eu",), ("eu",)]


def nested_names(contract: str) -> list[str]:
    inside = contract.split("ARRAY<STRUCT<attempt_number")[1].split(">>\n", maxsplit=1)[0]
    return ["attempt_number", *(part.split(":")[0].strip() for part in inside.split(",")[1:] if ":" in part)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "  - {name: config_hash, type: STRING",
            "  - {name: config_sha, type: STRING",
            r"has the column 'config_hash'",
        ),
        (
            "{name: status_code, type: INT",
            "{name: status_code, type: STRING",
            r"column 'status_code' is int32 in the table",
        ),
        ("provider_request_id: STRING>>", "provider_request_id: BIGINT>>", r"column 'attempts' is .* in the table"),
    ],
)
def test_a_column_that_is_gone_or_has_another_type_is_refused_and_nothing_is_written(
    empty: SmallLake, tmp_path: Path, old: str, new: str, said: str
) -> None:
    lake = empty.copy(tmp_path / "lake")
    contract = lake.own_project() / "models" / "silver" / "invocations.yml"
    contract.write_text(contract.read_text().replace(old, new))
    lake.write([outcome(1)])
    before = lake.versions()["silver.invocations"]

    with pytest.raises(ContractError, match=rf"silver\.invocations.*{said}"):
        lake.run()
    assert lake.versions()["silver.invocations"] == before


def test_what_an_older_model_refused_is_given_to_todays(lake: SmallLake) -> None:
    query = lake.own_project() / "models" / "silver" / "invocations" / "litellm.sql"
    today = query.read_text()
    query.write_text(f"SELECT * REPLACE ('never' AS rejection_reason) FROM (\n{today}\n) AS before")
    lake.log("a.jsonl", [payload(1), payload(2)])
    lake.run()
    assert lake.rows("SELECT DISTINCT reason FROM {silver.rejected_records}") == [("never",)]

    query.write_text(today)
    rebuild_all(lake, "silver.invocations")
    lake.run()

    assert lake.rows("SELECT count(*) FROM {silver.rejected_records}") == [(0,)]
    assert lake.rows("SELECT count(*) FROM {silver.invocations}") == [(2,)]
    assert lake.rows("SELECT count(*), sum(cost_usd) > 0 FROM {gold.costs}") == [(2, True)]
    assert lake.rows("SELECT is_balanced, invocations FROM {gold.reconciliation}") == [(True, 2)]


def test_a_rollup_whose_sources_log_has_expired_says_so_and_a_rebuild_mends_it(lake: SmallLake) -> None:
    lake.write([outcome(1)])
    lake.run()
    lake.write([outcome(2, NEXT_DAY)])
    with lake.open() as opened:
        for step in STEPS[: [step.name for step in STEPS].index("gold.usage_hourly")]:
            step.act(opened, AS_OF)
        expired = opened.state("gold.costs").version
        commit_files(opened.delta("gold.costs"), opened.contract("gold.costs"), Commit({}, {}))
        opened.delta("gold.costs").create_checkpoint()
    (lake.root / "lake" / "gold" / "costs" / "_delta_log" / f"{expired:020d}.json").unlink()

    with pytest.raises(LakeError, match="no longer in its Delta log"):
        lake.run()
    rebuild_all(lake, "gold.costs")
    lake.run()

    assert lake.rows("SELECT event_date, sum(calls) FROM {gold.usage_hourly} GROUP BY 1 ORDER BY 1") == [
        (NOON.date(), 1),
        (NEXT_DAY.date(), 1),
    ]
