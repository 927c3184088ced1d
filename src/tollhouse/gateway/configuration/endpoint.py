"""An endpoint and its destinations as a call needs them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tollhouse.gateway.configuration import document as written
from tollhouse.gateway.configuration.provider import Provider
from tollhouse.spool.records import Destination

DESTINATION_TYPE = "EXTERNAL_FOUNDATION_MODEL"


class Timeouts(NamedTuple):
    """All in seconds."""

    connect: float
    first_token: float
    idle: float
    total: float


class Payloads(NamedTuple):
    """Whether and how bodies are logged."""

    mode: written.PayloadMode
    sampling_fraction: float
    max_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One destination of an endpoint. ``model`` None: it is asked for what the client asked for.

    ``key`` names it across reloads: ``<endpoint>/<name>``. ``seed`` keys its hash in the choice by session.
    """

    name: str
    key: str
    provider: Provider
    model: str | None
    weight: float
    cooldown: written.Cooldown
    seed: bytes = field(repr=False)
    record: Destination | None

    def destination(self, requested_model: str) -> Destination:
        """What the log says of it."""
        return self.record or _record(self.name, requested_model, self.provider)


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """A name that clients may ask for, and all that is decided for its calls."""

    name: str
    models: tuple[str, ...]
    tags: Mapping[str, str]
    primaries: tuple[Target, ...]
    fallbacks: tuple[Target, ...]
    timeouts: Timeouts
    retries: written.Retries
    cooldown: written.Cooldown
    payloads: Payloads
    affinity: written.Affinity
    disconnect: written.Disconnect


def destination_name(destination: written.Fallback) -> str:
    """The name given, else the provider's and the last part of the model's."""
    if destination.name is not None:
        return destination.name
    return f"{destination.provider}-{(destination.model or '*').rpartition('/')[2]}"


def compile_endpoint(
    name: str, endpoint: written.Endpoint, payloads: written.Payloads, providers: Mapping[str, Provider]
) -> Endpoint:
    """``endpoint`` with its providers, and with ``payloads`` where it has none of its own."""
    limits = endpoint.timeouts
    primaries = tuple(_target(name, found, endpoint, providers, found.weight) for found in endpoint.destinations)
    by_key = {target.key: target for target in primaries}
    fallbacks = (_target(name, found, endpoint, providers, 1.0) for found in endpoint.fallbacks)
    return Endpoint(
        name=name,
        models=(name,) if endpoint.models is None else endpoint.models,
        tags=endpoint.tags,
        primaries=primaries,
        fallbacks=tuple(by_key.get(target.key, target) for target in fallbacks),
        timeouts=Timeouts(
            limits.connect_ms / 1000, limits.first_token_ms / 1000, limits.idle_ms / 1000, limits.total_ms / 1000
        ),
        retries=endpoint.retries,
        cooldown=endpoint.cooldown,
        payloads=_payloads(endpoint.payloads, payloads),
        affinity=endpoint.affinity,
        disconnect=endpoint.disconnect,
    )


def _payloads(own: written.PayloadOverrides, gateways: written.Payloads) -> Payloads:
    fraction, greatest = own.sampling_fraction, own.max_bytes
    return Payloads(
        own.mode or gateways.mode,
        gateways.sampling_fraction if fraction is None else fraction,
        gateways.max_bytes if greatest is None else greatest,
    )


def _target(
    endpoint_name: str,
    destination: written.Fallback,
    endpoint: written.Endpoint,
    providers: Mapping[str, Provider],
    weight: float,
) -> Target:
    name = destination_name(destination)
    key = f"{endpoint_name}/{name}"
    provider = providers[destination.provider]
    return Target(
        name=name,
        key=key,
        provider=provider,
        model=destination.model,
        weight=weight,
        cooldown=endpoint.cooldown,
        seed=hashlib.blake2b(key.encode(errors="replace"), digest_size=32).digest(),
        record=None if destination.model is None else _record(name, destination.model, provider),
    )


def _record(name: str, model: str, provider: Provider) -> Destination:
    return Destination(
        destination_name=name,
        destination_type=DESTINATION_TYPE,
        destination_model=model,
        provider=provider.prices_as,
    )
