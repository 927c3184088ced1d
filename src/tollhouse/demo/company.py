"""The company whose traffic the demo shows: eight teams, their people, service principals and programs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tollhouse.demo.dice import Dice
from tollhouse.demo.words import FAMILY_NAMES, GIVEN_NAMES

PrincipalType = Literal["USER", "SERVICE_PRINCIPAL"]
DOMAIN = "meridian.example"


@dataclass(frozen=True)
class Team:
    """A team, what it pays from, how many people it has, and which programs they use with which weight."""

    name: str
    cost_center: str
    project: str
    people: int
    services: tuple[str, ...]
    clients: dict[str, int]
    is_logged: bool = True


@dataclass(frozen=True)
class Principal:
    """Somebody or something that calls, as of one moment."""

    name: str
    kind: PrincipalType
    team: Team
    groups: tuple[str, ...]
    key_id: str
    ip_address: str

    def paid_by(self, cost_center: str) -> "Principal":
        """The same principal after its team's move to ``cost_center``."""
        return replace(self, team=replace(self.team, cost_center=cost_center))


MOVING_TEAM = "payments"
MOVED_TO = "CC-4750"
TEAMS = (
    Team("platform", "CC-4100", "atlas", 6, ("ci-review-bot",), {"claude-code": 6, "codex": 3, "python-sdk": 1}),
    Team("payments", "CC-4300", "ledgerline", 5, ("dunning-service",), {"claude-code": 4, "cursor": 3, "node-sdk": 1}),
    Team("search", "CC-4200", "lighthouse", 4, ("search-indexer", "query-rewriter"), {"gemini-cli": 4, "codex": 2}),
    Team("mobile", "CC-4400", "pocket", 4, ("crash-triage",), {"cursor": 5, "codex": 3, "claude-code": 2}),
    Team("support", "CC-5100", "helpdesk", 6, ("support-assistant", "mail-router"), {"chat-ui": 5}),
    Team("marketing", "CC-5200", "spotlight", 3, ("copy-desk",), {"chat-ui": 4, "node-sdk": 1}),
    Team("data-science", "CC-4500", "foresight", 4, ("feature-labeller",), {"python-sdk": 4, "gemini-cli": 2}),
    Team("legal", "CC-6100", "clauses", 3, ("contract-reader",), {"chat-ui": 3}, is_logged=False),
)


def principals() -> list[Principal]:
    """Everybody who calls, people first within their team; names are unique and the same in every demo."""
    rng = Dice(len(TEAMS))
    names = _names(sum(team.people for team in TEAMS), rng)
    everybody: list[Principal] = []
    for team in TEAMS:
        everybody += [_principal(f"{next(names)}@{DOMAIN}", "USER", team, rng) for _ in range(team.people)]
        everybody += [_principal(service, "SERVICE_PRINCIPAL", team, rng) for service in team.services]
    return everybody


def _names(count: int, rng: Dice) -> Iterator[str]:
    given, family = rng.sample(GIVEN_NAMES, count), rng.sample(FAMILY_NAMES, count)
    return (f"{first.lower()}.{last.lower()}" for first, last in zip(given, family, strict=True))


def _principal(name: str, kind: PrincipalType, team: Team, rng: Dice) -> Principal:
    groups = (team.name,) if kind == "USER" else ("services",)
    address = f"10.{20 + TEAMS.index(team)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
    return Principal(name, kind, team, groups, f"vk_{rng.getrandbits(48):012x}", address)
