"""What endpoints and permissions must keep beyond their types."""

from collections.abc import Sequence

from tollhouse.gateway.configuration.document import Endpoint, Fallback, Gateway
from tollhouse.gateway.configuration.endpoint import destination_name
from tollhouse.gateway.configuration.findings import Findings, YamlPath, dotted, shown
from tollhouse.gateway.configuration.patterns import Pattern, canonical, is_pattern
from tollhouse.gateway.configuration.places import Places
from tollhouse.gateway.configuration.shapes import one_of

PROVIDERS: YamlPath = ("gateway", "providers")
ENDPOINTS: YamlPath = ("gateway", "endpoints")
_NAME_ALLOWED = "visible characters, without spaces"


class EndpointRules:
    """Checks endpoints against one another and against the providers."""

    def __init__(self, places: Places, findings: Findings) -> None:
        self._places = places
        self._findings = findings
        self._providers = places.keys_under(PROVIDERS)
        self._endpoints = places.keys_under(ENDPOINTS)
        self._models: dict[str, YamlPath] = {}

    def check(self, name: str, endpoint: Endpoint) -> None:
        path = (*ENDPOINTS, name)
        self._check_name(name, path)
        if endpoint.models is None:
            self._take_model(name, path)
        models = endpoint.models or ()
        for position, model in enumerate(models):
            self._take_model(model, (*path, "models", self._places.index(models, position)))
        self._check_destinations(endpoint)
        if endpoint.retries.base_ms > endpoint.retries.max_ms:
            place = (*path, "retries", "base_ms")
            self._add(place, f"{endpoint.retries.base_ms}", f"at most max_ms, {endpoint.retries.max_ms}")

    def check_permissions(self, document: Gateway) -> None:
        """Every endpoint that a permission names must be there, and every pattern must mean one."""
        for permission in document.permissions or ():
            path = (*self._places.of(permission), "endpoints")
            for position, text in enumerate(permission.endpoints):
                index = self._places.index(permission.endpoints, position)
                pattern = Pattern(text)
                if not any(pattern.matches(name) for name in self._endpoints):
                    self._add((*path, index), f"{shown(text)}, which is no endpoint", one_of(["*", *self._endpoints]))

    def _take_model(self, model: str, path: YamlPath) -> None:
        self._check_name(model, path)
        other = self._models.setdefault(canonical(model), path)
        if other != path:
            place = f"{dotted(other)} (line {self._places.line(other)})"
            self._add(path, f"{shown(model)}, which {place} has", "each name and pattern at one endpoint, once")

    def _check_name(self, name: str, path: YamlPath) -> None:
        if not name or not name.isprintable() or " " in name:
            self._add(path, f"the name {shown(name)}", _NAME_ALLOWED)

    def _check_destinations(self, endpoint: Endpoint) -> None:
        primaries = self._check_list(endpoint.destinations)
        fallbacks = self._check_list(endpoint.fallbacks)
        for name in primaries.keys() & fallbacks.keys():
            one, other = primaries[name], fallbacks[name]
            if (one.provider, one.model) != (other.provider, other.model):
                found = f"the name {name}, which another one of the destinations has"
                self._add((*self._places.of(other), "name"), found, "a name of its own")

    def _check_list(self, destinations: Sequence[Fallback]) -> dict[str, Fallback]:
        """The destinations by their names."""
        found: dict[str, Fallback] = {}
        for destination in destinations:
            path = self._places.of(destination)
            if destination.provider not in self._providers:
                said = f"{shown(destination.provider)}, which is no provider"
                self._add((*path, "provider"), said, one_of(self._providers) or "a name under gateway.providers")
            if destination.model is not None:
                self._check_model(destination.model, (*path, "model"))
            name = destination_name(destination)
            if name in found:
                self._add((*path, "name"), f"the name {name} again", "a name of its own for each destination")
            found.setdefault(name, destination)
        return found

    def _check_model(self, model: str, path: YamlPath) -> None:
        if is_pattern(model):
            self._add(path, f"the pattern {shown(model)}", "one model's name, or null for what the client asked for")
        else:
            self._check_name(model, path)

    def _add(self, path: YamlPath, found: str, permitted: str) -> None:
        self._findings.add(self._places.line(path), path, found, permitted)
