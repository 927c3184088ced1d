"""Who may ask which endpoint for which model."""

from collections.abc import Sequence

from tollhouse.gateway.configuration import document as written
from tollhouse.gateway.configuration.patterns import Pattern

_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 256


class Permissions:
    """The list of what is given; without one everything is, with one nothing else."""

    __slots__ = ("_answers", "_entries")

    def __init__(self, entries: Sequence[written.Permission] | None) -> None:
        self._entries = None if entries is None else tuple(_Entry(entry) for entry in entries)
        self._answers: dict[tuple[tuple[str, ...], str, str], bool] = {}

    def allow(self, groups: Sequence[str], endpoint: str, model: str) -> bool:
        """Whether one of ``groups`` may ask ``endpoint`` for ``model``, as the client named it."""
        if self._entries is None:
            return True
        asked = (tuple(groups), endpoint, model)
        answer = self._answers.get(asked)
        if answer is None:
            answer = any(entry.gives(groups, endpoint, model) for entry in self._entries)
            if len(self._answers) >= _MOST_REMEMBERED:
                self._answers.clear()
            if len(model) <= _LONGEST_REMEMBERED:
                self._answers[asked] = answer
        return answer


class _Entry:
    __slots__ = ("_endpoints", "_groups", "_is_everybody", "_models")

    def __init__(self, entry: written.Permission) -> None:
        self._groups = frozenset(entry.groups)
        self._is_everybody = "*" in self._groups
        self._endpoints = tuple(Pattern(text) for text in entry.endpoints)
        self._models = tuple(Pattern(text) for text in entry.models)

    def gives(self, groups: Sequence[str], endpoint: str, model: str) -> bool:
        return (
            (self._is_everybody or not self._groups.isdisjoint(groups))
            and any(pattern.matches(endpoint) for pattern in self._endpoints)
            and any(pattern.matches(model) for pattern in self._models)
        )
