import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gateway.identity.identity_times import NOON, PEPPER, StoreClock

from tollhouse.errors import StorageError
from tollhouse.gateway.identity.errors import IdentityError
from tollhouse.gateway.identity.states import Key, Principal, Team
from tollhouse.gateway.identity.store import IdentityStore

CREATE_KEYS = """
import sys
from pathlib import Path
from tollhouse.gateway.identity.store import IdentityStore
sys.stdin.readline()
with IdentityStore(Path(sys.argv[1]), sys.argv[2].encode()) as store:
    store.set_principal("shared")
    for number in range(20):
        store.create_key("shared", description=f"{sys.argv[3]}-{number}")
"""
Open = Callable[[], IdentityStore]


def _all(store: IdentityStore) -> list[Key]:
    return store.keys(None)


def _key(store: IdentityStore, key_id: str) -> Key:
    return {key.key_id: key for key in _all(store)}[key_id]


def test_what_is_saved_is_there_when_it_is_opened_again(store: IdentityStore, open_store: Open) -> None:
    again = open_store()

    assert again.teams() == [Team("mobile", "CC-2", "app"), Team("search", "CC-1")]
    assert again.principals() == [
        Principal("ana", "USER", ("search", "mobile"), ("engineers",), "CC-9", "own"),
    ]
    assert again.version == store.version == 3


def test_only_what_is_given_changes(store: IdentityStore) -> None:
    store.set_principal("ana", principal_type="SERVICE_PRINCIPAL", project=None)
    store.set_team("search", project="index")

    assert store.principals() == [
        Principal("ana", "SERVICE_PRINCIPAL", ("search", "mobile"), ("engineers",), "CC-9", None)
    ]
    assert store.teams()[1] == Team("search", "CC-1", "index")


def test_what_changes_nothing_is_no_version_and_no_record(store: IdentityStore) -> None:
    before = store.version

    assert not store.set_principal("ana", teams=["search", "mobile"])
    assert not store.set_team("search", cost_center="CC-1")
    assert store.version == before
    assert store.waiting() == []


def test_each_change_raises_the_version_by_one(store: IdentityStore) -> None:
    before = store.version
    key = store.create_key("ana")
    store.rotate_key(key.key_id)
    store.delete_principal("ana")

    assert store.version == before + 3


def test_a_key_stands_in_the_store_as_it_was_wished(store: IdentityStore) -> None:
    expires = NOON + timedelta(days=90)
    fresh = store.create_key("ana", team="mobile", cost_center="CC-3", expires_at=expires, description="laptop")

    assert store.keys("ana") == [
        Key(
            key_id=fresh.key_id,
            principal="ana",
            created_at=NOON,
            team="mobile",
            cost_center="CC-3",
            description="laptop",
            expires_at=expires,
        )
    ]
    assert fresh.expires_at == expires


def test_a_rotated_key_has_the_same_grants_and_the_old_one_ends_after_the_grace(
    store: IdentityStore, clock: StoreClock
) -> None:
    old = store.create_key("ana", team="mobile", expires_at=NOON + timedelta(days=90), description="laptop")
    clock.go(days=80)
    fresh = store.rotate_key(old.key_id, grace=timedelta(hours=1))
    new, was = _key(store, fresh.key_id), _key(store, old.key_id)

    assert (new.team, new.description, new.rotated_from) == ("mobile", "laptop", old.key_id)
    assert new.expires_at == NOON + timedelta(days=170)
    assert was.revoked_at == NOON + timedelta(days=80, hours=1)
    assert [was.status(clock()), was.status(was.revoked_at)] == ["rotated", "revoked"]


def test_a_rotation_without_grace_ends_the_old_key_at_once(store: IdentityStore) -> None:
    old = store.create_key("ana")
    store.rotate_key(old.key_id)

    assert _key(store, old.key_id).status(NOON) == "revoked"


def test_a_rotated_key_may_get_another_expiry(store: IdentityStore) -> None:
    old = store.create_key("ana")
    new = store.rotate_key(old.key_id, expires_at=NOON + timedelta(days=1))

    assert _key(store, new.key_id).expires_at == NOON + timedelta(days=1)


