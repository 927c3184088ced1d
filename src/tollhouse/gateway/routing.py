"""Which destinations a call tries, in which order."""

import hashlib
import math
import random
from collections.abc import Sequence

from tollhouse.gateway.configuration.endpoint import Endpoint, Target
from tollhouse.gateway.health import Health

_HASH_BITS = 53


def plan(endpoint: Endpoint, affinity_key: str | None, health: Health, dice: random.Random) -> list[Target]:
    """One of the endpoint's destinations by weight, then its fallbacks in order, none twice.

    Destinations that cool down are left out while another remains; where all of them do, none is. With affinity and a
    key, the same key has the same destination in every worker, and as few keys as can be move when one drops out.
    """
    warm = [target for target in endpoint.primaries if not health.is_cooling(target)]
    fallbacks = [target for target in endpoint.fallbacks if not health.is_cooling(target)]
    if not warm and not fallbacks:
        warm, fallbacks = list(endpoint.primaries), list(endpoint.fallbacks)
    if not warm:
        return fallbacks
    key = affinity_key if endpoint.affinity == "session" else None
    first = warm[0] if len(warm) == 1 else _by_key(warm, key) if key else _by_chance(warm, dice)
    return [first, *(target for target in fallbacks if target.key != first.key)]


def _by_key(targets: Sequence[Target], key: str) -> Target:
    """Weighted rendezvous hashing: each target's score is its weight by minus the logarithm of a hash in (0, 1)."""
    encoded = key.encode(errors="replace")
    return max(targets, key=lambda target: -target.weight / math.log(_unit_hash(encoded, target.seed)))


def _unit_hash(key: bytes, seed: bytes) -> float:
    digest = hashlib.blake2b(key, digest_size=8, key=seed).digest()
    return ((int.from_bytes(digest) >> (64 - _HASH_BITS)) + 0.5) / 2**_HASH_BITS


def _by_chance(targets: Sequence[Target], dice: random.Random) -> Target:
    point = dice.random() * sum(target.weight for target in targets)
    for target in targets:
        point -= target.weight
        if point < 0:
            return target
    return targets[-1]
