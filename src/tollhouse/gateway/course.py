"""What the parts of one call's course share, and its end."""

from dataclasses import dataclass, field

from tollhouse.gateway.attempt import AttemptState
from tollhouse.gateway.call import Call
from tollhouse.gateway.client import Client
from tollhouse.gateway.configuration.endpoint import Endpoint
from tollhouse.gateway.recording import Delivered, Ending, outcome
from tollhouse.gateway.services import Services
from tollhouse.gateway.watch import Watch


async def conclude(
    services: Services, call: Call, attempts: list[AttemptState], ending: Ending, delivered: Delivered
) -> None:
    """Write the record that ends ``call``: after it nothing but the last bytes may go to the client."""
    for attempt in attempts:
        if attempt.latency_ms is None:
            call.upstream_ns += attempt.end()
    record = outcome(call, attempts, ending, delivered, services.spool.redactor)
    call.is_concluded = True  # whatever happens while the disk is waited for
    redactions = await services.spool.conclude(record)
    for reporter in services.reporters:
        reporter.call_ended(record, redactions)


@dataclass(slots=True, eq=False)
class Course:
    """A call that has been admitted; ``attempts`` are those that were begun."""

    services: Services
    call: Call
    client: Client
    watch: Watch
    endpoint: Endpoint
    attempts: list[AttemptState] = field(default_factory=list[AttemptState])

    @property
    def attempt(self) -> AttemptState:
        """The one that is under way, or was the last."""
        return self.attempts[-1]

    async def conclude(self, ending: Ending, delivered: Delivered) -> None:
        """Write the record that ends the call."""
        await conclude(self.services, self.call, self.attempts, ending, delivered)
