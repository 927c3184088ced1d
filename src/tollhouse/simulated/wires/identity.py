"""What makes one answer different from another to the same question: its ids and its time."""

import msgspec

from tollhouse.simulated.chance import mixed


class Identity(msgspec.Struct, frozen=True):
    """``created`` in seconds since 1970, ``model`` the name that answers, ``suffix`` what its ids end in."""

    suffix: str
    created: int
    model: str

    def of(self, prefix: str, index: int = 0) -> str:
        """An id such as ``msg_000012ab…``; ``index`` tells several of one answer apart."""
        return f"{prefix}{index:02d}{self.suffix}" if index else f"{prefix}{self.suffix}"


def suffix_of(run: int, number: int) -> str:
    """24 characters that no other answer has, not even of another server: for call ``number`` of ``run``."""
    return f"{number:08x}{mixed(run, number):016x}"
