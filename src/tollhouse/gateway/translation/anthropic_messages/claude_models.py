"""What depends on which Claude a request is for, read from the model's name.

Claude 4.6 was the first to choose its own thinking budget and the last to take sampling parameters; a Claude without a
version in its name counts as a newer one. A name without Claude is some other model behind this protocol: it is given
what the caller sent, and a budget.
"""

import re
from typing import Final

_VERSION: Final = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")
_Version = tuple[int, int]
_NEWEST: Final[_Version] = (99, 0)
_OLDEST: Final[_Version] = (0, 0)
_MAX_TOKENS: Final = 16_384
_OLD_MAX_TOKENS: Final = 4_096


def takes_sampling(model: str) -> bool:
    """Whether it takes temperature, top_p and top_k: later ones answer 400."""
    return _version(model, _OLDEST) <= (4, 6)


def takes_top_p_beside_temperature(model: str) -> bool:
    """Whether it takes both: from 4.1 on, only one."""
    return _version(model, _OLDEST) < (4, 1)


def thinks(model: str) -> bool:
    """Whether it takes a wish for thinking at all: from 3.7 on."""
    return _version(model, _NEWEST) >= (3, 7)


def thinks_adaptively(model: str) -> bool:
    """Whether it takes an effort and finds the budget itself: others must be given a budget."""
    return _version(model, _OLDEST) >= (4, 6)


def default_max_tokens(model: str) -> int:
    """The limit, thinking included, where the caller set none, since Messages must have one: 16,384 tokens.

    Before Claude 4 some models refuse more than 4,096.
    """
    return _OLD_MAX_TOKENS if _version(model, _NEWEST) < (4, 0) else _MAX_TOKENS


def _version(model: str, others: _Version) -> _Version:
    if "claude" not in model:
        return others
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST
