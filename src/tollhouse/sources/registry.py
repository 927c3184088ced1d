"""The log formats that can be ingested, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from tollhouse.errors import SourceError
from tollhouse.sources import litellm
from tollhouse.sources.framing import Framer

FORMATS: Mapping[str, Framer] = MappingProxyType({"litellm": litellm.frame})


def framer(name: str) -> Framer:
    """Return the frame function of a format; raises SourceError that lists the formats."""
    if name not in FORMATS:
        raise SourceError(f"there is no log format '{name}'", hint=f"use one of: {', '.join(sorted(FORMATS))}")
    return FORMATS[name]
