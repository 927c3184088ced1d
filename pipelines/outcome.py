"""How Tollhouse's errors end a step: tried again where that can help, else at once."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from tollhouse.errors import TollhouseError

RETRIES, SECONDS_BETWEEN = 3, 10


@contextmanager
def with_verdict() -> Iterator[None]:
    """A retryable error is tried again by Dagster; any other fails the step with its own words."""
    try:
        yield
    except TollhouseError as error:
        if error.is_retryable:
            raise dg.RetryRequested(RETRIES, SECONDS_BETWEEN) from error
        raise dg.Failure(str(error), allow_retries=False) from error
