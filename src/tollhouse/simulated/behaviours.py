"""How a call is to be answered: delays, sizes and faults, written as ``key=value; key=value``."""

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Final, Literal
from urllib.parse import unquote

import msgspec

from tollhouse.errors import TollhouseError

HEAD: Final = -1  # a fault before the first byte of the answer
LineEnds = Literal["lf", "crlf", "cr"]


class BehaviourError(TollhouseError):
    """A behaviour that does not exist, or a value that it cannot have."""


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Every key of docs/simulated.md; ``*_after`` count content events, HEAD is before the first byte."""

    id: str | None = None
    first_byte_ms: int = 0
    first_content_ms: int = 0
    event_ms: int = 0
    burst: int = 1
    background_ms: int = 200
    events: int | None = None
    event_bytes: int | None = None
    words: int | None = None
    answer_bytes: int | None = None
    text: str | None = None
    echo: bool = False
    tools: int | None = None
    thinking: int | None = None
    reasoning_content: bool = False
    answer_model: str | None = None
    cached: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    usage: str | None = None
    status: int | None = None
    retry_after: str | None = None
    error_body: str = "native"
    header: tuple[tuple[str, str], ...] = ()
    hang: int | None = None
    reset: int | None = None
    cut: int | None = None
    error_event: int | None = None
    no_terminal: bool = False
    truncate: bool = False
    wrong_length: bool = False
    garbage: str | None = None
    endless_line: int | None = None
    gzip: bool = False
    lines: LineEnds = "lf"
    split: int | None = None
    comments: int | None = None
    pings: int | None = None
    odd: tuple[str, ...] = ()
    close: bool = False

    @cached_property
    def shapes_delivery(self) -> bool:
        """Whether the answer cannot simply be written at once."""
        return any(getattr(self, name) != default for name, default in _DELIVERY.items())


PLAIN = Behaviour()
_DELIVERY = {
    name: getattr(PLAIN, name)
    for name in (
        *("first_byte_ms", "first_content_ms", "event_ms", "hang", "reset", "cut", "error_event", "no_terminal"),
        *("truncate", "wrong_length", "garbage", "endless_line", "gzip", "lines", "split", "comments", "pings"),
        *("odd", "close"),
    )
}
ODDITIES = ("duplicate_keys", "big_ints", "lone_surrogates")


def _count(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError(value)
    return number


def _positive(value: str) -> int:
    number = _count(value)
    if number == 0:
        raise ValueError(value)
    return number


def _flag(value: str) -> bool:
    return {"": True, "1": True, "true": True, "0": False, "false": False}[value.lower()]


def _thinking(value: str) -> int:
    return 160 if value in {"", "true"} else _count(value)


def _tools(value: str) -> int:
    return 1 if value in {"", "true"} else _count(value)


def _place(value: str) -> int:
    """``head``, ``body`` (after the first content event) or ``after:N``."""
    places = {"head": HEAD, "body": 1}
    return places[value] if value in places else _after(value)


def _after(value: str) -> int:
    return _count(value.removeprefix("after:"))


def _one_of(*values: str) -> Callable[[str], str]:
    return {value: value for value in values}.__getitem__


def _oddities(value: str) -> tuple[str, ...]:
    return ODDITIES if value == "all" else tuple(_one_of(*ODDITIES)(name.strip()) for name in value.split(","))


def header_text(text: str) -> str:
    """``text`` where it can stand in a header. Raises BehaviourError."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise BehaviourError(
            f"a header cannot have {text[error.start]!r}, as {text!r} would", hint="headers are sent as Latin-1"
        ) from error
    return text


def _header(value: str) -> tuple[tuple[str, str], ...]:
    pairs = (one.partition(":") for one in header_text(value).split("|"))
    return tuple((name.strip(), text.strip()) for name, _, text in pairs)


def _status(value: str) -> int:
    number = int(value)
    if not 300 <= number <= 599:
        raise ValueError(value)
    return number


_NUMBERS = """
first_byte_ms first_content_ms event_ms background_ms events words answer_bytes cached cache_write cache_write_1h
"""
_READERS: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(_NUMBERS.split(), _count),
    **dict.fromkeys(("burst", "event_bytes", "endless_line", "split", "comments", "pings"), _positive),
    **dict.fromkeys(
        ("echo", "reasoning_content", "no_terminal", "truncate", "wrong_length", "gzip", "close"),
        _flag,
    ),
    **dict.fromkeys(("hang", "reset"), _place),
    **dict.fromkeys(("cut", "error_event"), _after),
    **dict.fromkeys(("id", "text", "answer_model"), str),
    "retry_after": header_text,
    "tools": _tools,
    "thinking": _thinking,
    "status": _status,
    "usage": _one_of("absent", "zero", "partial"),
    "error_body": _one_of("native", "html", "empty", "huge"),
    "garbage": _one_of("head", "body", "event"),
    "lines": _one_of("lf", "crlf", "cr"),
    "odd": _oddities,
    "header": _header,
}
KEYS = tuple(sorted(_READERS))


@lru_cache(maxsize=4096)
def behaviour_of(*texts: str) -> Behaviour:
    """The behaviour that the texts describe together; a later text wins. Raises BehaviourError."""
    values: dict[str, object] = {}
    for text in texts:
        for part in text.split(";"):
            if part.strip():
                name, _, value = part.partition("=")
                values[name.strip()] = _value(name.strip(), unquote(value.strip()))
    return msgspec.convert(values, Behaviour)


def _value(name: str, value: str) -> object:
    if name not in _READERS:
        raise BehaviourError(f"no behaviour is called {name!r}", hint=f"the keys are {', '.join(KEYS)}")
    try:
        return _READERS[name](value)
    except (ValueError, KeyError) as error:
        raise BehaviourError(
            f"{name} cannot be {value!r}", hint="docs/simulated.md says what each key takes"
        ) from error
