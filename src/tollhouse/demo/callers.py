"""Who calls next, with which program, and in which session."""

from collections import deque
from dataclasses import dataclass
from itertools import accumulate

from tollhouse.demo import company
from tollhouse.demo.clients import CLIENTS, SERVICE_CLIENTS, Client
from tollhouse.demo.company import Principal
from tollhouse.demo.dice import Dice
from tollhouse.demo.moments import SECOND
from tollhouse.ids import uuid7

LONGEST_SESSION = 60
SESSION_IDLE_US = 20 * 60 * SECOND
SERVICE_WEIGHT = 1.5
AGENT_SHARE = 0.35


@dataclass(slots=True)
class Session:
    """A run of one program by one principal; ``cached`` tokens lie in the provider's cache."""

    session_id: str
    last_us: int
    turn: int = 0
    cached: int = 0
    is_long_lived: bool = False


class Callers:
    """Draws callers by weight and keeps their sessions."""

    def __init__(self, rng: Dice) -> None:
        self._rng = rng
        self.principals = company.principals()
        self._pairs = [(at, client) for at, who in enumerate(self.principals) for client in _clients(who)]
        self._weights = list(accumulate(self._weight(at, client) for at, client in self._pairs))
        self._sessions: dict[tuple[int, str], Session] = {}
        self._active: deque[tuple[int, Client]] = deque(maxlen=6)
        self._recent: deque[str] = deque(maxlen=50)

    def draw(self, us: int) -> tuple[Principal, Client, Session | None]:
        """A principal, a program of theirs and, if it keeps sessions, the session at ``us``."""
        at, client = self._working(us) or self._rng.choices(self._pairs, cum_weights=self._weights)[0]
        return self.principals[at], client, self._session(at, client, us) if client.is_agent else None

    def move_team(self, team: str, cost_center: str) -> list[Principal]:
        """From now on ``team`` is paid by ``cost_center``; its principals in their new state."""
        self.principals = [who.paid_by(cost_center) if who.team.name == team else who for who in self.principals]
        return [who for who in self.principals if who.team.name == team]

    def remember(self, invocation_id: str) -> None:
        """A finished call that a judge, a shadow or a replay may refer to."""
        self._recent.append(invocation_id)

    def recent(self) -> str | None:
        """A finished call; None before the first."""
        return self._rng.choice(self._recent) if self._recent else None

    def _working(self, us: int) -> tuple[int, Client] | None:
        """An agent in the middle of its work, which calls again and again."""
        if not self._active or self._rng.random() >= AGENT_SHARE:
            return None
        at, client = self._rng.choice(self._active)
        return (at, client) if us - self._sessions[at, client.kind].last_us <= SESSION_IDLE_US else None

    def _weight(self, at: int, client: Client) -> float:
        who = self.principals[at]
        if who.kind == "SERVICE_PRINCIPAL":
            return SERVICE_WEIGHT * self._rng.uniform(0.5, 2.0)
        share = who.team.clients[client.kind] / sum(who.team.clients.values())
        return share * self._rng.lognormvariate(0.0, 0.6)

    def _session(self, at: int, client: Client, us: int) -> Session:
        session = self._sessions.get((at, client.kind))
        if session is None or us - session.last_us > SESSION_IDLE_US or session.turn >= LONGEST_SESSION:
            session = Session(uuid7(us // 1000, self._rng.getrandbits(74)), us, is_long_lived=self._rng.random() < 0.3)
            self._sessions[at, client.kind] = session
            self._active.append((at, client))
        session.last_us = us
        session.turn += 1
        return session


def _clients(who: Principal) -> list[Client]:
    kinds = who.team.clients if who.kind == "USER" else SERVICE_CLIENTS
    return [CLIENTS[kind] for kind in kinds]
