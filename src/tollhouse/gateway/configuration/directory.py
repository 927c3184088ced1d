"""Which endpoint a client's model string means."""

from collections.abc import Iterable, Iterator

from tollhouse.gateway.configuration.endpoint import Endpoint
from tollhouse.gateway.configuration.patterns import Pattern, is_pattern

_MOST_REMEMBERED = 1024
_LONGEST_REMEMBERED = 256


class Directory:
    """Exact names first, then patterns, the one with the most fixed characters first, else the first in the file."""

    __slots__ = ("_endpoints", "_matched", "_names", "_patterns")

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._endpoints = tuple(endpoints)
        models = [(model, endpoint) for endpoint in self._endpoints for model in endpoint.models]
        self._names = {model: endpoint for model, endpoint in models if not is_pattern(model)}
        patterns = [(Pattern(model), endpoint) for model, endpoint in models if is_pattern(model)]
        self._patterns = tuple(sorted(patterns, key=lambda found: -found[0].literal_length))
        self._matched: dict[str, Endpoint] = {}

    def find(self, model: str) -> Endpoint | None:
        """The endpoint of ``model``, None where nobody has it."""
        return self._names.get(model) or self._matched.get(model) or self._match(model)

    def _match(self, model: str) -> Endpoint | None:
        if not model:
            return None
        for pattern, endpoint in self._patterns:
            if pattern.matches(model):
                self._remember(model, endpoint)
                return endpoint
        return None

    def _remember(self, model: str, endpoint: Endpoint) -> None:
        """Clients choose the strings, so that only so many and no long ones are kept."""
        if len(self._matched) >= _MOST_REMEMBERED:
            self._matched.clear()
        if len(model) <= _LONGEST_REMEMBERED:
            self._matched[model] = endpoint

    def listed(self) -> Iterator[tuple[str, Endpoint]]:
        """What a list of models shows: each literal name, and what a pattern's destinations have that it matches."""
        seen: set[str] = set()
        for endpoint in self._endpoints:
            for name in _names_of(endpoint):
                if name not in seen and self.find(name) is endpoint:
                    seen.add(name)
                    yield name, endpoint


def _names_of(endpoint: Endpoint) -> Iterator[str]:
    for model in endpoint.models:
        if not is_pattern(model):
            yield model
            continue
        pattern = Pattern(model)
        for target in (*endpoint.primaries, *endpoint.fallbacks):
            if target.model is not None and pattern.matches(target.model):
                yield target.model
