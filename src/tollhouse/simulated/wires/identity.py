"""What makes one answer different from another to the same question: its ids and its time."""

from functools import cached_property

import msgspec

from tollhouse.simulated.chance import mixed


class Identity(msgspec.Struct, frozen=True, dict=True):
    """``number`` of the call in ``run``, ``created`` seconds since 1970, ``model`` the name that answers."""

    run: int
    number: int
    created: int
    model: str

    @cached_property
    def suffix(self) -> str:
        """24 characters that no other answer has, not even of another server."""
        return f"{self.number:08x}{mixed(self.run, self.number):016x}"

    def of(self, prefix: str, index: int = 0) -> str:
        """An id such as ``msg_000012ab…``; ``index`` tells several of one answer apart."""
        return f"{prefix}{index:02d}{self.suffix}" if index else f"{prefix}{self.suffix}"
