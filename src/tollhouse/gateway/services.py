"""What all calls of one worker share."""

import random
from dataclasses import dataclass, field
from typing import Protocol

from tollhouse.gateway.configuration.reload import ConfigurationKeeper
from tollhouse.gateway.health import Health
from tollhouse.gateway.identity.keeper import SnapshotKeeper
from tollhouse.gateway.request_head import HeadReader
from tollhouse.gateway.spooling import Spool
from tollhouse.gateway.stored_responses import StoredResponses
from tollhouse.gateway.transports import Transports
from tollhouse.spool.records import CallOutcome


class Reporter(Protocol):
    """Hears of every call: metrics, spans."""

    def call_began(self) -> None:
        """A call was received."""
        ...

    def call_ended(self, outcome: CallOutcome, redactions: int, /) -> None:
        """Its record is written."""
        ...

    def close(self) -> None:
        """The worker ends."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """The parts of a worker that a call uses."""

    configuration: ConfigurationKeeper
    identity: SnapshotKeeper
    spool: Spool
    transports: Transports
    stored_responses: StoredResponses
    reporters: tuple[Reporter, ...]
    health: Health = field(default_factory=Health)
    heads: HeadReader = field(default_factory=HeadReader)
    # Retries and weights are no secrets.
    dice: random.Random = field(default_factory=random.Random)
