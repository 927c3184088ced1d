"""Which URLs a configuration may name."""

import re

ALLOWED = "an http or https URL of host, port and path only, without user name, query or fragment"
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)"
)


def fault_of_url(url: str) -> str | None:
    """What is wrong with ``url``, without quoting it since a URL may hold a secret; None where nothing is."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("http", "https"):
        return "text that begins neither with http:// nor with https://"
    if "@" in rest.partition("/")[0]:
        return "a URL with a user name or password"
    if "?" in rest or "#" in rest:
        return "a URL with a query or fragment"
    matched = _URL.fullmatch(url)
    if matched is None:
        return "a URL whose host, port or path has other characters"
    if matched["port"] and not 1 <= int(matched["port"]) <= 65_535:
        return "a URL whose port is not between 1 and 65535"
    segments = matched["path"].replace("%2e", ".").replace("%2E", ".").split("/")
    return "a URL whose path has . or .. in it" if {".", ".."} & set(segments) else None
