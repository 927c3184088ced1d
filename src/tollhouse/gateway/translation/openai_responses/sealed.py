"""Reasoning's ``encrypted_content`` for other makers than OpenAI: the maker's name, a colon and its signature."""

from typing import Final

from tollhouse.gateway.wires import GenerativeWire

_OTHERS: Final[tuple[GenerativeWire, ...]] = ("anthropic_messages", "gemini", "openai_chat")


def seal(wire: GenerativeWire, signature: str) -> str:
    """What a Responses caller is given, to send back with the next request."""
    return f"{wire}:{signature}" if wire in _OTHERS else signature


def unseal(sealed: str) -> tuple[GenerativeWire, str]:
    """Who made the reasoning, and its signature."""
    for wire in _OTHERS:
        if sealed.startswith(f"{wire}:"):
            return wire, sealed.removeprefix(f"{wire}:")
    return "openai_responses", sealed
