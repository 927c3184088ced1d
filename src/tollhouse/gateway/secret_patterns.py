"""How the secrets that must not be logged look.

Each pattern stands twice: ``scanned`` is searched by hyperscan in everything that is logged and may fire too often,
``confirmed`` decides, and its group (or all of it) is what is replaced.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class SecretPattern(NamedTuple):
    """One kind of secret; ``scanned`` is without regard to case where ``is_caseless``."""

    kind: str
    scanned: bytes
    confirmed: re.Pattern[bytes]
    is_caseless: bool = False

    def spans(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Where the secrets of this kind are in ``text``."""
        group = self.confirmed.groups
        found = self.confirmed.search(text)
        while found is not None:
            is_secret = bool(group) or _BEGINNING.match(text, found.start()) is not None
            if is_secret:
                yield found.span(group)
            found = self.confirmed.search(text, found.end() if is_secret else found.start() + 1)


# A key does not begin in the middle of a word; a JSON escape before it ends in a letter or digit, but is no word. It is
# asked apart, since a pattern that began with it could not be searched by its prefix: 10 ms for 76 kB instead of 0.1.
_BEGINNING: Final = re.compile(rb"(?<![A-Za-z0-9_])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})")
_NO_MORE: Final = rb"(?![0-9A-Za-z])"

# A line end in a PEM, as it is or escaped, at any depth of JSON inside JSON.
_PEM_LINE_END: Final = rb"(?:\\+[nrt]|[\r\n ])"
_PEM: Final = re.compile(
    rb"-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----" + _PEM_LINE_END + rb"+(?=Proc-Type|[A-Za-z0-9+/]{16})"
    rb"(?:[A-Za-z0-9+/=:,]|\\/|" + _PEM_LINE_END + rb"|-(?!----))*+(?:-----END [A-Z ]{0,24}PRIVATE KEY-----)?"
)
# An Azure key is only hexadecimal, so it counts as one beside a name that says so.
_AZURE_NAME: Final = rb"api[-_]?key[\\\"' ]{0,8}[:=][\\\"' ]{0,8}"


def _key(kind: str, prefix: bytes, rest: bytes, *, is_exact: bool = False) -> SecretPattern:
    """A key by its prefix; ``rest`` ends in its shortest length, which more of the same may follow unless exact."""
    more = _NO_MORE if is_exact else rest[: rest.rindex(b"{")] + b"*"
    return SecretPattern(kind, prefix + rest, re.compile(prefix + rest + more))


SECRET_PATTERNS: Final = (
    _key("anthropic_key", rb"sk-ant-", rb"[A-Za-z0-9_-]{20}"),
    _key("openai_key", rb"sk-(?:proj|svcacct|admin|None|or-v1)-", rb"[A-Za-z0-9_-]{20}"),
    _key("openai_key", rb"sk-", rb"[A-Za-z0-9]{20}"),
    _key("google_key", rb"AIza", rb"[0-9A-Za-z_-]{35}", is_exact=True),
    _key("google_key", rb"AQ\.", rb"[A-Za-z0-9_-]{40}"),
    _key("google_token", rb"ya29\.", rb"[A-Za-z0-9_-]{20}"),
    _key("aws_key", rb"(?:AKIA|ASIA)", rb"[A-Z2-7]{16}", is_exact=True),
    _key("groq_key", rb"gsk_", rb"[A-Za-z0-9]{32}"),
    _key("github_token", rb"gh[pousr]_", rb"[A-Za-z0-9]{36}"),
    _key("github_token", rb"github_pat_", rb"[A-Za-z0-9_]{40}"),
    _key("slack_token", rb"xox[abeoprs]-", rb"[A-Za-z0-9-]{20}"),
    _key("huggingface_token", rb"hf_", rb"[A-Za-z0-9]{30}"),
    _key("gitlab_token", rb"glpat-", rb"[A-Za-z0-9_-]{20}"),
    _key("databricks_token", rb"dapi", rb"[0-9a-f]{32}"),
    _key("gateway_key", rb"th_[0-9a-z]{12}_", rb"[0-9A-Za-z]{43}", is_exact=True),
    _key("jwt", rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.", rb"[A-Za-z0-9_-]{10}"),
    SecretPattern("private_key", rb"-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----", _PEM),
    SecretPattern(
        "azure_key",
        _AZURE_NAME + rb"[0-9a-z]{32}",
        re.compile(rb"(?i:" + _AZURE_NAME + rb")([0-9a-f]{32}|[0-9A-Za-z]{84})" + _NO_MORE),
        is_caseless=True,
    ),
)
