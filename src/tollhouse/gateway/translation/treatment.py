"""What happens to a field of a request that is translated."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Treatment = Literal["mapped", "dropped", "refused"]


class Field(msgspec.Struct, frozen=True):
    """A field's treatment and why; with one of the ``neutral`` values it says nothing and passes in silence."""

    treatment: Treatment
    reason: str = ""
    neutral: tuple[Any, ...] = ()


Table = Mapping[str, Field]


def mapped(*names: str) -> dict[str, Field]:
    """Fields that have a place in the intermediate form."""
    return {name: Field("mapped") for name in names}


def dropped(reason: str, *names: str, neutral: tuple[Any, ...] = ()) -> dict[str, Field]:
    """Hints: the answer means the same without them. They are named in the losses."""
    return {name: Field("dropped", reason, neutral) for name in names}


def refused(reason: str, *names: str, neutral: tuple[Any, ...] = ()) -> dict[str, Field]:
    """Fields whose meaning would be lost: the request is refused by the field's name."""
    return {name: Field("refused", reason, neutral) for name in names}
