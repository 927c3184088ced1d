"""Whose a stored response is: remembered before its id goes out, and billed once."""

from tollhouse.gateway.course import Course
from tollhouse.gateway.observing.observer import Observer
from tollhouse.gateway.stored_responses import Stored


def keeps(course: Course) -> bool:
    """Whether the provider keeps the answer of this call under an id."""
    call = course.call
    return (
        call.operation == "generate" and course.attempt.wire == call.wire == "openai_responses" and call.head.is_stored
    )


async def remember(course: Course, observer: Observer) -> None:
    """Who made the response that ``observer`` sees, and where it is."""
    grant, attempt, seen = course.call.grant, course.attempt, observer.seen
    if grant is None or seen.response_id is None:
        return
    stored = Stored(
        attempt.target.name,
        attempt.target.provider.name,
        attempt.destination.destination_model,
        is_billed=seen.usage is not None,
    )
    await course.services.stored_responses.remember(seen.response_id, grant.principal, stored)


async def keep_whole(course: Course, observer: Observer) -> None:
    """A whole answer: remember it, forget it where it was deleted, and bill it where nobody was billed for it yet."""
    call = course.call
    if keeps(course):
        await remember(course, observer)
    elif call.operation == "delete_response" and call.grant and call.subject:
        await course.services.stored_responses.forget(call.subject, call.grant.principal)
    elif call.operation in ("get_response", "cancel_response"):
        await bill_once(course, observer)


async def bill_once(course: Course, observer: Observer) -> None:
    """A background response is paid for by whoever first reads its usage."""
    call = course.call
    if (
        observer.seen.usage is None
        or call.stored is None
        or call.stored.is_billed
        or not call.grant
        or not call.subject
    ):
        return
    if await course.services.stored_responses.claim_billing(call.subject, call.grant.principal):
        course.attempt.is_free = False
