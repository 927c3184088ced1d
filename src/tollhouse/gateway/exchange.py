"""The attempts of one call: each destination in turn, until one has answered."""

import asyncio
from datetime import UTC, datetime
from typing import NamedTuple

from tollhouse.gateway.attempt import AttemptState
from tollhouse.gateway.configuration.endpoint import Target
from tollhouse.gateway.course import Course
from tollhouse.gateway.decoding import decoder_for
from tollhouse.gateway.headers import client_headers
from tollhouse.gateway.observing.errors import error_of_body
from tollhouse.gateway.recording import Delivered, Ending, admit, attempt_start
from tollhouse.gateway.refusals import (
    UPSTREAM_CUT,
    UPSTREAM_INVALID,
    UPSTREAM_TIMEOUT,
    UPSTREAM_UNREACHABLE,
    RefusalError,
    RefusalKind,
    provider_failure,
)
from tollhouse.gateway.retry import may_go_on, retry_after_seconds, wait_before_retry
from tollhouse.gateway.stream_delivery import StreamDelivery
from tollhouse.gateway.translating import Translation, translate
from tollhouse.gateway.transport.interface import FailureKind, Reply, TransportError
from tollhouse.gateway.upstream import outgoing, wire_for
from tollhouse.gateway.verdict import Failure, ProviderAnswer
from tollhouse.gateway.whole_delivery import deliver_whole
from tollhouse.spool.records import Action

_KINDS: dict[FailureKind, RefusalKind] = {
    "connect": UPSTREAM_UNREACHABLE,
    "timeout": UPSTREAM_TIMEOUT,
    "reset": UPSTREAM_CUT,
    "protocol": UPSTREAM_INVALID,
}
_ERROR_BYTES = 4 * 1024 * 1024
_FREE = frozenset({"count_tokens", "get_response", "delete_response", "cancel_response", "list_input_items"})
_COSTLY = frozenset({"generate", "embed"})


class Try(NamedTuple):
    """A destination to be tried; ``has_other`` where another one is left after it."""

    target: Target
    has_other: bool


