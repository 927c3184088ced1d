"""An answer that comes as a stream: passed on as it comes, recorded before its terminal event."""

import asyncio
import contextlib

from tollhouse.gateway.course import Course
from tollhouse.gateway.decoding import Decoder
from tollhouse.gateway.headers import client_headers, unbuffered
from tollhouse.gateway.keeping import bill_once, keeps, remember
from tollhouse.gateway.recording import Delivered, Ending
from tollhouse.gateway.refusals import (
    SHUTTING_DOWN,
    UPSTREAM_CUT,
    UPSTREAM_TIMEOUT,
    RefusalKind,
    error_event,
    provider_failure,
)
from tollhouse.gateway.relay import StreamRelay
from tollhouse.gateway.translating import Translation
from tollhouse.gateway.translation.answer import Failed
from tollhouse.gateway.transport.interface import Reply, TransportError
from tollhouse.gateway.upstream import framer_for, pipeline_for
from tollhouse.gateway.verdict import Failure
from tollhouse.gateway.watch import InterruptedCallError
from tollhouse.spool.records import Outcome

CLIENT_LEFT_STATUS = 499
CLIENT_DISCONNECTED = "client_disconnected"
# A provider that leaves its connection open after the terminal event holds nobody up.
_TAIL_SECONDS = 0.1
_CONTENT_TYPES = {"sse": b"text/event-stream; charset=utf-8", "json_array": b"application/json; charset=utf-8"}


class StreamDelivery:
    """Delivers one attempt's stream; ``has_other`` where another destination could still take its place."""

    def __init__(self, course: Course, reply: Reply, translation: Translation | None, *, has_other: bool) -> None:
        call = course.call
        self._course = course
        self._reply = reply
        self._is_translated = translation is not None
        self._remembers = keeps(course)
        pipeline = pipeline_for(call, course.attempt, translation)
        self._upstream = pipeline.upstream
        headers = (
            client_headers(reply.headers, is_decoded=True, is_stream=True)
            if translation is None
            else unbuffered([(b"content-type", _CONTENT_TYPES[call.style])])
        )
        style = "sse" if translation is not None else call.style
        framer = framer_for(style, call.configuration.document.limits.event_bytes)
        self._relay = StreamRelay(
            call, course.attempt, course.client, headers=headers, framer=framer, pipeline=pipeline, is_held=has_other
        )

    async def run(self, decoder: Decoder) -> Failure | None:
        """None once the call is over; a Failure where nothing went to the client and another attempt may mend it."""
        try:
            failure = await self._pump(decoder)
            if failure is not None:
                return failure
            await self._course.watch.close()
        except TransportError as error:
            return await self._broken(UPSTREAM_CUT, f"the provider's stream broke off: {error}")
        except InterruptedCallError as interruption:
            return await self._interrupted(interruption)
        except asyncio.CancelledError:
            try:
                interruption = self._course.watch.interruption()
            except asyncio.CancelledError:
                return await self._broken(SHUTTING_DOWN, "the gateway is shutting down", may_fall_back=False)
            return await self._interrupted(interruption)
        return await self._end()

    async def _pump(self, decoder: Decoder) -> Failure | None:
        relay, watch = self._relay, self._course.watch
        is_waiting = True
        while not relay.is_over:
            chunk = await self._reply.read()
            if not chunk:
                break
            relay.absorb(decoder.feed(chunk))
            if self._remembers and self._upstream.seen.response_id is not None:
                await self._remember()
            if relay.has_error and not relay.is_committed and not relay.has_content:
                return self._refused()
            if is_waiting and relay.has_content:
                is_waiting = False
                watch.expect_more(self._course.endpoint.timeouts.idle)
            watch.touch()
            await relay.pass_on()
        await self._read_tail(decoder)
        return None

    async def _read_tail(self, decoder: Decoder) -> None:
        """What may come after the terminal event; usually the end has come with it."""
        relay = self._relay
        if relay.is_over:
            with contextlib.suppress(TransportError, TimeoutError):
                async with asyncio.timeout(_TAIL_SECONDS):
                    while chunk := await self._reply.read():
                        relay.absorb(decoder.feed(chunk))
        relay.finish()

    async def _remember(self) -> None:
        await remember(self._course, self._upstream)
        self._remembers = False

    def _refused(self) -> Failure:
        error = self._upstream.seen.error
        kind = provider_failure(502, error.code if error else None)
        return Failure(kind, (error.message if error else None) or "the provider's stream began with an error")

    async def _end(self) -> Failure | None:
        relay, seen, course = self._relay, self._upstream.seen, self._course
        if not course.client.has_started and not relay.held and not seen.is_complete:
            return Failure(UPSTREAM_CUT, "the provider's stream ended before its first event")
        error = seen.error or relay.shown.seen.error
        if relay.has_error or error is not None:
            await self._record("failed", error.code if error else None, error.message if error else None)
        elif seen.is_complete:
            if course.call.operation == "get_response":
                await bill_once(course, self._upstream)
            elif keeps(course):
                await remember(course, self._upstream)
            await self._record("completed")
        else:
            return await self._broken(UPSTREAM_CUT, "the provider's stream ended without its terminal event")
        await relay.end()
        return None

    async def _broken(self, kind: RefusalKind, message: str, *, may_fall_back: bool = True) -> Failure | None:
        """The stream cannot go on: another attempt where nothing has been sent, else the protocol's own error in it."""
        relay, course = self._relay, self._course
        if course.watch.is_client_gone:
            await self._leave()
            return None
        if not course.client.has_started and not (relay.has_content and relay.is_committed):
            return Failure(kind, message, may_retry=may_fall_back, may_fall_back=may_fall_back)
        relay.break_off(Failed(status=kind.status, code=kind.code, message=message))
        last = b""
        if not self._is_translated:
            call = course.call
            sequence, request_id = relay.event_count, call.invocation_id
            event = error_event(call.answer_wire, call.style, kind, message, sequence=sequence, request_id=request_id)
            last = relay.after_last(event)
        course.attempt.error_code = kind.code
        await self._record("cut", kind.code, message, last=last)
        await relay.end(last)
        return None

    async def _interrupted(self, interruption: InterruptedCallError) -> Failure | None:
        if interruption.reason != "client_left":
            message = f"the provider sent nothing more in time ({interruption.reason})"
            return await self._broken(UPSTREAM_TIMEOUT, message, may_fall_back=interruption.reason == "first_token")
        await self._leave()
        return None

    async def _leave(self) -> None:
        self._course.attempt.error_code = CLIENT_DISCONNECTED
        await self._record("cancelled", CLIENT_DISCONNECTED, "the client closed its connection", CLIENT_LEFT_STATUS)

    async def _record(
        self,
        how: Outcome,
        code: str | None = None,
        message: str | None = None,
        status: int | None = None,
        last: bytes = b"",
    ) -> None:
        relay, course = self._relay, self._course
        client, attempt = course.client, course.attempt
        if self._is_translated and not relay.is_cut:
            attempt.response_body = (self._upstream.assembled() or b"").decode(errors="replace")
        if how == "failed":
            attempt.error_code = code
        shown = relay.shown
        delivered = Delivered(
            status or client.status or 200,
            client.content_type or relay.content_type,
            size=relay.size + len(last),
            body=None if relay.is_cut else shown.assembled(),
            raw_events=shown.raw_events() + last,
            events=relay.events,
            is_cut=relay.is_cut,
        )
        await course.conclude(Ending(how, code, message, shown.seen.finish_reason), delivered)
