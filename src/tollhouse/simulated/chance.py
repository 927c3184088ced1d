"""Seeded choice without state: the same number always leads to the same one."""

_MASK = (1 << 64) - 1


def mixed(number: int, salt: int = 0) -> int:
    """64 bits that look random, made of two numbers (the finaliser of SplitMix64)."""
    bits = (number + (salt + 1) * 0x9E3779B97F4A7C15) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)
