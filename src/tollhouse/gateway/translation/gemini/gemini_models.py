"""What depends on which Gemini a request is for, read from the model's name.

2.5 was the first to think, by a budget in tokens; from 3 on there are levels, and a tool call is refused in the history
without the signature it came with. A name without a version counts as a newer one.
"""

import re
from typing import Final

_VERSION: Final = re.compile(r"gemini-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:\.(\d{1,2}))?")
_Version = tuple[int, int]
_NEWEST: Final[_Version] = (99, 0)


def thinks(model: str) -> bool:
    """Whether it takes a wish for thinking at all."""
    return _version(model) >= (2, 5)


def has_levels(model: str) -> bool:
    """Whether it takes a thinking level in the place of a budget, and pictures inside a function's response."""
    return _version(model) >= (3, 0)


def wants_signatures(model: str) -> bool:
    """Whether it refuses a tool call of the history without a signature."""
    return "gemini" in model and has_levels(model)


def is_pro(model: str) -> bool:
    """Whether it is a Pro, which cannot do without thinking."""
    return "-pro" in model


def knows_medium(model: str) -> bool:
    """Whether it has a level between low and high: 3 Pro has none."""
    return not is_pro(model) or _version(model) > (3, 0)


def _version(model: str) -> _Version:
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST
