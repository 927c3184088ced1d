"""The demo's only source of chance."""

from random import Random


class Dice(Random):
    """Seeded draws: the same seed gives the same demo. Nothing of it is secret."""
