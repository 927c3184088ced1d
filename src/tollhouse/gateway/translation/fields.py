"""The one source of what happens to each request field of a translated call; the halves and the docs read it.

``field_tables`` says it of the caller's fields, ``provider_limits`` of what a provider's protocol has no place for.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.translation.field_tables import anthropic_messages, gemini, openai_chat, openai_responses
from tollhouse.gateway.translation.halves import UntranslatableError
from tollhouse.gateway.translation.provider_limits import LIMITS, WORDS
from tollhouse.gateway.translation.treatment import Field, Table
from tollhouse.gateway.wires import GenerativeWire

TABLES: Final[Mapping[GenerativeWire, Table]] = {
    "openai_chat": openai_chat.FIELDS,
    "openai_responses": openai_responses.FIELDS,
    "anthropic_messages": anthropic_messages.FIELDS,
    "gemini": gemini.FIELDS,
}
_UNKNOWN = Field("dropped", "not a field that is known here")
_INDEX = re.compile(r"\[\d+\]")
_SNAKE = re.compile(r"(?<=[a-z])_([a-z])")


def losses(wire: GenerativeWire, content: Mapping[str, Any], where: str = "") -> list[str]:
    """The members of one object of a request that are dropped, named without indexes (``tools[].cache_control``).

    ``where`` is the object's own path with indexes (``tools[2]``), "" for the body. Only this object's members are
    looked at, not those of the objects in it. Raises UntranslatableError for a member that is refused. None and empty
    lists and objects say nothing.
    """
    table, above, found = TABLES[wire], pattern(where), list[str]()
    for name, value in content.items():
        key = f"{above}.{name}" if above else name
        field = table.get(key) or _other_field(wire, table, above, name)
        if field.treatment == "mapped" or value is None or value in ([], {}) or value in field.neutral:
            continue
        if field.treatment == "refused":
            raise UntranslatableError(f"{where}.{name}" if where else name, field.reason)
        found.append(key)
    return found


def require_kind(wire: GenerativeWire, where: str, name: str, kind: object) -> bool:
    """Whether an object whose member ``name`` (``type``, ``role``) says ``kind`` is mapped; False: drop it, named.

    Raises UntranslatableError for a kind that is refused, or that is no string.
    """
    place = f"{where}.{name}" if where else name
    if not isinstance(kind, str):
        raise UntranslatableError(place, f"expected a string, found {type(kind).__name__}")
    table, key = TABLES[wire], pattern(place)
    field = table.get(f"{key}={kind}") or table.get(f"{key}=*") or _UNKNOWN
    if field.treatment == "refused":
        raise UntranslatableError(f"{place}={kind[:64]}", field.reason)
    return field.treatment == "mapped"


def lose(conversation: Conversation, provider: GenerativeWire, name: str) -> None:
    """Name ``name`` of the intermediate form (``top_k``, ``tool_result.is_error``) in the losses, in caller's words.

    Raises UntranslatableError where ``LIMITS[provider]`` refuses it.
    """
    words = WORDS[conversation.caller] if conversation.caller is not None else {}
    word = words.get(name, name)
    field = LIMITS[provider][name]
    if field.treatment == "refused":
        raise UntranslatableError(word, f"the model that answers here is reached through {provider}: {field.reason}")
    if word not in conversation.losses:
        conversation.losses.append(word)


def pattern(place: str) -> str:
    """A path without its indexes: ``tools[2].name`` is ``tools[].name``."""
    return _INDEX.sub("[]", place)


def _other_field(wire: GenerativeWire, table: Table, above: str, name: str) -> Field:
    """What happens to a member that has no line of its own by this name."""
    if wire == "gemini":
        above, name = (_SNAKE.sub(lambda found: found[1].upper(), word) for word in (above, name))
        if f"{above}.{name}".removeprefix(".") in table:
            return table[f"{above}.{name}".removeprefix(".")]
    return table.get(f"{above}.*", _UNKNOWN)
