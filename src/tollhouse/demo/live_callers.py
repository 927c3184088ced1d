"""Some of the demo's people and programs, with a virtual key each."""

from dataclasses import dataclass

from tollhouse.demo import company
from tollhouse.demo.company import Principal
from tollhouse.gateway.identity.pepper import load_pepper
from tollhouse.gateway.identity.schema import store_path
from tollhouse.gateway.identity.store import IdentityStore
from tollhouse.settings import Settings

_TEAMS = ("platform", "payments", "search", "support", "data-science")


@dataclass(frozen=True)
class Keys:
    """One key for each caller, and one that was revoked."""

    valid: list[str]
    revoked: str


def make_keys(settings: Settings) -> Keys:
    """Teams, principals and keys in the identity store of ``settings``; the gateway's start tells the request log.

    Raises StorageError and IdentityError as the store does.
    """
    with IdentityStore(store_path(settings.state_dir), load_pepper(settings.state_dir)) as store:
        callers = _callers()
        for who in callers:
            store.set_team(who.team.name, cost_center=who.team.cost_center, project=who.team.project)
            store.set_principal(who.name, principal_type=who.kind, teams=[who.team.name], groups=list(who.groups))
        valid = [store.create_key(who.name, description="demo").text for who in callers]
        revoked = store.create_key(callers[0].name, description="demo, revoked")
        store.revoke_key(revoked.key_id)
    return Keys(valid, revoked.text)


def _callers() -> list[Principal]:
    """The first of each of some teams, paid by what pays for the team today."""
    everybody = company.principals()
    first = [next(who for who in everybody if who.team.name == team) for team in _TEAMS]
    return [who.paid_by(company.MOVED_TO) if who.team.name == company.MOVING_TEAM else who for who in first]
