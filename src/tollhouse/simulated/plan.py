"""An answer as the writes that make it, with the pauses between them and the way it ends."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import Literal

import msgspec

from tollhouse.simulated.behaviours import HEAD, Behaviour
from tollhouse.simulated.reply import CONTENT, Event, Reply
from tollhouse.simulated.shaping import shaped

Ending = Literal["keep", "close", "reset", "hang"]
_GARBAGE_HEAD = b"\x16\x03\x01 this is not HTTP \xff\xfe\r\n\r\n"
_BROKEN_OFF = {"hung", "reset", "truncated"}  # the whole body was promised
_LAST_CHUNK = b"0\r\n\r\n"
_REASONS = {status.value: status.phrase for status in HTTPStatus} | {529: "Overloaded"}


class Step(msgspec.Struct, gc=False):
    """One write after ``pause`` seconds; ``event`` is complete with it, ``size`` of its bytes are body."""

    data: bytes
    pause: float = 0
    event: Event | None = None
    size: int = 0
    is_alone: bool = False  # must not be joined with what comes next


class Plan(msgspec.Struct):
    """``finish`` is the ledger's word for how it ended once all steps are done."""

    steps: Iterable[Step]
    ending: Ending
    finish: str


def at_once(reply: Reply, *, keeps_alive: bool) -> bytes:
    """Head and body of an answer that nothing holds up, for one write."""
    if not reply.is_stream:
        raw = reply.events[0].raw if reply.events else b""
        return _head(reply, b"content-length: %d\r\n" % len(raw), keeps_alive) + raw
    parts = [_head(reply, b"transfer-encoding: chunked\r\n", keeps_alive)]
    parts += [b"%x\r\n%b\r\n" % (len(event.raw), event.raw) for event in reply.events if event.raw]
    parts.append(_LAST_CHUNK)
    return b"".join(parts)


def planned(reply: Reply, behaviour: Behaviour, *, keeps_alive: bool) -> Plan:
    """The writes of an answer with this behaviour."""
    pause = behaviour.first_byte_ms / 1000
    if behaviour.hang == HEAD:
        return Plan([], "hang", "hung")
    if behaviour.reset == HEAD:
        return Plan([Step(b"", pause)], "reset", "reset")
    if behaviour.garbage == "head":
        return Plan([Step(_GARBAGE_HEAD, pause)], "close", "garbage")
    made = shaped(reply, behaviour)
    promised = reply.events if made.finish in _BROKEN_OFF else made.events
    total = sum(len(event.raw) for event in promised)
    length = _length(reply, behaviour, total)
    ending = _ending(made.finish, behaviour, keeps_alive=keeps_alive)
    framing = b"transfer-encoding: chunked\r\n" if length is None else b"content-length: %d\r\n" % length
    if behaviour.gzip:
        framing += b"content-encoding: gzip\r\n"
    head = Step(_head(reply, framing, ending == "keep"), pause, is_alone=behaviour.split is not None)
    body = _body(made.events, behaviour, is_chunked=length is None)
    last = [Step(_LAST_CHUNK)] if length is None and ending in {"keep", "close"} else []
    return Plan(chain([head], body, last), ending, "wrong_length" if behaviour.wrong_length else made.finish)


def _length(reply: Reply, behaviour: Behaviour, total: int) -> int | None:
    """The content length to say, or None for chunks."""
    if behaviour.wrong_length:
        return max(1, total // 2)
    if behaviour.truncate:
        return total
    breaks_off = behaviour.cut is not None or behaviour.endless_line is not None or behaviour.error_event is not None
    return None if reply.is_stream or breaks_off else total


def _ending(finish: str, behaviour: Behaviour, *, keeps_alive: bool) -> Ending:
    if finish == "hung":
        return "hang"
    if finish == "reset":
        return "reset"
    closes = behaviour.close or behaviour.truncate or behaviour.wrong_length or not keeps_alive
    return "close" if closes else "keep"


def _body(events: list[Event], behaviour: Behaviour, *, is_chunked: bool) -> Iterator[Step]:
    waits_for_content = True
    for index, event in enumerate(events):
        pause = behaviour.event_ms / 1000 if index and index % behaviour.burst == 0 else 0.0
        if waits_for_content and event.kind == CONTENT:
            pause += behaviour.first_content_ms / 1000
            waits_for_content = False
        yield from _writes(event, pause, behaviour.split, is_chunked=is_chunked)


def _writes(event: Event, pause: float, split: int | None, *, is_chunked: bool) -> list[Step]:
    raw, size = event.raw, split or len(event.raw)
    parts = [raw[start : start + size] for start in range(0, len(raw), size)] if raw else []
    steps = [
        Step(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part, size=len(part), is_alone=split is not None)
        for part in parts
    ]
    if steps:
        steps[0].pause, steps[-1].event = pause, event
    return steps


def _head(reply: Reply, framing: bytes, keeps_alive: bool) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}\r\n"]
    if reply.content_type:
        lines.append(f"content-type: {reply.content_type}\r\n")
    lines += [f"{name}: {value}\r\n" for name, value in reply.headers]
    if not keeps_alive:
        lines.append("connection: close\r\n")
    return "".join(lines).encode("latin-1") + framing + b"\r\n"
