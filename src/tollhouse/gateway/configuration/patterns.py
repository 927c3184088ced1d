"""Names and patterns of names, in which ``*`` is any text."""

import re


class Pattern:
    """A pattern taken apart, so that a client's text is looked through once, however many stars there are."""

    __slots__ = ("_first", "_last", "_middle", "text")

    def __init__(self, text: str) -> None:
        self.text = canonical(text)
        self._first, *middle = self.text.split("*")
        self._last = middle.pop() if middle else None
        self._middle = tuple(middle)

    def matches(self, name: str) -> bool:
        if self._last is None:
            return name == self._first
        end = len(name) - len(self._last)
        at = len(self._first)
        if at > end or not (name.startswith(self._first) and name.endswith(self._last)):
            return False
        for part in self._middle:
            found = name.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    @property
    def literal_length(self) -> int:
        """How many characters it fixes; the pattern that fixes more wins."""
        return len(self.text) - self.text.count("*")

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"


def is_pattern(text: str) -> bool:
    return "*" in text


def canonical(text: str) -> str:
    """``text`` with one star for several in a row."""
    return re.sub(r"\*+", "*", text)
