"""Which destinations are left alone for a while. Each worker keeps what it saw itself."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tollhouse.gateway.configuration.endpoint import Target

# One call every five minutes costs nobody anything, and a provider that says "in a day" is found well before that.
LONGEST_RETRY_AFTER_SECONDS = 300.0


class TargetHealth(NamedTuple):
    """A destination that has failed: failures in a row, and for how many seconds more it is left out."""

    key: str
    failures: int
    cooling_seconds: float


class _State:
    __slots__ = ("cooling_until", "failures")

    def __init__(self) -> None:
        self.failures = 0
        self.cooling_until = 0.0


class Health:
    """Counts failures in a row by destination. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}

    def succeeded(self, target: Target) -> None:
        """``target`` answered: it is as good as new."""
        if self._states:
            self._states.pop(target.key, None)

    def failed(self, target: Target, retry_after_seconds: float | None = None) -> None:
        """``target`` failed; it is left out after so many failures in a row, or at once where it said for how long.

        After that time it gets calls again, and the next failure leaves it out anew.
        """
        state = self._states.setdefault(target.key, _State())
        state.failures += 1
        cooldown = target.cooldown
        if not cooldown.seconds:
            return
        if retry_after_seconds is not None and retry_after_seconds > 0:
            pause = min(retry_after_seconds, LONGEST_RETRY_AFTER_SECONDS)
        elif state.failures >= cooldown.failures:
            pause = cooldown.seconds
        else:
            return
        state.cooling_until = max(state.cooling_until, self._clock() + pause)

    def is_cooling(self, target: Target) -> bool:
        """Whether ``target`` is left out at this moment."""
        state = self._states.get(target.key)
        return state is not None and self._clock() < state.cooling_until

    def snapshot(self) -> list[TargetHealth]:
        """Every destination whose last call failed, for readiness and metrics."""
        now = self._clock()
        states = sorted(self._states.items())
        return [TargetHealth(key, state.failures, max(0.0, state.cooling_until - now)) for key, state in states]

    def keep_only(self, targets: Iterable[Target]) -> None:
        """Forget destinations that a new configuration has no more."""
        kept = {target.key for target in targets}
        self._states = {key: state for key, state in self._states.items() if key in kept}
