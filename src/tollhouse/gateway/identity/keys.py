"""Virtual keys: ``th_<key id>_<secret>``, of which only an HMAC-SHA-256 under the pepper is ever stored.

The key id (12 characters of lower-case base32) may be shown and logged. The secret has 43 characters of base62, which
is more than 256 random bits, so a fast hash is enough.
"""

import hashlib
import hmac
import re
import secrets
import string
from datetime import datetime
from typing import NamedTuple

KEY_SOURCE = r"th_[a-z2-7]{12}_[0-9A-Za-z]{43}"
KEY_PATTERN = re.compile(KEY_SOURCE.encode())
KEY_START = b"th_"

_ID_LETTERS = string.ascii_lowercase + "234567"
_SECRET_LETTERS = string.digits + string.ascii_letters
_ID_LENGTH, _SECRET_LENGTH = 12, 43
_ID = slice(len(KEY_START), len(KEY_START) + _ID_LENGTH)


class FreshKey(NamedTuple):
    """A key that was just made; ``text`` is the whole key, which cannot be had again."""

    key_id: str
    text: str
    expires_at: datetime | None = None


def make_key() -> FreshKey:
    """A new key from the system's source of randomness."""
    key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
    secret = "".join(secrets.choice(_SECRET_LETTERS) for _ in range(_SECRET_LENGTH))
    return FreshKey(key_id, f"th_{key_id}_{secret}")


def key_id_of(key: bytes) -> bytes | None:
    """The key id inside ``key``; None where it does not have the format of a key."""
    return key[_ID] if KEY_PATTERN.fullmatch(key) else None


class Hasher:
    """Digests of whole keys under one pepper."""

    __slots__ = ("_keyed",)

    def __init__(self, pepper: bytes) -> None:
        self._keyed = hmac.new(pepper, digestmod=hashlib.sha256)

    def digest(self, key: bytes) -> bytes:
        """32 bytes."""
        keyed = self._keyed.copy()
        keyed.update(key)
        return keyed.digest()

    def check_value(self) -> bytes:
        """A value that tells one pepper from another and cannot be the digest of a key."""
        return self.digest(b"tollhouse: the pepper of this store")
