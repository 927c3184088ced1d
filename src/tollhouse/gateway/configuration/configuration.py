"""The configuration in force: immutable, made whole from a checked document, swapped as one."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec

from tollhouse.gateway.configuration import document as written
from tollhouse.gateway.configuration.directory import Directory
from tollhouse.gateway.configuration.endpoint import Endpoint, compile_endpoint
from tollhouse.gateway.configuration.findings import YamlPath
from tollhouse.gateway.configuration.permissions import Permissions
from tollhouse.gateway.configuration.provider import Provider, compile_provider
from tollhouse.gateway.configuration.secret_sources import LEAST_REDACTED_BYTES

PEPPER: YamlPath = ("gateway", "identity", "pepper")
_HASH_DIGITS = 16
_encode = msgspec.json.encode

Secrets = Mapping[YamlPath, bytes]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a configuration came from: ``file`` and all files that it depends on, that one among them."""

    file: Path
    watched: tuple[Path, ...]
    spool_dir: Path
    state_dir: Path


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Configuration:
    """``hash`` is of ``public()``. ``secrets`` are the literal values that no log may hold, the longest first."""

    hash: str
    document: written.Gateway
    origin: Origin
    providers: Mapping[str, Provider]
    endpoints: Mapping[str, Endpoint]
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    pepper: bytes | None
    secrets: tuple[bytes, ...]
    secret_values: Secrets
    _directory: Directory
    _permissions: Permissions

    def __repr__(self) -> str:
        return f"<Configuration {self.hash} of {self.origin.file}>"

    @property
    def file(self) -> Path:
        return self.origin.file

    @property
    def spool_dir(self) -> Path:
        return self.origin.spool_dir

    @property
    def state_dir(self) -> Path:
        return self.origin.state_dir

    def endpoint_for(self, model: str) -> Endpoint | None:
        """The endpoint that serves ``model`` as a client names it, None where none does."""
        return self._directory.find(model)

    def may_use(self, groups: Sequence[str], endpoint_name: str, model: str) -> bool:
        """Whether a principal of ``groups`` may ask that endpoint for ``model``."""
        return self._permissions.allow(groups, endpoint_name, model)

    def visible_models(self, groups: Sequence[str]) -> list[str]:
        """The model names that a principal of ``groups`` may ask for, in the order of the file."""
        listed = self._directory.listed()
        return [name for name, endpoint in listed if self._permissions.allow(groups, endpoint.name, name)]

    def trusts_proxy(self, address: str) -> bool:
        """Whether the ``x-forwarded-for`` of a connection from ``address`` is believed."""
        if not self.trusted_proxies:
            return False
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self.trusted_proxies)

    def public(self) -> dict[str, Any]:
        """What is in force, defaults filled in, for the log: where secrets are, never what they are."""
        return _public(self.document, self.providers, self.endpoints)

    def is_same_as(self, other: "Configuration") -> bool:
        """Whether nothing would change by taking ``other``: neither what is public nor a secret nor a folder."""
        return (self.hash, self.secret_values, self.origin) == (other.hash, other.secret_values, other.origin)


def compile_configuration(document: written.Gateway, secrets: Secrets, origin: Origin) -> Configuration:
    """The configuration of a document that has been checked; ``secrets`` by the paths of their sources."""
    providers = {
        name: compile_provider(name, provider, secrets.get(("gateway", "providers", name, "credential")))
        for name, provider in document.providers.items()
    }
    endpoints = {
        name: compile_endpoint(name, endpoint, document.payloads, providers)
        for name, endpoint in document.endpoints.items()
    }
    # In the order of the file, which decides between two patterns that fix as many characters.
    public = _encode(_public(document, providers, endpoints))
    redacted = {value for value in secrets.values() if len(value) >= LEAST_REDACTED_BYTES}
    return Configuration(
        hash=hashlib.sha256(public).hexdigest()[:_HASH_DIGITS],
        document=document,
        origin=origin,
        providers=providers,
        endpoints=endpoints,
        trusted_proxies=tuple(ip_network(text) for text in document.trusted_proxies),
        pepper=secrets.get(PEPPER),
        secrets=tuple(sorted(redacted, key=lambda value: (-len(value), value))),
        secret_values=dict(secrets),
        _directory=Directory(endpoints.values()),
        _permissions=Permissions(document.permissions),
    )


def _public(
    document: written.Gateway, providers: Mapping[str, Provider], endpoints: Mapping[str, Endpoint]
) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(document)
    for name, provider in providers.items():
        shown["providers"][name] |= {
            "base_url": provider.base_url,
            "protocols": list(provider.wires),
            "prices_as": provider.prices_as,
        }
    for name, endpoint in endpoints.items():
        shown["endpoints"][name] |= {"models": list(endpoint.models), "payloads": endpoint.payloads._asdict()}
        for key, targets in (("destinations", endpoint.primaries), ("fallbacks", endpoint.fallbacks)):
            for member, target in zip(shown["endpoints"][name][key], targets, strict=True):
                member["name"] = target.name
    return shown