class Exchange:
    """Runs the attempts of one call."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._translation: Translation | None = None

    async def run(self, targets: list[Target]) -> None:
        """Try ``targets`` in order; the client has its answer afterwards, and the call its record.

        Raises RefusalError where no answer came of it, and CancelledError where the watch or anybody cancels it.
        """
        failure: Failure | None = None
        for number, target in enumerate(targets):
            failure = await self._try_patiently(Try(target, number + 1 < len(targets)))
            if failure is None:
                return
            if not failure.may_fall_back:
                break
        if failure is not None:
            await self._give_up(failure)

    async def _try_patiently(self, tried: Try) -> Failure | None:
        """One destination, again where that may help; None once the client has its answer."""
        course = self._course
        health, retries = course.services.health, course.endpoint.retries
        count = 1
        while True:
            failure = await self._attempt(tried, count)
            if failure is None:
                health.succeeded(tried.target)
                return None
            course.watch.check_client()
            if failure.may_fall_back:
                health.failed(tried.target, failure.retry_after_seconds)
            wait = (
                wait_before_retry(count, failure.retry_after_seconds, retries, course.services.dice)
                if failure.may_retry
                else None
            )
            if wait is None:
                return failure
            await asyncio.sleep(wait)
            count += 1

    async def _attempt(self, tried: Try, count: int) -> Failure | None:
        attempt = await self._begin(tried.target, count)
        try:
            failure = await self._ask(attempt, tried)
        except TransportError as error:
            is_open = not self._course.client.has_started
            failure = Failure(_KINDS[error.kind], str(error), may_retry=is_open, may_fall_back=is_open)
            attempt.may_have_cost = attempt.may_have_cost and error.kind != "connect"
        except asyncio.CancelledError:
            failure = self._late(attempt, tried)
        if failure is not None:
            self._course.call.upstream_ns += attempt.end()
            attempt.error_code = attempt.error_code or failure.kind.code
        return failure

    def _late(self, attempt: AttemptState, tried: Try) -> Failure:
        """The watch has interrupted an attempt before its answer began; raises again what only ends the call."""
        course = self._course
        if course.watch.reason in (None, "client_left"):
            attempt.error_code = "client_disconnected" if course.watch.reason else "shutting_down"
            raise asyncio.CancelledError
        interruption = course.watch.interruption()
        is_first = interruption.reason == "first_token" and tried.has_other
        message = f"the provider did not answer in time ({interruption.reason})"
        return Failure(UPSTREAM_TIMEOUT, message, may_retry=False, may_fall_back=is_first)

    async def _begin(self, target: Target, count: int) -> AttemptState:
        course = self._course
        call, attempts = course.call, course.attempts
        wire = wire_for(call, target) or call.wire
        action: Action = "RETRY" if count > 1 else "FALLBACK" if attempts else "INITIAL_ATTEMPT"
        attempt = AttemptState(
            target, target.destination(call.record.requested_model or ""), len(attempts) + 1, action, wire
        )
        attempt.is_free = call.operation in _FREE
        attempt.request = outgoing(call, attempt, self._translation_of(attempt))
        attempts.append(attempt)
        if len(attempts) == 1:
            await course.services.spool.announce(admit(call, attempt))
            call.record.queue_ms = call.elapsed_ms()
        else:
            await course.services.spool.announce(attempt_start(call, attempts))
        return attempt

    def _translation_of(self, attempt: AttemptState) -> Translation | None:
        """The call's translation, made once; None for an attempt in the caller's protocol."""
        call = self._course.call
        if attempt.wire == call.wire == call.answer_wire:
            return None
        self._translation = self._translation or translate(call)
        return self._translation

    async def _ask(self, attempt: AttemptState, tried: Try) -> Failure | None:
        course = self._course
        call, limits = course.call, course.endpoint.timeouts
        attempt.begin()
        attempt.may_have_cost = call.operation in _COSTLY
        if call.record.is_stream:
            course.watch.expect("first_token", limits.first_token)
        else:
            course.watch.expect_more(limits.idle)
        reply = await course.services.transports.within(limits.connect).send(*attempt.request)
        try:
            return await self._read(attempt, tried, reply)
        finally:
            await reply.close()

    async def _read(self, attempt: AttemptState, tried: Try, reply: Reply) -> Failure | None:
        attempt.status = reply.status
        attempt.take_request_id(reply.headers)
        attempt.may_have_cost = attempt.may_have_cost and reply.status < 300
        if 300 <= reply.status < 400:
            # Passed on, it would send the client and its credentials elsewhere.
            raise TransportError("protocol", f"the provider answered with a redirect (status {reply.status})")
        if reply.status >= 400:
            return await self._refused(attempt, reply)
        call = self._course.call
        translation = self._translation_of(attempt)
        decoder = decoder_for(reply.headers)
        content_type = next((value for name, value in reply.headers if name == "content-type"), "")
        is_array = call.style == "json_array" and call.record.is_stream and translation is None
        if is_array or content_type.startswith("text/event-stream"):
            return await StreamDelivery(self._course, reply, translation, has_other=tried.has_other).run(decoder)
        if translation is not None and call.record.is_stream:
            raise TransportError("protocol", f"a stream was asked for and {content_type or 'nothing'} came")
        return await deliver_whole(self._course, reply, decoder, translation)

    async def _refused(self, attempt: AttemptState, reply: Reply) -> Failure:
        """The provider's own error, read whole."""
        decoder = decoder_for(reply.headers)
        body = b""
        while len(body) < _ERROR_BYTES and (piece := await reply.read()):
            body += decoder.feed(piece)
        said = error_of_body(body)
        message = said.message or f"the provider answered with status {reply.status}"
        kind = provider_failure(reply.status, said.code)
        translation = self._translation_of(attempt)
        if translation is not None:
            attempt.response_body = body.decode(errors="replace")
            failed = translation.failure(attempt.wire, reply.status, body)
            kind, message = provider_failure(failed.status, failed.code), failed.message
        is_open = may_go_on(reply.status)
        waits = retry_after_seconds(reply.headers, datetime.now(UTC))
        answer = ProviderAnswer(reply.status, reply.headers, body)
        return Failure(kind, message, answer, waits, may_retry=is_open, may_fall_back=is_open)

    async def _give_up(self, failure: Failure) -> None:
        """No attempt is left: the last one's answer as it is, else our own words. Raises RefusalError for those."""
        course, answer = self._course, failure.answer
        if answer is None or self._translation_of(course.attempt) is not None:
            headers: tuple[tuple[bytes, bytes], ...] = ()
            if failure.retry_after_seconds is not None:
                headers = ((b"retry-after", b"%d" % max(1, round(failure.retry_after_seconds))),)
            raise RefusalError(failure.kind, failure.message, headers=headers)
        headers_out = client_headers(answer.headers, is_decoded=True, is_stream=False)
        headers_out.append((b"content-length", b"%d" % len(answer.body)))
        await course.watch.close()
        course.client.begin(answer.status, headers_out)
        delivered = Delivered(answer.status, course.client.content_type, len(answer.body), answer.body)
        await course.conclude(Ending("failed", failure.kind.code, failure.message), delivered)
        await course.client.send(headers_out, answer.body)
