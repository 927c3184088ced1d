"""A JSON object of a caller's request, read with its place, so that every complaint names the field."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from tollhouse.gateway.translation.fields import losses, require_kind
from tollhouse.gateway.translation.halves import UntranslatableError
from tollhouse.gateway.wires import GenerativeWire

_NUMBER = (int, float)


class RequestNode:
    """An object of a request. Its members are looked up in ``fields`` at once, those that are dropped go to ``lost``.

    Reading a member of the wrong type raises UntranslatableError with its path; None and absence are the same.
    """

    __slots__ = ("content", "lost", "where", "wire")

    def __init__(self, wire: GenerativeWire, content: Mapping[str, Any], where: str, lost: list[str]) -> None:
        self.wire: GenerativeWire = wire
        self.content = content
        self.where = where
        self.lost = lost
        for name in losses(wire, content, where):
            self.lose(name)

    def lose(self, name: str) -> None:
        """Name a loss once."""
        if name not in self.lost:
            self.lost.append(name)

    def place(self, name: str) -> str:
        """The path of a member."""
        return f"{self.where}.{name}" if self.where else name

    def wrong(self, name: str, expected: str) -> UntranslatableError:
        """The complaint about a member: what was expected and what was found."""
        found = self.content.get(name)
        shown = "nothing" if found is None else type(found).__name__
        return UntranslatableError(self.place(name), f"expected {expected}, found {shown}")

    def kind(self, name: str = "type", default: str | None = None) -> str:
        """What a member such as ``type`` says. Raises UntranslatableError for a kind that is refused."""
        found = self.content.get(name)
        said = default if found is None else found
        require_kind(self.wire, self.where, name, said)
        return str(said)

    def text(self, name: str) -> str | None:
        """A string."""
        found = self.content.get(name)
        if found is None or isinstance(found, str):
            return found
        raise self.wrong(name, "a string")

    def required_text(self, name: str) -> str:
        """A string that must be there."""
        found = self.text(name)
        if found is None:
            raise self.wrong(name, "a string")
        return found

    def flag(self, name: str) -> bool | None:
        """True or false."""
        found = self.content.get(name)
        if found is None or isinstance(found, bool):
            return found
        raise self.wrong(name, "true or false")

    def number(self, name: str) -> float | None:
        """A number."""
        found = self.content.get(name)
        if found is None or (isinstance(found, _NUMBER) and not isinstance(found, bool)):
            return found
        raise self.wrong(name, "a number")

    def whole(self, name: str) -> int | None:
        """A whole number, also where it is written as 10.0."""
        found = self.number(name)
        if found is None or isinstance(found, int):
            return found
        if found.is_integer():
            return int(found)
        raise self.wrong(name, "a whole number")

    def items(self, name: str) -> list[Any] | None:
        """An array."""
        found = self.content.get(name)
        if found is None or isinstance(found, list):
            return found
        raise self.wrong(name, "an array")

    def child(self, name: str) -> Self | None:
        """An object."""
        found = self.content.get(name)
        if found is None:
            return None
        if isinstance(found, dict):
            return self.inner(found, name)
        raise self.wrong(name, "an object")

    def required_child(self, name: str) -> Self:
        """An object that must be there."""
        found = self.child(name)
        if found is None:
            raise self.wrong(name, "an object")
        return found

    def children(self, name: str) -> Iterator[Self]:
        """The objects of an array."""
        for number, item in enumerate(self.items(name) or ()):
            if not isinstance(item, dict):
                place = f"{self.place(name)}[{number}]"
                raise UntranslatableError(place, f"expected an object, found {type(item).__name__}")
            yield self.inner(item, f"{name}[{number}]")

    def inner(self, content: Mapping[str, Any], name: str) -> Self:
        """An object that lies at ``name`` below this one."""
        return type(self)(self.wire, content, self.place(name), self.lost)
