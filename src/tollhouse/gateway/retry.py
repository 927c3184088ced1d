"""Whether a failed attempt is made again, when, and what a provider says of it."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tollhouse.gateway.configuration.document import Retries


def may_go_on(status: int) -> bool:
    """Whether another attempt or destination may do better than this answer: 429 and 5xx."""
    return status == 429 or status >= 500


def retry_after_seconds(headers: Iterable[tuple[str, str]], now: datetime) -> float | None:
    """How long the provider asks to wait, from its ``retry-after-ms`` or ``retry-after`` (seconds or an HTTP date).

    None where it does not say, or nothing that can be read. Names of ``headers`` are lower-case, ``now`` is aware.
    """
    said = {name: value.strip() for name, value in headers if name in ("retry-after", "retry-after-ms")}
    milliseconds = _number(said.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = said.get("retry-after", "")
    seconds = _number(text)
    return _until(text, now) if seconds is None else seconds


def wait_before_retry(
    attempt: int, retry_after_seconds: float | None, retries: Retries, dice: random.Random
) -> float | None:
    """Seconds to wait before the same destination is tried again; None: go on to the next one.

    ``attempt`` counts the tries that this destination has had, from 1. The wait is random below a bound that doubles;
    where the provider says how long, it is that and a random part of ``base_ms`` more, so that not all come at once.
    """
    if attempt > retries.attempts:
        return None
    base, most = retries.base_ms / 1000, retries.max_ms / 1000
    if retry_after_seconds is None:
        return dice.random() * min(most, base * 2 ** (attempt - 1))
    return None if retry_after_seconds > most else retry_after_seconds + dice.random() * base


def _number(text: str) -> float | None:
    """A plain decimal number of a header; what else ``float`` would read (nan, inf, 1e9) is none."""
    whole, _, part = text.partition(".")
    is_number = whole.isascii() and whole.isdecimal() and (not part or (part.isascii() and part.isdecimal()))
    return float(text) if is_number else None


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
