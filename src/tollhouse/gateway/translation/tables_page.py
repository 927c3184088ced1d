"""The tables of ``docs/translation.md``: what ``fields`` says, as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Final

from tollhouse.gateway.translation.fields import TABLES
from tollhouse.gateway.translation.provider_limits import LIMITS
from tollhouse.gateway.translation.treatment import Table, Treatment
from tollhouse.gateway.wires import GenerativeWire

_NAMES: Final[Mapping[GenerativeWire, str]] = {
    "openai_chat": "Chat Completions",
    "openai_responses": "Responses",
    "anthropic_messages": "Messages",
    "gemini": "generateContent",
}
_ORDER: Final[tuple[Treatment, ...]] = ("mapped", "dropped", "refused")


def translation_tables() -> str:
    """A table for each protocol of callers, and one for what the providers' protocols have no place for."""
    return "\n".join([*_callers(), *_providers()])


def _callers() -> Iterator[str]:
    for wire, table in TABLES.items():
        yield from (f"## A caller of {_NAMES[wire]}", "", "| what happens | fields | why |", "| --- | --- | --- |")
        yield from (f"| {treatment} | {names} | {reason} |" for treatment, names, reason in _rows(table))
        yield ""


def _providers() -> Iterator[str]:
    yield from ("## A provider's protocol", "", "| protocol | what happens | to | why |", "| --- | --- | --- | --- |")
    for wire, table in LIMITS.items():
        yield from (
            f"| {_NAMES[wire]} | {treatment} | {names} | {reason} |" for treatment, names, reason in _rows(table)
        )
    yield ""


def _rows(table: Table) -> Iterator[tuple[Treatment, str, str]]:
    """One row a treatment and reason, with the fields' names and the values that say nothing."""
    groups: dict[tuple[Treatment, str], list[str]] = {}
    for name, field in table.items():
        neutral = f" (not {' or '.join(_shown(value) for value in field.neutral)})" if field.neutral else ""
        groups.setdefault((field.treatment, field.reason), []).append(f"`{name}`{neutral}")
    for treatment, reason in sorted(groups, key=lambda group: _ORDER.index(group[0])):
        yield treatment, ", ".join(groups[treatment, reason]), reason


def _shown(value: object) -> str:
    spoken = {True: "true", False: "false"}
    return f"`{spoken[value]}`" if isinstance(value, bool) else f"`{value}`".replace("'", '"')