def test_revoking_ends_the_grace_too_and_twice_is_once(store: IdentityStore, clock: StoreClock) -> None:
    old = store.create_key("ana")
    store.rotate_key(old.key_id, grace=timedelta(hours=1))
    clock.go(minutes=1)

    assert store.revoke_key(old.key_id)
    assert _key(store, old.key_id).revoked_at == NOON + timedelta(minutes=1)
    assert not store.revoke_key(old.key_id)


def test_a_deleted_principal_has_no_live_key_and_begins_anew(store: IdentityStore, clock: StoreClock) -> None:
    store.create_key("ana")
    store.revoke_key(store.create_key("ana").key_id)
    clock.go(minutes=1)

    assert store.delete_principal("ana") == 1
    assert {key.status(clock()) for key in store.keys("ana")} == {"revoked"}
    assert store.principals() == [Principal("ana", is_deleted=True)]
    assert store.set_principal("ana", groups=["guests"])
    assert store.principals() == [Principal("ana", groups=("guests",))]
    assert {key.status(clock()) for key in store.keys("ana")} == {"revoked"}


Act = Callable[[IdentityStore], Any]


REFUSED: dict[str, tuple[Act, str]] = {
    "key of nobody": (lambda s: s.create_key("bob"), "there is no principal 'bob'"),
    "key of no team": (lambda s: s.create_key("ana", team="legal"), "there is no team 'legal'"),
    "key that has expired": (
        lambda s: s.create_key("ana", expires_at=NOON),
        r"an expiry of 2026-03-01T12:00:00\.000000Z has passed",
    ),
    "padded project": (lambda s: s.create_key("ana", project=" x"), "the project ' x' cannot be used"),
    "line break": (lambda s: s.create_key("ana", description="a\nb"), r"the description 'a\\nb' cannot be used"),
    "principal of no team": (lambda s: s.set_principal("bob", teams=["legal"]), "there is no team 'legal'"),
    "team twice": (lambda s: s.set_principal("bob", teams=["search", "search"]), "the team 'search' is named twice"),
    "group twice": (lambda s: s.set_principal("bob", groups=["a", "a"]), "the group 'a' is named twice"),
    "empty name": (lambda s: s.set_principal(""), "the principal '' cannot be used"),
    "surrogate": (lambda s: s.set_principal("\ud800"), "the principal"),
    "long name": (lambda s: s.set_team("x" * 257), "the team"),
    "empty cost center": (lambda s: s.set_team("x", cost_center=""), "the cost center '' cannot be used"),
    "delete nobody": (lambda s: s.delete_principal("bob"), "there is no principal 'bob'"),
    "list nobody": (lambda s: s.keys("bob"), "there is no principal 'bob'"),
    "revoke nothing": (lambda s: s.revoke_key("nope"), "there is no key with the id 'nope'"),
    "rotate nothing": (lambda s: s.rotate_key("nope"), "there is no key with the id 'nope'"),
}


