"""How an attempt ended: with an answer that went to the client, or with a failure that another attempt may mend."""

from typing import NamedTuple

from tollhouse.gateway.refusals import RefusalKind


class ProviderAnswer(NamedTuple):
    """A provider's answer of another status than 200, whole."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Failure(NamedTuple):
    """Nothing went to the client yet. ``answer``: what the provider said, passed on where no attempt is left.

    ``may_retry``: the same destination may do better at once; ``may_fall_back``: another one may.
    """

    kind: RefusalKind
    message: str
    answer: ProviderAnswer | None = None
    retry_after_seconds: float | None = None
    may_retry: bool = True
    may_fall_back: bool = True
