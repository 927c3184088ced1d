"""Token counts: a stated function of the texts, so that everybody can count them again."""

import msgspec

BYTES_PER_TOKEN = 4
IMAGE_TOKENS = 258


class Tokens(msgspec.Struct, frozen=True, gc=False):
    """What a call cost. ``input`` includes the three cache counts, ``output`` includes ``reasoning``."""

    input: int = 0
    cached: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def fresh(self) -> int:
        """Input that was neither read from a cache nor written to one."""
        return self.input - self.cached - self.cache_write

    @property
    def cache_write(self) -> int:
        """Input written to a cache, for whatever time."""
        return self.cache_write_5m + self.cache_write_1h

    @property
    def total(self) -> int:
        """Input and output."""
        return self.input + self.output


def tokens_of_bytes(size: int) -> int:
    """Tokens of ``size`` bytes of UTF-8: a quarter, rounded up."""
    return -(-size // BYTES_PER_TOKEN)


def tokens_of(text: str) -> int:
    """Tokens of one text."""
    return tokens_of_bytes(len(text) if text.isascii() else len(text.encode()))
