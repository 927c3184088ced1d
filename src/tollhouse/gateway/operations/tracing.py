"""OpenTelemetry spans of calls, made from their records after they have ended.

Nothing of OpenTelemetry is imported until tracing is on.
"""

import logging
import queue
import secrets
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from msgspec.structs import replace

from tollhouse.gateway.configuration.configuration import Configuration
from tollhouse.gateway.configuration.document import Tracing
from tollhouse.spool.records import CallOutcome

if TYPE_CHECKING:
    from tollhouse.gateway.operations.spans import Spans

_PATH = "/v1/traces"
_MOST_WAITING = 2048
_CLOSE_SECONDS = 5.0
_LOW_BITS = 64
_LOW_DIGITS = 16
_logger = logging.getLogger(__name__)


def open_tracer(tracing: Tracing, servers: Mapping[str, str] | None = None) -> "Tracer | None":
    """None where tracing is off. ``servers``: see ``hosts``."""
    if tracing.otlp_endpoint is None or not tracing.sampling_fraction:
        return None
    from tollhouse.gateway.operations.spans import Spans

    spans = Spans(_traces_url(tracing.otlp_endpoint), tracing.service_name, servers or {})
    return Tracer(spans, tracing.sampling_fraction)


class Tracer:
    """Hands sampled calls to a thread that makes spans of them and sends them in batches.

    A call whose client sent a trace id is sampled by that id, so that everybody with the same share samples the same
    traces. Where more than 2,048 calls wait, further ones are dropped and counted.
    """

    def __init__(self, spans: "Spans", fraction: float) -> None:
        self._spans = spans
        self._bound = round(fraction * (1 << _LOW_BITS))
        self._waiting: queue.SimpleQueue[CallOutcome | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="tollhouse-tracing", daemon=True)
        self._thread.start()
        self.dropped_calls = 0

    def follow(self, servers: Mapping[str, str]) -> None:
        """The hosts that a new configuration has."""
        self._spans.servers = servers

    def call_began(self) -> None:
        """Nothing: a span is made at the end."""

    def call_ended(self, outcome: CallOutcome, _: int = 0) -> None:
        if not self._is_sampled(outcome.trace_id):
            return
        if self._waiting.qsize() >= _MOST_WAITING:
            if not self.dropped_calls:
                _logger.warning("spans are dropped: they are made faster than they can be sent")
            self.dropped_calls += 1
            return
        # Bodies may be large, and no span has them.
        self._waiting.put(replace(outcome, request_body=None, response_body=None, raw_events=None, stream_events=None))

    def close(self) -> None:
        """Send what waits, for 5 s at most."""
        self._waiting.put(None)
        self._thread.join(_CLOSE_SECONDS)

    def _is_sampled(self, trace_id: str | None) -> bool:
        low = secrets.randbits(_LOW_BITS) if trace_id is None else int(trace_id[-_LOW_DIGITS:], 16)
        return low < self._bound

    def _run(self) -> None:
        while (outcome := self._waiting.get()) is not None:
            self._spans.make(outcome)
        self._spans.close()


def hosts(configuration: Configuration) -> dict[str, str]:
    """Where each destination is, by ``<endpoint>/<name>``, for ``server.address``."""
    return {
        target.key: urlsplit(target.provider.base_url).hostname or ""
        for endpoint in configuration.endpoints.values()
        for target in (*endpoint.primaries, *endpoint.fallbacks)
    }


def _traces_url(endpoint: str) -> str:
    """``endpoint``, with the path that collectors have where it has none."""
    parts = urlsplit(endpoint)
    return urlunsplit(parts._replace(path=_PATH)) if parts.path in {"", "/"} else endpoint
