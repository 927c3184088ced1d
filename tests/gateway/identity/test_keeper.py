import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from gateway.identity.identity_times import NOON, PEPPER

from tollhouse.gateway.identity.errors import IdentityError
from tollhouse.gateway.identity.keeper import SnapshotKeeper
from tollhouse.gateway.identity.loading import PAGE_ROWS
from tollhouse.gateway.identity.snapshot import Grant
from tollhouse.gateway.identity.store import IdentityStore

AT = NOON.timestamp()
WATCH = """
import asyncio, sys
from pathlib import Path
from tollhouse.gateway.identity.keeper import SnapshotKeeper
async def main():
    keeper = SnapshotKeeper(Path(sys.argv[1]), sys.argv[2].encode())
    keeping = asyncio.create_task(keeper.keep())
    print("ready", flush=True)
    while (said := keeper.current.authenticate(sys.argv[3], float(sys.argv[4]))) not in ("revoked", "expired"):
        await asyncio.sleep(0.005)
    print(said, flush=True)
    keeping.cancel()
asyncio.run(main())
"""


@pytest.fixture
def keeper(store: IdentityStore, path: Path) -> Iterator[SnapshotKeeper]:
    made = SnapshotKeeper(path, PEPPER)
    yield made
    made.close()


def _accepts(keeper: SnapshotKeeper, key: str) -> bool:
    return isinstance(keeper.current.authenticate(key, AT), Grant)


def test_a_keeper_makes_the_store_where_there_is_none(path: Path) -> None:
    keeper = SnapshotKeeper(path, PEPPER)

    assert keeper.current.authenticate(f"th_{'a' * 12}_{'A' * 43}", AT) == "unknown"
    with IdentityStore(path, PEPPER) as store:
        store.set_principal("bob")
        key = store.create_key("bob").text
    assert keeper.refresh()
    assert _accepts(keeper, key)
    keeper.close()


def test_another_pepper_is_an_error_at_the_start(store: IdentityStore, path: Path) -> None:
    with pytest.raises(IdentityError, match="under another pepper"):
        SnapshotKeeper(path, b"another pepper of at least 32 bytes")


def test_a_change_makes_another_snapshot_and_leaves_the_old_one(store: IdentityStore, keeper: SnapshotKeeper) -> None:
    key = store.create_key("ana")
    before = keeper.current

    assert keeper.refresh()
    assert before.authenticate(key.text, AT) == "unknown"
    assert _accepts(keeper, key.text)
    assert keeper.current.version == before.version + 1


def test_no_change_keeps_the_snapshot(store: IdentityStore, keeper: SnapshotKeeper) -> None:
    before = keeper.current
    assert not keeper.refresh()
    store.set_principal("bob")
    assert keeper.refresh()
    store.forget_delivered(store.waiting())

    assert not keeper.refresh()
    assert keeper.current is not before


def test_changes_of_team_and_principal_reach_their_keys(store: IdentityStore, keeper: SnapshotKeeper) -> None:
    key = store.create_key("ana").text
    store.set_team("search", cost_center="CC-5")
    store.set_principal("ana", groups=["guests"])
    keeper.refresh()
    grant = keeper.current.authenticate(key, AT)

    assert isinstance(grant, Grant)
    assert (grant.cost_center, grant.groups) == ("CC-5", ("guests",))


def test_more_keys_than_a_page_holds_are_all_known(store: IdentityStore, keeper: SnapshotKeeper) -> None:
    known = [store.create_key("ana") for _ in range(PAGE_ROWS + 1)]
    keeper.refresh()
    assert all(_accepts(keeper, key.text) for key in known)
    store.delete_principal("ana")
    keeper.refresh()

    assert {keeper.current.authenticate(key.text, AT) for key in known} == {"revoked"}


