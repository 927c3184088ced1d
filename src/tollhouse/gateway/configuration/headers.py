"""Which headers a configuration may add to a provider's calls."""

import re

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_CONNECTION = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "accept-encoding",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_SECRET_WORDS = frozenset(
    {"apikey", "auth", "authorization", "cookie", "credential", "key", "password", "secret", "token"}
)


def fault_of_header(name: str, value: str) -> tuple[str, str] | None:
    """What was found and what is allowed, where the header may not be added. The value is never quoted."""
    lower = name.lower()
    if not _TOKEN.fullmatch(name):
        return "a header name with other characters", "letters, digits and - in a header's name"
    if lower in _CONNECTION or lower.startswith("proxy-"):
        return "a header of the connection", "headers that pass from end to end; these are the gateway's own"
    if _SECRET_WORDS & set(re.split(r"[-_.]", lower)):
        return "a credential's header", "headers without secrets; a provider's secret is its `credential`"
    if lower.startswith("x-tollhouse-"):
        return "a header of the gateway's clients", "headers that the provider reads"
    if not _VALUE.fullmatch(value):
        return "a value with other characters", "visible ASCII characters, with spaces only between them"
    return None
