import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tollhouse.cli import main
from tollhouse.gateway.identity.keeper import SnapshotKeeper
from tollhouse.gateway.identity.keys import KEY_PATTERN, KEY_SOURCE
from tollhouse.gateway.identity.pepper import load_pepper
from tollhouse.gateway.identity.schema import store_path
from tollhouse.gateway.identity.snapshot import Grant
from tollhouse.spool.reader import list_segments, read_lines

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of an empty working directory."""
    monkeypatch.delenv("TOLLHOUSE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".tollhouse"


@pytest.fixture
def run(state: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``tollhouse keys ARGUMENTS``: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["keys", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def ana(run: Run) -> str:
    """A principal of the team search."""
    run("team", "search", "--cost-center", "CC-1")
    run("principal", "ana", "--team", "search", "--group", "engineers")
    return "ana"


def _key(run: Run, *arguments: str) -> str:
    code, out, err = run(*arguments, "--quiet")
    assert (code, err) == (0, "")
    assert KEY_PATTERN.fullmatch(out.rstrip("\n").encode())
    return out.rstrip("\n")


def _grant(state: Path, key: str, at: datetime | None = None) -> Grant | str:
    """What a worker that starts now says of the key."""
    keeper = SnapshotKeeper(store_path(state), load_pepper(state))
    keeper.close()
    return keeper.current.authenticate(key, (at or datetime.now(UTC)).timestamp())


def _rows(run: Run, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run(*arguments, "--json")[1].splitlines()]


def _spooled(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line.raw) for segment in list_segments(folder) for line in read_lines(segment)]


def test_a_key_is_shown_once_and_opens_the_gateway(run: Run, state: Path, ana: str) -> None:
    code, out, err = run("create", ana, "--project", "app", "--expires", "90d", "--description", "laptop")
    (key,) = re.findall(KEY_SOURCE, out)
    grant = _grant(state, key)

    assert (code, err) == (0, "")
    assert re.search(r"^A key for ana; it expires \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ:$", out, re.MULTILINE)
    assert isinstance(grant, Grant)
    assert (grant.principal, grant.team, grant.groups) == ("ana", "search", ("engineers",))
    assert (grant.cost_center, grant.project) == ("CC-1", "app")
    assert key not in run("list")[1] + run("list", "--json")[1]


def test_a_quiet_key_is_all_that_is_printed(run: Run, ana: str) -> None:
    code, out, err = run("create", ana, "--quiet")

    assert (code, err) == (0, "")
    assert re.fullmatch(KEY_SOURCE + "\n", out)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2099-01-01", datetime(2099, 1, 1, tzinfo=UTC)),
        ("2099-01-01T12:00", datetime(2099, 1, 1, 12, tzinfo=UTC)),
        ("2099-01-01T12:00:00+02:00", datetime(2099, 1, 1, 10, tzinfo=UTC)),
    ],
)
def test_an_expiry_is_a_date_or_a_time_in_utc(run: Run, state: Path, ana: str, text: str, ends: datetime) -> None:
    key = _key(run, "create", ana, "--expires", text)

    assert isinstance(_grant(state, key, ends - timedelta(seconds=1)), Grant)
    assert _grant(state, key, ends) == "expired"


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("30m", 1800), ("12h", 43200), ("90d", 7776000), ("1w", 604800)]
)
def test_an_expiry_is_a_duration_from_now(run: Run, ana: str, text: str, seconds: int) -> None:
    before = datetime.now(UTC)
    _key(run, "create", ana, "--expires", text)
    ends = datetime.fromisoformat(str(_rows(run, "list")[0]["expires_at"]))

    assert before <= ends - timedelta(seconds=seconds) <= datetime.now(UTC)


def test_keys_are_listed_with_their_state(run: Run, ana: str) -> None:
    old = _key(run, "create", ana, "--description", "laptop")[3:15]
    new = _key(run, "rotate", old, "--grace", "1h")[3:15]
    gone = _key(run, "create", ana, "--team", "search")[3:15]
    run("revoke", gone)
    run("principal", "bob")
    _key(run, "create", "bob")
    code, out, _ = run("list", "--principal", ana)
    heading, *lines = out.splitlines()

    assert code == 0
    assert heading.split()[:3] == ["KEY", "ID", "PRINCIPAL"]
    assert [line.split()[:3] for line in lines] == [
        [old, "ana", "rotated"],
        [new, "ana", "active"],
        [gone, "ana", "revoked"],
    ]
    assert len({line.index("ana") for line in lines}) == 1
    assert [row["rotated_from"] for row in _rows(run, "list")] == [None, old, None, None]


def test_principals_and_teams_are_listed(run: Run, ana: str) -> None:
    run("principal", "bot", "--type", "service_principal", "--cost-center", "CC-7")
    run("principal", "eve")
    run("principal", "eve", "--delete")

    assert run("principals")[1].splitlines() == [
        "PRINCIPAL  TYPE               TEAMS   GROUPS     COST CENTER  PROJECT  STATUS",
        "ana        USER               search  engineers  -            -        active",
        "bot        SERVICE_PRINCIPAL  -       -          CC-7         -        active",
        "eve        USER               -       -          -            -        deleted",
    ]
    assert run("teams")[1].splitlines() == ["TEAM    COST CENTER  PROJECT", "search  CC-1         -"]
    assert _rows(run, "teams") == [{"name": "search", "cost_center": "CC-1", "project": None}]
    assert _rows(run, "principals")[1]["principal_type"] == "SERVICE_PRINCIPAL"


def test_an_empty_store_has_empty_lists(run: Run) -> None:
    assert [run(name)[1].splitlines()[-1] for name in ("list", "principals", "teams")] == ["(none)"] * 3
    assert run("list", "--json")[1] == ""


def test_a_rotated_key_takes_over_and_the_old_one_ends(run: Run, state: Path, ana: str) -> None:
    old = _key(run, "create", ana)
    new = _key(run, "rotate", old[3:15])

    assert _grant(state, old) == "revoked"
    assert isinstance(_grant(state, new), Grant)
    assert "which ends in 1:00:00; it never expires" in run("rotate", new[3:15], "--grace", "1h")[1]


def test_a_revoked_key_is_refused_and_stays_so(run: Run, state: Path, ana: str) -> None:
    key = _key(run, "create", ana)

    assert run("revoke", key[3:15])[:2] == (0, f"The key {key[3:15]} is revoked.\n")
    assert run("revoke", key[3:15])[:2] == (0, f"The key {key[3:15]} was already revoked.\n")
    assert _grant(state, key) == "revoked"


def test_options_change_what_they_name_and_an_empty_one_takes_away(run: Run, ana: str) -> None:
    run("team", "mobile")
    run("principal", ana, "--team", "mobile", "--team", "search", "--project", "app")
    (row,) = _rows(run, "principals")
    assert (row["teams"], row["groups"], row["project"]) == (["mobile", "search"], ["engineers"], "app")

    run("principal", ana, "--team", "", "--group", "", "--project", "")
    (row,) = _rows(run, "principals")
    assert (row["teams"], row["groups"], row["project"]) == ([], [], None)
    run("team", "search", "--cost-center", "")
    assert _rows(run, "teams")[1]["cost_center"] is None


def test_what_is_like_that_already_says_so(run: Run, ana: str) -> None:
    assert run("principal", ana, "--team", "search")[1] == "The principal ana was like that already.\n"
    assert run("team", "search")[1] == "The team search was like that already.\n"


def test_a_deleted_principals_keys_are_revoked(run: Run, state: Path, ana: str) -> None:
    key = _key(run, "create", ana)

    assert run("principal", ana, "--delete")[:2] == (0, "The principal ana is deleted; keys revoked: 1.\n")
    assert _grant(state, key) == "revoked"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("create bob", 1, "there is no principal 'bob'"),
        ("create ana --team legal", 1, "there is no team 'legal'"),
        ("create ana --expires 2020-01-01", 1, "an expiry of 2020-01-01T00:00:00.000000Z has passed"),
        ("create ana --expires 0s", 1, "has passed"),
        ("create ana --expires soon", 2, "'soon' is neither a duration such as 90d nor a date such as 2027-01-01"),
        ("create ana --expires 999999999w", 2, "'999999999w' is too long a duration"),
        ("create ana --expires 9999999d", 2, "'9999999d' is after the year 9999"),
        ("rotate nope", 1, "there is no key with the id 'nope'"),
        ("rotate nope --grace 1", 2, "'1' is not a duration such as 30m, 1h or 90d"),
        ("rotate nope --grace 999999999w", 2, "'999999999w' is too long a duration"),
        ("revoke nope", 1, "there is no key with the id 'nope'"),
        ("list --principal bob", 1, "there is no principal 'bob'"),
        ("principal bob --team legal", 1, "`tollhouse keys team NAME` makes one"),
        ("principal ana --delete --team search", 2, "--delete goes with no other option"),
        ("principal bob --delete", 1, "there is no principal 'bob'"),
    ],
)
def test_what_cannot_be_done_says_why(run: Run, ana: str, arguments: str, code: int, said: str) -> None:
    found, out, err = run(*arguments.split())

    assert (found, out) == (code, "")
    assert said in err


def test_every_change_is_in_the_spool_when_the_command_has_ended(run: Run, ana: str) -> None:
    key = _key(run, "create", ana)
    run("team", "search", "--cost-center", "CC-2")
    run("revoke", key[3:15])

    assert [
        (record["record"], record["principal"], record["change"], record.get("key_id"), record.get("cost_center"))
        for record in _spooled(Path("spool"))
    ] == [
        ("IDENTITY", "ana", "created", None, "CC-1"),
        ("IDENTITY", "ana", "created", key[3:15], None),
        ("IDENTITY", "ana", "updated", None, "CC-2"),
        ("IDENTITY", "ana", "revoked", key[3:15], None),
    ]


def test_a_spool_that_refuses_is_a_warning_and_the_next_command_delivers(run: Run, state: Path) -> None:
    Path("spool").write_text("in the way")
    code, out, err = run("principal", "ana")
    key = _key_despite_warning(run)

    assert (code, out) == (0, "The principal ana is saved.\n")
    assert err.startswith("Warning: the change is in force, but is not in the spool yet: cannot take the spool's slot")
    assert isinstance(_grant(state, key), Grant)
    Path("spool").unlink()
    assert run("list")[2] == ""
    assert [record["change"] for record in _spooled(Path("spool"))] == ["created", "created"]


def _key_despite_warning(run: Run) -> str:
    code, out, err = run("create", "ana", "--quiet")
    assert code == 0
    assert "Warning" in err
    return out.rstrip("\n")


def test_the_configured_pepper_is_the_one_that_counts(run: Run, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("tollhouse.yml").write_text("gateway: {identity: {pepper: {env: TH_PEPPER}}}\n")
    monkeypatch.setenv("TH_PEPPER", "a pepper of the company's own vault")
    run("principal", "ana")
    assert not (state / "gateway" / "pepper").exists()
    monkeypatch.setenv("TH_PEPPER", "another one of the company's own vault")
    code, _, err = run("create", "ana")

    assert code == 1
    assert "were made under another pepper" in err


def test_the_commands_load_no_engine_and_no_gateway_of_calls() -> None:
    code = (
        "import sys; from tollhouse.cli import main; main(['keys', '--help']); "
        "print(*{'duckdb', 'polars', 'pyarrow', 'aiohttp', 'httptools', 'sqlite3'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == ""
