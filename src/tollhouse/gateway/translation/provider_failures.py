"""What is told of a provider whose answer cannot be read."""

from tollhouse.gateway.translation.answer import Failed

_SHOWN_CHARACTERS = 300


def unreadable_error(status: int, body: bytes) -> Failed:
    """An error whose body is not the protocol's error object (a proxy's HTML page, nothing at all)."""
    shown = body.decode("utf-8", "replace").strip()[:_SHOWN_CHARACTERS]
    said = f"a body that is not its error object: {shown}" if shown else "an empty body"
    return Failed(status=status, message=f"the provider answered with status {status} and {said}")


def unreadable_answer(text: bytes) -> Failed:
    """An answer, or one event of it, that is not what the protocol says it is."""
    shown = text[:_SHOWN_CHARACTERS].decode("utf-8", "replace").strip()
    return Failed(status=502, code="invalid_answer", message=f"the provider sent what its protocol does not: {shown}")


def skipped_event(size: int) -> Failed:
    """An event that was too long to be read: leaving it out would leave a hole in the answer."""
    return Failed(
        status=502, code="invalid_answer", message=f"the provider sent one event of {size:,} bytes, too long to read"
    )
