"""One object of a client's request, read member by member: whatever a client sends, an error names its path."""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from tollhouse.gateway.translation.fields import losses, pattern, require_kind
from tollhouse.gateway.translation.halves import UntranslatableError
from tollhouse.gateway.wires import GenerativeWire

_SNAKE: Final = re.compile(r"(?<=[a-z])_([a-z])")
_Kind = TypeVar("_Kind")
_KINDS: Final[Mapping[type, str]] = {str: "a string", bool: "true or false", dict: "an object", list: "an array"}


class BodyObject:
    """An object of ``wire``'s request at ``path``; what it holds that is dropped is added to ``found``.

    Google's API takes snake_case names beside camelCase ones, one object for an array of one, and integers as strings;
    so does this. A member that is null is absent. Raises UntranslatableError, as every method does.
    """

    __slots__ = ("_found", "_members", "_path", "_wire")

    def __init__(self, wire: GenerativeWire, value: object, path: str, found: list[str]) -> None:
        if not isinstance(value, dict):
            raise _wrong(path or "the body", dict, value)
        found.extend(name for name in losses(wire, value, path) if name not in found)
        self._members: dict[str, Any] = _camel_case(value, path) if wire == "gemini" else value
        self._wire: GenerativeWire = wire
        self._path = path
        self._found = found

    def place(self, name: str) -> str:
        """The path of a member."""
        return f"{self._path}.{name}" if self._path else name

    def names(self) -> list[str]:
        """The members that are there and not null."""
        return [name for name, value in self._members.items() if value is not None]

    def has(self, name: str) -> bool:
        """Whether the member is there and not null."""
        return self._members.get(name) is not None

    def get(self, name: str) -> Any:
        """A member of any type; None where it is absent."""
        return self._members.get(name)

    def kind(self, name: str = "type") -> str | None:
        """What ``name`` says this object is; None where such objects are dropped."""
        value = self._members.get(name)
        if require_kind(self._wire, self._path, name, value):
            return value
        self.lose(f"{name}={value}")
        return None

    def text(self, name: str) -> str | None:
        """A string."""
        return self._read(name, str)

    def needed_text(self, name: str) -> str:
        """A string that must be there."""
        value = self._read(name, str)
        if value is None:
            raise UntranslatableError(self.place(name), "is missing; a string is needed")
        return value

    def flag(self, name: str) -> bool | None:
        """True or false."""
        return self._read(name, bool)

    def raw_object(self, name: str) -> dict[str, Any] | None:
        """An object whose members are no fields of the protocol (a schema, a tool's input)."""
        return self._read(name, dict)

    def number(self, name: str) -> float | None:
        """A number."""
        value = self._members.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UntranslatableError(self.place(name), f"expected a number, found {_found_name(value)}")
        return value

    def integer(self, name: str) -> int | None:
        """A whole number; 40.0 is one."""
        value = self._members.get(name)
        if self._wire == "gemini" and isinstance(value, str) and value.removeprefix("-").isdecimal():
            return int(value[:24])
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise UntranslatableError(self.place(name), f"expected a whole number, found {_found_name(value)}")

    def texts(self, name: str) -> list[str]:
        """An array of strings; [] where it is absent."""
        values = self.items(name)
        for position, value in enumerate(values):
            if not isinstance(value, str):
                raise _wrong(f"{self.place(name)}[{position}]", str, value)
        return values

    def items(self, name: str) -> list[Any]:
        """An array; [] where it is absent."""
        value = self._members.get(name)
        if self._wire == "gemini" and isinstance(value, dict):
            return [value]
        return self._read(name, list) or []

    def child(self, name: str) -> "BodyObject | None":
        """An object; None where it is absent."""
        value = self._members.get(name)
        return None if value is None else BodyObject(self._wire, value, self.place(name), self._found)

    def needed_child(self, name: str) -> "BodyObject":
        """An object that must be there."""
        return BodyObject(self._wire, self._members.get(name), self.place(name), self._found)

    def children(self, name: str) -> list["BodyObject"]:
        """An array of objects; [] where it is absent."""
        place = self.place(name)
        return [
            BodyObject(self._wire, item, f"{place}[{position}]", self._found)
            for position, item in enumerate(self.items(name))
        ]

    def refuse(self, name: str, reason: str) -> UntranslatableError:
        """The error that names a member; the caller raises it."""
        return UntranslatableError(self.place(name), reason)

    def lose(self, name: str) -> None:
        """Name a member as dropped."""
        word = pattern(self.place(name))
        if word not in self._found:
            self._found.append(word)

    def _read(self, name: str, kind: type[_Kind]) -> _Kind | None:
        value = self._members.get(name)
        if value is None or isinstance(value, kind):
            return value
        raise _wrong(self.place(name), kind, value)


def _camel_case(members: Mapping[str, Any], path: str) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for name, value in members.items():
        camel = _SNAKE.sub(lambda found: found[1].upper(), name) if "_" in name else name
        if camel in renamed:
            raise UntranslatableError(f"{path}.{name}" if path else name, f"is given twice, as {camel} too")
        renamed[camel] = value
    return renamed


def _wrong(place: str, kind: type, value: object) -> UntranslatableError:
    return UntranslatableError(place, f"expected {_KINDS[kind]}, found {_found_name(value)}")


def _found_name(value: object) -> str:
    return "nothing" if value is None else _KINDS.get(type(value), "a number")
