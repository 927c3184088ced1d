"""What providers must keep beyond their types."""

from pathlib import Path

from tollhouse.gateway.configuration.document import Provider, SecretSource
from tollhouse.gateway.configuration.findings import Findings, YamlPath
from tollhouse.gateway.configuration.headers import fault_of_header
from tollhouse.gateway.configuration.kinds import KINDS
from tollhouse.gateway.configuration.places import Places
from tollhouse.gateway.configuration.secret_sources import SecretSourceError, header_value, read_secret
from tollhouse.gateway.configuration.shapes import one_of
from tollhouse.gateway.configuration.urls import ALLOWED, fault_of_url

Secrets = dict[YamlPath, bytes]


class ProviderRules:
    """Checks providers and reads their credentials into ``secrets``, by the paths of their sources."""

    def __init__(self, places: Places, findings: Findings, folder: Path) -> None:
        self._places = places
        self._findings = findings
        self._folder = folder
        self.secrets: Secrets = {}

    def check(self, provider: Provider) -> None:
        path = self._places.of(provider)
        self._check_url(provider, path)
        self._check_protocols(provider, path)
        self._check_headers(provider, path)
        if provider.api_version is not None and provider.kind != "azure_openai":
            self._add((*path, "api_version"), f"a version for the kind {provider.kind}", "null; azure_openai has one")
        self._check_credential(provider, path)

    def read(self, source: SecretSource, path: YamlPath) -> bytes | None:
        """The secret, kept in ``secrets`` too; None where it cannot be read, which is then among the findings."""
        if self._findings.are_under(path):
            return None
        try:
            secret = read_secret(source, self._folder)
        except SecretSourceError as error:
            place = path if error.member is None else (*path, error.member)
            self._add(place, error.found, error.permitted)
            return None
        self.secrets[path] = secret
        return secret

    def _check_url(self, provider: Provider, path: YamlPath) -> None:
        place = (*path, "base_url")
        if provider.base_url is None:
            if KINDS[provider.kind].base_url is None:
                self._add(place, f"nothing, and {provider.kind} has none of its own", ALLOWED)
            return
        fault = fault_of_url(provider.base_url)
        if fault is not None:
            self._add(place, fault, ALLOWED)
        elif provider.kind == "azure_openai" and provider.base_url.rstrip("/").endswith(("/openai", "/openai/v1")):
            self._add(
                place, "a URL that ends in /openai", "the resource's address alone: https://NAME.openai.azure.com"
            )

    def _check_protocols(self, provider: Provider, path: YamlPath) -> None:
        permitted = KINDS[provider.kind].can_speak
        protocols = provider.protocols or ()
        for position, wire in enumerate(protocols):
            if wire not in permitted:
                place = (*path, "protocols", self._places.index(protocols, position))
                found = f"{wire}, which {provider.kind} does not speak"
                self._add(place, found, one_of(list(permitted)))

    def _check_headers(self, provider: Provider, path: YamlPath) -> None:
        seen: dict[str, str] = {}
        for name, value in provider.headers.items():
            place = (*path, "headers", name)
            fault = fault_of_header(name, value)
            if fault is not None:
                self._add(place, *fault)
            elif name.lower() in seen:
                self._add(place, f"the same header as {seen[name.lower()]}", "each header once, whatever its case")
            seen.setdefault(name.lower(), name)

    def _check_credential(self, provider: Provider, path: YamlPath) -> None:
        place = (*path, "credential")
        if provider.credential is not None:
            secret = self.read(provider.credential, place)
            if secret is not None and header_value(secret) is None:
                self._add(place, "a credential with spaces, control or other characters", "visible ASCII characters")
        elif provider.base_url is None and KINDS[provider.kind].base_url is not None:
            permitted = f"{SecretSource.allowed}; only a provider with a base_url of its own goes without"
            self._add(place, "nothing", permitted)

    def _add(self, path: YamlPath, found: str, permitted: str) -> None:
        self._findings.add(self._places.line(path), path, found, permitted)
