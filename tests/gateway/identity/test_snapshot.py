from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from gateway.identity.identity_times import NOON, PEPPER, StoreClock

from tollhouse.gateway.identity.keeper import SnapshotKeeper
from tollhouse.gateway.identity.snapshot import Grant, Snapshot
from tollhouse.gateway.identity.store import IdentityStore

AT = NOON.timestamp()
Take = Callable[[], Snapshot]


@pytest.fixture
def snapshot(store: IdentityStore, path: Path) -> Take:
    """What a worker that starts now knows."""

    def take() -> Snapshot:
        keeper = SnapshotKeeper(path, PEPPER)
        keeper.close()
        return keeper.current

    return take


def test_a_key_gives_its_principals_grant(store: IdentityStore, snapshot: Take) -> None:
    key = store.create_key("ana")
    grant = Grant(
        principal="ana",
        principal_type="USER",
        key_id=key.key_id,
        team="search",
        groups=("engineers",),
        cost_center="CC-1",
        project="own",
        auth_mode="virtual_key",
    )

    assert snapshot().authenticate(key.text, AT) == grant
    assert snapshot().authenticate(key.text.encode(), AT) == grant


@pytest.mark.parametrize(
    ("wish", "owner"),
    [
        ({}, ("search", "CC-1", "own")),
        ({"team": "mobile"}, ("mobile", "CC-2", "app")),
        ({"cost_center": "CC-3"}, ("search", "CC-3", "own")),
        ({"team": "mobile", "project": "p"}, ("mobile", "CC-2", "p")),
    ],
    ids=["nothing", "team", "cost center", "team and project"],
)
def test_the_key_comes_before_the_team_and_the_team_before_the_principal(
    store: IdentityStore, snapshot: Take, wish: dict[str, str], owner: tuple[str, ...]
) -> None:
    key = store.create_key("ana", **wish)
    grant = snapshot().authenticate(key.text, AT)

    assert isinstance(grant, Grant)
    assert (grant.team, grant.cost_center, grant.project) == owner


def test_a_principal_without_team_has_no_team_but_what_it_says_itself(store: IdentityStore, snapshot: Take) -> None:
    store.set_principal("bot", principal_type="SERVICE_PRINCIPAL", cost_center="CC-8")
    key = store.create_key("bot")

    assert snapshot().authenticate(key.text, AT) == Grant("bot", "SERVICE_PRINCIPAL", key.key_id, cost_center="CC-8")


def test_a_key_that_was_never_made_is_unknown(store: IdentityStore, snapshot: Take) -> None:
    key = store.create_key("ana").text
    known = snapshot()
    forged = key[:-1] + ("A" if key[-1] != "A" else "B")
    other_id = f"th_{'a' * 12}_{key[-43:]}"

    for text in (forged, other_id, "", "sk-123", key + "\n", key.upper(), "th_\ud800", f"{key} "):
        assert known.authenticate(text, AT) == "unknown"


def test_a_key_ends_at_the_very_moment_of_its_expiry(store: IdentityStore, snapshot: Take) -> None:
    key = store.create_key("ana", expires_at=NOON + timedelta(seconds=1)).text
    known = snapshot()

    assert isinstance(known.authenticate(key, AT + 0.999999), Grant)
    assert known.authenticate(key, AT + 1) == "expired"


def test_a_rotated_key_works_until_the_grace_ends(store: IdentityStore, snapshot: Take) -> None:
    old = store.create_key("ana")
    new = store.rotate_key(old.key_id, grace=timedelta(hours=1))
    known = snapshot()

    assert isinstance(known.authenticate(old.text, AT + 3599.999999), Grant)
    assert known.authenticate(old.text, AT + 3600) == "revoked"
    assert isinstance(known.authenticate(new.text, AT + 3600), Grant)


def test_a_key_that_is_revoked_and_expired_is_revoked(store: IdentityStore, snapshot: Take) -> None:
    key = store.create_key("ana", expires_at=NOON + timedelta(seconds=1))
    store.revoke_key(key.key_id)

    assert snapshot().authenticate(key.text, AT + 2) == "revoked"


def test_only_who_has_the_secret_learns_that_a_key_was_revoked(store: IdentityStore, snapshot: Take) -> None:
    key = store.create_key("ana")
    store.revoke_key(key.key_id)

    assert snapshot().authenticate(f"th_{key.key_id}_{'A' * 43}", AT) == "unknown"


def test_a_deleted_principals_keys_are_revoked(store: IdentityStore, snapshot: Take, clock: StoreClock) -> None:
    key = store.create_key("ana")
    store.delete_principal("ana")

    assert snapshot().authenticate(key.text, AT) == "revoked"
