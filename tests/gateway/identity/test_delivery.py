import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from gateway.identity.identity_times import NOON, PEPPER, StoreClock

from tollhouse.errors import StorageError
from tollhouse.gateway.identity.delivery import deliver
from tollhouse.gateway.identity.store import IdentityStore
from tollhouse.spool.reader import list_segments, read_lines
from tollhouse.spool.records import Identity

CHANGE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from tollhouse.gateway.identity.store import IdentityStore
with IdentityStore(Path(sys.argv[1]), sys.argv[2].encode()) as store:
    store.create_key("ana")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _spooled(root: Path) -> list[Identity]:
    lines = [line for segment in list_segments(root) for line in read_lines(segment)]
    return [msgspec.json.decode(line.raw, type=Identity) for line in lines]


def _waiting(store: IdentityStore) -> list[Identity]:
    return [msgspec.json.decode(letter.record, type=Identity) for letter in store.waiting()]


def test_a_principals_record_has_its_first_teams_cost_center_and_its_own_where_the_team_has_none(
    store: IdentityStore,
) -> None:
    store.set_principal("bob", principal_type="SERVICE_PRINCIPAL", teams=["search"], cost_center="CC-7", project="own")

    assert _waiting(store) == [
        Identity(
            recorded_at="2026-03-01T12:00:00.000003Z",
            principal="bob",
            principal_type="SERVICE_PRINCIPAL",
            valid_from="2026-03-01T12:00:00.000003Z",
            change="created",
            teams=["search"],
            cost_center="CC-1",
            project="own",
        )
    ]


def test_a_keys_record_says_what_the_key_itself_sets(store: IdentityStore, clock: StoreClock) -> None:
    clock.go(hours=1)
    key = store.create_key("ana", team="mobile", cost_center="CC-3", expires_at=NOON + timedelta(days=2))

    assert _waiting(store) == [
        Identity(
            recorded_at="2026-03-01T13:00:00.000000Z",
            principal="ana",
            principal_type="USER",
            valid_from="2026-03-01T13:00:00.000000Z",
            change="created",
            teams=["mobile"],
            cost_center="CC-3",
            key_id=key.key_id,
            key_expires_at="2026-03-03T12:00:00.000000Z",
        )
    ]


def test_rotation_and_revocation_say_when_the_key_ends(store: IdentityStore, clock: StoreClock) -> None:
    old = store.create_key("ana")
    clock.go(hours=1)
    new = store.rotate_key(old.key_id, grace=timedelta(hours=2))
    clock.go(hours=1)
    store.revoke_key(old.key_id)

    assert [(record.key_id, record.change, record.key_expires_at) for record in _waiting(store)] == [
        (old.key_id, "created", None),
        (new.key_id, "created", None),
        (old.key_id, "rotated", "2026-03-01T15:00:00.000000Z"),
        (old.key_id, "revoked", "2026-03-01T14:00:00.000000Z"),
    ]


def test_a_deleted_principal_has_a_state_without_teams(store: IdentityStore) -> None:
    key = store.create_key("ana")
    store.forget_delivered(store.waiting())
    store.delete_principal("ana")

    assert [(record.key_id, record.change, record.teams, record.cost_center) for record in _waiting(store)] == [
        (key.key_id, "revoked", [], None),
        (None, "deleted", [], None),
    ]


def test_a_teams_change_is_told_of_each_principal_that_is_paid_otherwise(store: IdentityStore) -> None:
    store.set_principal("bob", teams=["search"])
    store.set_principal("eve", teams=["mobile", "search"])
    store.set_principal("zoe", teams=["search"], project="z")
    store.forget_delivered(store.waiting())
    store.set_team("search", cost_center="CC-5")
    store.set_team("search", project="index")

    assert [(record.principal, record.cost_center, record.project, record.change) for record in _waiting(store)] == [
        ("ana", "CC-5", "own", "updated"),
        ("bob", "CC-5", None, "updated"),
        ("zoe", "CC-5", "z", "updated"),
        ("ana", "CC-5", "index", "updated"),
        ("bob", "CC-5", "index", "updated"),
        ("zoe", "CC-5", "index", "updated"),
    ]


def test_a_team_that_takes_over_what_its_members_said_themselves_changes_no_principal(store: IdentityStore) -> None:
    store.set_principal("ana", project="own")
    store.forget_delivered(store.waiting())
    store.set_team("search", project="own")

    assert store.waiting() == []


def test_a_clock_that_is_set_back_does_not_put_a_new_state_before_an_old_one(
    store: IdentityStore, clock: StoreClock
) -> None:
    clock.go(hours=2)
    store.set_principal("ana", groups=["one"])
    clock.go(hours=-1)
    store.set_principal("ana", groups=["two"])

    assert [(record.groups, record.valid_from) for record in _waiting(store)] == [
        (["one"], "2026-03-01T14:00:00.000000Z"),
        (["two"], "2026-03-01T14:00:00.000001Z"),
    ]


def test_delivered_records_are_in_a_sealed_segment_and_wait_no_more(store: IdentityStore, tmp_path: Path) -> None:
    store.set_principal("bob")
    store.create_key("bob")
    expected = _waiting(store)

    assert deliver(store, tmp_path / "spool") == 2
    assert _spooled(tmp_path / "spool") == expected
    assert list((tmp_path / "spool").rglob("*.open*")) == []
    assert store.waiting() == []


def test_nothing_to_deliver_takes_no_slot(store: IdentityStore, tmp_path: Path) -> None:
    assert deliver(store, tmp_path / "spool") == 0
    assert not (tmp_path / "spool").exists()


def test_what_a_spool_refuses_waits_for_the_next_time(store: IdentityStore, tmp_path: Path) -> None:
    root = tmp_path / "spool"
    root.write_text("in the way")
    store.set_principal("bob")
    with pytest.raises(StorageError, match="cannot take the spool's slot"):
        deliver(store, root)
    root.unlink()
    store.set_principal("eve")

    assert deliver(store, root) == 2
    assert [record.principal for record in _spooled(root)] == ["bob", "eve"]


def test_records_that_two_deliver_at_once_lose_none_that_comes_between(
    store: IdentityStore, open_store: Callable[[], IdentityStore], tmp_path: Path
) -> None:
    other = open_store()
    store.set_principal("bob")
    seen_by_other = other.waiting()
    deliver(store, tmp_path / "spool")
    store.set_principal("eve")
    other.forget_delivered(seen_by_other)

    assert [record.principal for record in _waiting(store)] == ["eve"]


def test_a_kill_between_change_and_delivery_leaves_the_record_for_the_next_process(
    store: IdentityStore, path: Path, tmp_path: Path
) -> None:
    done = subprocess.run([sys.executable, "-c", CHANGE_AND_DIE, str(path), PEPPER.decode()], check=False)

    assert done.returncode == -signal.SIGKILL
    assert deliver(store, tmp_path / "spool") == 1
    (key,) = store.keys("ana")
    assert [record.key_id for record in _spooled(tmp_path / "spool")] == [key.key_id]
