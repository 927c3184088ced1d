"""What was measured against the bar it is to meet, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One figure; it is met at ``bar`` or below, with ``is_least`` at ``bar`` or above."""

    subject: str
    measured: float
    bar: float
    unit: str = "x"
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure is on the right side of the bar."""
        return self.measured >= self.bar if self.is_least else self.measured <= self.bar


def table(verdicts: Sequence[Verdict]) -> str:
    """A line a figure: measured, bar, ok."""
    lines = [f"{'figure':<58} {'measured':>10} {'bar':>8}  ok"]
    for each in verdicts:
        measured, bar = f"{each.measured:.2f}{each.unit}", f"{each.bar:g}{each.unit}"
        lines.append(f"{each.subject:<58} {measured:>10} {bar:>8}  {'yes' if each.is_met else 'NO'}")
    return "\n".join(lines)
