"""An answer that comes whole: read to its end, recorded, sent."""

import json

from tollhouse.gateway.course import Course
from tollhouse.gateway.decoding import Decoder
from tollhouse.gateway.headers import Pairs, client_headers
from tollhouse.gateway.keeping import keep_whole
from tollhouse.gateway.observing.observer import Observer
from tollhouse.gateway.observing.registry import new_observer
from tollhouse.gateway.recording import Delivered, Ending
from tollhouse.gateway.refusals import UPSTREAM_INVALID, provider_failure
from tollhouse.gateway.translating import Translation
from tollhouse.gateway.translation.answer import Failed
from tollhouse.gateway.transport.interface import Reply
from tollhouse.gateway.verdict import Failure

_JSON = (b"content-type", b"application/json")


async def deliver_whole(
    course: Course, reply: Reply, decoder: Decoder, translation: Translation | None
) -> Failure | None:
    """None once the call is over; a Failure where nothing went to the client and another attempt may mend it.

    Raises TransportError and InterruptedCallError while nothing has been sent, and CancelledError.
    """
    pieces: list[bytes] = []
    size, most = 0, course.call.configuration.document.limits.response_bytes
    while piece := await reply.read():
        course.watch.touch()
        pieces.append(decoder.feed(piece))
        size += len(pieces[-1])
        if size > most and translation is not None:
            message = f"the provider's answer is larger than {most:,} bytes (limits.response_bytes)"
            return Failure(UPSTREAM_INVALID, f"{message}, which is too much to translate", may_retry=False)
        if size > most:
            return await _pass_unread(course, reply, decoder, b"".join(pieces))
    body = b"".join(pieces)
    attempt = course.attempt
    attempt.observer = observer = new_observer(attempt.wire)
    observer.observe_body(body, 200)
    if observer.seen.error is not None and not _is_json(body):
        return Failure(UPSTREAM_INVALID, "the provider's answer is not JSON")
    attempt.note_first_byte()
    if translation is not None:
        attempt.response_body = body.decode(errors="replace")
        return await _send_translated(course, body, translation)
    await keep_whole(course, observer)
    await _send(course, body, client_headers(reply.headers, is_decoded=True, is_stream=False), observer)
    return None


async def _send_translated(course: Course, body: bytes, translation: Translation) -> Failure | None:
    reader, writer = translation.answer(course.attempt.wire)
    events = reader.read_body(body)
    failed = next((event for event in events if isinstance(event, Failed)), None)
    if failed is not None:
        return Failure(provider_failure(failed.status, failed.code), failed.message)
    writer.write(events)
    written = writer.body()
    shown = new_observer(course.call.answer_wire)
    shown.observe_body(written, 200)
    await _send(course, written, [_JSON], shown)
    return None


async def _send(course: Course, body: bytes, headers: Pairs, observer: Observer) -> None:
    call, client = course.call, course.client
    await course.watch.close()
    call.record.time_to_first_byte_ms = call.elapsed_ms()
    headers.append((b"content-length", b"%d" % len(body)))
    status = course.attempt.status or 200
    client.begin(status, headers)
    error = observer.seen.error
    ending = Ending(
        "completed" if error is None else "failed",
        error_code=error.code if error else None,
        error_message=error.message if error else None,
        finish_reason=observer.seen.finish_reason,
    )
    await course.conclude(ending, Delivered(status, client.content_type, len(body), body))
    await client.send(headers, body)


async def _pass_unread(course: Course, reply: Reply, decoder: Decoder, held: bytes) -> None:
    """A body too long to keep passes as it comes; its last piece waits for the record."""
    client = course.client
    await client.start(200, client_headers(reply.headers, is_decoded=True, is_stream=False))
    while piece := await reply.read():
        course.watch.touch()
        await client.write(held)
        held = decoder.feed(piece)
    await course.watch.close()
    size = client.size + len(held)
    await course.conclude(Ending("completed"), Delivered(200, client.content_type, size, is_cut=True))
    await client.end(held)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