@pytest.mark.parametrize(("act", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_and_leaves_no_trace(store: IdentityStore, act: Act, said: str) -> None:
    before = store.version, store.principals(), store.teams()

    with pytest.raises(IdentityError, match=said):
        act(store)

    assert (store.version, store.principals(), store.teams()) == before
    assert (store.keys(), store.waiting()) == ([], [])


def test_a_key_that_has_ended_is_not_rotated(store: IdentityStore, clock: StoreClock) -> None:
    expired = store.create_key("ana", expires_at=NOON + timedelta(days=1))
    revoked, rotated = store.create_key("ana"), store.create_key("ana")
    store.revoke_key(revoked.key_id)
    store.rotate_key(rotated.key_id, grace=timedelta(days=2))
    clock.go(days=1)

    for key, said in [
        (expired, "is expired since 2026-03-02T12"),
        (revoked, "is revoked since 2026-03-01T12"),
        (rotated, "is rotated already and ends 2026-03-03T12"),
    ]:
        with pytest.raises(IdentityError, match=said):
            store.rotate_key(key.key_id)


def test_a_span_that_leads_nowhere_is_refused(store: IdentityStore) -> None:
    key = store.create_key("ana")

    with pytest.raises(IdentityError, match="a grace of -1 s is negative"):
        store.rotate_key(key.key_id, grace=timedelta(seconds=-1))
    with pytest.raises(IdentityError, match="beyond the year 9999"):
        store.rotate_key(key.key_id, grace=timedelta(days=9_999_999))


def test_deleting_twice_says_that_it_is_deleted(store: IdentityStore) -> None:
    store.delete_principal("ana")

    with pytest.raises(IdentityError, match="the principal 'ana' is deleted"):
        store.delete_principal("ana")
    assert store.keys("ana") == []


def test_a_whole_key_in_the_place_of_an_id_is_not_repeated(store: IdentityStore) -> None:
    key = store.create_key("ana").text

    with pytest.raises(IdentityError, match="there is no key with the id of 59 characters") as caught:
        store.revoke_key(key)
    assert key not in str(caught.value)


def test_another_pepper_is_an_error_and_not_unknown_keys(store: IdentityStore, path: Path) -> None:
    with pytest.raises(IdentityError, match=r"identity\.sqlite were made under another pepper"):
        IdentityStore(path, b"another pepper of at least 32 bytes")


def test_no_secret_is_ever_in_the_files(store: IdentityStore, path: Path) -> None:
    made = [store.create_key("ana") for _ in range(50)]
    made += [store.rotate_key(key.key_id, grace=timedelta(hours=1)) for key in made[:20]]
    held = b"".join(file.read_bytes() for file in path.parent.iterdir())

    assert path.with_name("identity.sqlite-wal").stat().st_size > 0
    assert all(key.key_id.encode() in held for key in made)
    assert not [key for key in made if key.text.rpartition("_")[2].encode() in held]
    assert re.search(rb"[0-9A-Za-z]{43}", held) is None
    assert PEPPER not in held


def test_only_the_owner_may_read_the_files(store: IdentityStore, path: Path) -> None:
    store.create_key("ana")

    assert {file.name: file.stat().st_mode & 0o077 for file in path.parent.glob("identity.sqlite*")} == {
        "identity.sqlite": 0,
        "identity.sqlite-wal": 0,
        "identity.sqlite-shm": 0,
        "identity.sqlite.lock": 0o040,
    }


def test_processes_that_change_it_at_once_lose_nothing(path: Path) -> None:
    command = [sys.executable, "-c", CREATE_KEYS, str(path), PEPPER.decode()]
    started = [subprocess.Popen([*command, name], stdin=subprocess.PIPE, text=True) for name in "abcd"]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in started:
        process.communicate(timeout=120)

    assert [process.returncode for process in started] == [0, 0, 0, 0]
    with IdentityStore(path, PEPPER) as store:
        assert {key.description for key in _all(store)} == {f"{name}-{n}" for name in "abcd" for n in range(20)}
        assert store.version == 81
        assert len(store.waiting()) == 81


def test_a_store_that_another_process_holds_is_waited_for_and_then_an_error(
    store: IdentityStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.connection.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StorageError, match="database is locked"):
            store.create_key("ana")
    finally:
        other.close()
    assert store.keys() == []


def test_a_file_that_is_no_database_is_an_error_that_says_what_to_do(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something else" * 100)

    with pytest.raises(StorageError, match=r"file is not a database\n.*move identity\.sqlite away"):
        IdentityStore(path, PEPPER)


def test_a_store_of_a_newer_program_is_an_error(store: IdentityStore, path: Path) -> None:
    store.connection.execute("PRAGMA user_version = 99")

    with pytest.raises(StorageError, match="has version 99, this program knows 1"):
        IdentityStore(path, PEPPER)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")

    with pytest.raises(StorageError, match=r"cannot make .*identity"):
        IdentityStore(tmp_path / "state" / "identity.sqlite", PEPPER)
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


def test_a_damaged_file_is_an_error_whatever_is_asked(store: IdentityStore, path: Path) -> None:
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))

    with pytest.raises(StorageError, match=r"database disk image is malformed\n.*restore it from a copy"):
        IdentityStore(path, PEPPER)
