"""A pepper, a time and a clock for the tests of identities."""

from datetime import UTC, datetime, timedelta

PEPPER = b"0123456789abcdef0123456789abcdef"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class StoreClock:
    """A clock that goes when it is told to, back too."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment

    def go(self, **span: float) -> None:
        self.moment += timedelta(**span)
