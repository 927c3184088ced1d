"""One upstream call of a call: where it goes, what is sent, and what is known of it afterwards."""

import time
from typing import NamedTuple

import msgspec

from tollhouse.gateway.clock import elapsed_ms, now_us, rfc3339
from tollhouse.gateway.configuration.endpoint import Target
from tollhouse.gateway.observing.observer import Observed, Observer
from tollhouse.gateway.wires import Wire
from tollhouse.spool.records import Action, Attempt, Destination

BYTES_A_TOKEN = 4
REQUEST_ID_HEADERS = ("x-request-id", "request-id", "apim-request-id", "x-goog-request-id")


class Outgoing(NamedTuple):
    """A request to a provider."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes


class AttemptState:
    """An attempt as it goes on. ``wire`` is what the provider speaks, which differs from the call's if translated."""

    __slots__ = (
        "_begun_ns",
        "_begun_us",
        "action",
        "destination",
        "error_code",
        "first_byte_ms",
        "is_free",
        "latency_ms",
        "may_have_cost",
        "number",
        "observer",
        "provider_request_id",
        "request",
        "request_body",
        "request_bytes",
        "response_body",
        "status",
        "target",
        "wire",
    )

    def __init__(self, target: Target, destination: Destination, number: int, action: Action, wire: Wire) -> None:
        self.target = target
        self.destination = destination
        self.number = number
        self.action: Action = action
        self.wire: Wire = wire
        self.observer: Observer | None = None
        self.status: int | None = None
        self.error_code: str | None = None
        self.latency_ms: int | None = None
        self.first_byte_ms: int | None = None
        self.provider_request_id: str | None = None
        self.request_body: str | None = None
        self.request_bytes = 0
        self.response_body: str | None = None
        self.is_free = False
        self.may_have_cost = False
        self.request = Outgoing("", "", [], b"")
        self.begin()

    def begin(self) -> None:
        """The upstream call starts now."""
        self._begun_ns = time.monotonic_ns()
        self._begun_us = now_us()

    def end(self) -> int:
        """The upstream call has ended; returns its nanoseconds."""
        lasted = time.monotonic_ns() - self._begun_ns
        self.latency_ms = lasted // 1_000_000
        return lasted

    def note_first_byte(self) -> None:
        """The first byte of content has come."""
        if self.first_byte_ms is None:
            self.first_byte_ms = elapsed_ms(self._begun_ns)

    def take_request_id(self, headers: list[tuple[str, str]]) -> None:
        """Keep the provider's own id of the call."""
        for name, value in headers:
            if name in REQUEST_ID_HEADERS:
                self.provider_request_id = value
                return

    def record(self, most_bytes: int) -> Attempt:
        """What the log says of it; bodies of a translated call that are longer than ``most_bytes`` are left out."""
        seen = self.observer.seen if self.observer else None
        destination = self.destination
        attempt = Attempt(
            destination_name=destination.destination_name,
            destination_type=destination.destination_type,
            destination_model=destination.destination_model,
            provider=destination.provider,
            destination_id=destination.destination_id,
            attempt_number=self.number,
            action=self.action,
            start_time=rfc3339(self._begun_us),
            latency_ms=self.latency_ms,
            time_to_first_byte_ms=self.first_byte_ms,
            status_code=self.status,
            error_code=self.error_code,
            is_not_billable=self.is_free,
            provider_request_id=self.provider_request_id,
            upstream_request_body=_kept(self.request_body, most_bytes),
            upstream_response_body=_kept(self.response_body, most_bytes),
        )
        if seen is not None:
            self._add_usage(attempt, seen)
        elif self.may_have_cost:
            attempt.estimated_input_tokens = _tokens(self.request_bytes)
        return attempt

    def _add_usage(self, attempt: Attempt, seen: Observed) -> None:
        attempt.response_model = seen.response_model
        attempt.service_tier = seen.service_tier
        if seen.usage is not None:
            attempt.usage = msgspec.Raw(_one_line(seen.usage))
            attempt.usage_format = self.wire
            attempt.is_usage_partial = seen.is_usage_partial
        elif self.may_have_cost:
            attempt.estimated_input_tokens = _tokens(self.request_bytes)
            attempt.estimated_output_tokens = _tokens(seen.content_bytes)


def _kept(body: str | None, most_bytes: int) -> str | None:
    return body if body is not None and len(body) <= most_bytes else None


def _one_line(usage: bytes) -> bytes:
    """A provider may spread its usage over several lines, a record may not."""
    return msgspec.json.format(usage, indent=-1) if b"\n" in usage else usage


def _tokens(size: int) -> int:
    return -(-size // BYTES_A_TOKEN)