def test_a_locked_store_keeps_the_snapshot_and_says_why(
    store: IdentityStore, keeper: SnapshotKeeper, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollhouse.gateway.database.BUSY_SECONDS", 0.05)
    key = store.create_key("ana").text
    keeper.refresh()
    store.close()
    keeper.close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert not keeper.refresh()
        assert keeper.error is not None
        assert "database is locked" in keeper.error
        assert _accepts(keeper, key)
    finally:
        other.close()

    keeper.refresh()
    assert keeper.error is None
    assert _accepts(keeper, key)


def test_a_store_that_has_gone_keeps_the_snapshot_and_is_not_made_anew(
    store: IdentityStore, keeper: SnapshotKeeper, path: Path
) -> None:
    key = store.create_key("ana").text
    keeper.refresh()
    store.close()
    keeper.close()
    path.rename(path.with_name("away"))

    assert not keeper.refresh()
    assert keeper.error is not None
    assert "No such file" in keeper.error
    assert not path.exists()
    path.with_name("away").rename(path)
    keeper.refresh()
    assert (keeper.error, _accepts(keeper, key)) == (None, True)


def test_a_store_that_was_put_back_from_a_copy_is_read_anew(
    store: IdentityStore, keeper: SnapshotKeeper, path: Path
) -> None:
    early = store.create_key("ana").text
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(path, path.with_name("copy"))
    late = store.create_key("ana").text
    keeper.refresh()
    assert _accepts(keeper, late)
    store.close()
    keeper.close()
    path.with_name("copy").replace(path)

    assert keeper.refresh()
    assert (_accepts(keeper, early), keeper.current.authenticate(late, AT)) == (True, "unknown")


def test_a_file_that_takes_the_stores_name_while_it_is_open_is_noticed(
    store: IdentityStore, keeper: SnapshotKeeper, path: Path, tmp_path: Path
) -> None:
    with IdentityStore(tmp_path / "other.sqlite", PEPPER) as other:
        other.set_principal("bob")
        key = other.create_key("bob").text
        other.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()
    (tmp_path / "other.sqlite").replace(path)

    assert keeper.refresh()
    assert _accepts(keeper, key)


def test_a_store_under_another_pepper_that_takes_its_place_is_not_believed(
    store: IdentityStore, keeper: SnapshotKeeper, path: Path, tmp_path: Path
) -> None:
    key = store.create_key("ana").text
    keeper.refresh()
    IdentityStore(tmp_path / "other.sqlite", b"another pepper of at least 32 bytes").close()
    store.close()
    keeper.close()
    (tmp_path / "other.sqlite").replace(path)

    assert not keeper.refresh()
    assert keeper.error is not None
    assert "under another pepper" in keeper.error
    assert _accepts(keeper, key)


def test_a_row_that_is_damaged_keeps_the_snapshot(store: IdentityStore, keeper: SnapshotKeeper) -> None:
    key = store.create_key("ana")
    keeper.refresh()
    store.connection.execute("UPDATE keys SET expires_at = 'soon', version = 99")
    store.connection.execute("UPDATE store SET version = 99")

    assert not keeper.refresh()
    assert keeper.error is not None
    assert "Invalid isoformat string: 'soon'" in keeper.error
    assert _accepts(keeper, key.text)


@pytest.mark.parametrize("is_rotated", [False, True])
def test_a_revocation_reaches_the_keepers_of_other_processes(
    store: IdentityStore, path: Path, is_rotated: bool
) -> None:
    key = store.create_key("ana")
    command = [sys.executable, "-c", WATCH, str(path), PEPPER.decode(), key.text, str(AT)]
    watching = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.stdout is not None and process.stdout.readline() for process in watching] == ["ready\n"] * 2
    if is_rotated:
        store.rotate_key(key.key_id, grace=timedelta())
    else:
        store.revoke_key(key.key_id)

    assert [process.communicate(timeout=30)[0] for process in watching] == ["revoked\n", "revoked\n"]


def test_keeping_follows_changes_until_it_is_cancelled(store: IdentityStore, keeper: SnapshotKeeper) -> None:
    async def follow(text: Callable[[], str]) -> bool:
        keeping = asyncio.create_task(keeper.keep(0.01))
        key = text()
        async with asyncio.timeout(30):
            while not _accepts(keeper, key):
                await asyncio.sleep(0.005)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        return keeping.cancelled()

    assert asyncio.run(follow(lambda: store.create_key("ana").text))
