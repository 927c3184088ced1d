"""The progress of a run on a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from tollhouse.lake.run import StepReport


class StepBar:
    """A bar over the steps ``names``, with one line above it for each step that has ended."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._done = 0
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), transient=True
        )
        self._task = self._progress.add_task(self._next(), total=len(self._names))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def ended(self, report: "StepReport") -> None:
        """Shows what the step did and names the next one."""
        written = report.written
        rejected = f", {written.rejected:,} rejected" if written.rejected else ""
        line = f"{report.step:<30} {written.rows:>10,} rows{rejected} in {report.seconds:.2f} s"
        self._progress.console.print(line, highlight=False, markup=False)
        self._done += 1
        self._progress.update(self._task, completed=self._done, description=self._next())

    def _next(self) -> str:
        return self._names[self._done] if self._done < len(self._names) else "done"
