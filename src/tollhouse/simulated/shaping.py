"""What faults and odd encodings make of an answer's parts, before they become HTTP."""

import zlib
from collections.abc import Iterator

import msgspec

from tollhouse.simulated.behaviours import Behaviour
from tollhouse.simulated.reply import COMMENT, CONTENT, ERROR, TERMINAL, Event, Reply

_ODD = {
    "duplicate_keys": b'"id":"first of two","object":"first of two",',
    "big_ints": b'"simulated_big":123456789012345678901234567890,',
    "lone_surrogates": b'"simulated_surrogate":"\\ud83d",',
}
_GARBAGE = b"\xff\xfe\x00{not json\xc3"
_GARBAGE_EVENT = b"data: " + _GARBAGE + b"\n\n"
_LINE_ENDS = {"crlf": b"\r\n", "cr": b"\r"}
_LINE_CHUNK = 1 << 16
_UNARY_PIECES = 4


class Shaped(msgspec.Struct):
    """The parts to send; ``finish`` is the ledger's word for how the answer ends."""

    events: list[Event]
    finish: str = "completed"


def shaped(reply: Reply, behaviour: Behaviour) -> Shaped:
    """The reply's parts as the behaviour wants them."""
    events = _pieces(reply.events[0].raw, reply.events[0]) if _breaks_a_body(reply, behaviour) else list(reply.events)
    made = Shaped([_odd(event, behaviour.odd) for event in events] if behaviour.odd else events)
    _garble(made, reply, behaviour)
    if behaviour.no_terminal:
        made.events = [event for event in made.events if event.kind != TERMINAL]
        made.finish = "no_terminal"
    _break(made, reply, behaviour)
    if behaviour.comments is not None:
        made.events = list(_among(made.events, Event(b": a comment\n\n", COMMENT), behaviour.comments))
    if behaviour.pings is not None:
        made.events = list(_among(made.events, Event(reply.ping, COMMENT), behaviour.pings))
    if behaviour.lines != "lf":
        made.events = [_replaced(event, _LINE_ENDS[behaviour.lines]) for event in made.events]
    _lengthen(made, reply, behaviour)
    if behaviour.gzip:
        made.events = list(_compressed(made.events, is_whole=made.finish == "completed"))
    return made


def _breaks_a_body(reply: Reply, behaviour: Behaviour) -> bool:
    breaks = (behaviour.hang, behaviour.reset, behaviour.cut, behaviour.error_event)
    is_broken = behaviour.truncate or any(place is not None for place in breaks)
    return is_broken and not reply.is_stream and len(reply.events) == 1


def _pieces(raw: bytes, event: Event) -> list[Event]:
    """A unary body in four, so that it can break in the middle; the last has the usage."""
    size = max(1, -(-len(raw) // _UNARY_PIECES))
    pieces = [Event(raw[start : start + size], CONTENT) for start in range(0, len(raw), size)] or [event]
    pieces[-1] = msgspec.structs.replace(pieces[-1], usage=event.usage)
    return pieces


def _odd(event: Event, oddities: tuple[str, ...]) -> Event:
    before, brace, after = event.raw.partition(b"{")
    if not brace or after.startswith(b"}"):
        return event
    raw = before + brace + b"".join(_ODD[name] for name in oddities) + after
    return msgspec.structs.replace(event, raw=raw)


def _garble(made: Shaped, reply: Reply, behaviour: Behaviour) -> None:
    if behaviour.garbage == "body":
        made.finish = "garbage"
        made.events = [Event(_GARBAGE_EVENT if reply.is_stream else _GARBAGE, CONTENT)]
    elif behaviour.garbage == "event":
        made.events.insert(_place(made.events, 1), Event(_GARBAGE_EVENT if reply.is_stream else _GARBAGE))


def _break(made: Shaped, reply: Reply, behaviour: Behaviour) -> None:
    """End the answer early; of several such faults the first of these counts."""
    for finish, place in (
        ("hung", behaviour.hang),
        ("reset", behaviour.reset),
        ("cut", behaviour.cut),
        ("error_event", behaviour.error_event),
    ):
        if place is not None:
            del made.events[_place(made.events, place) :]
            made.finish = finish
            break
    if made.finish == "error_event":
        number = len(made.events)
        made.events.append(Event(reply.error_event(number), ERROR))
    if behaviour.truncate:
        del made.events[-(-len(made.events) // 2) :]
        made.finish = "truncated"


def _place(events: list[Event], count: int) -> int:
    """The index after ``count`` content events; 0 for none and for a fault before the head."""
    seen = 0
    for index, event in enumerate(events):
        if seen >= count:
            return index if count > 0 else 0
        seen += event.kind == CONTENT
    return len(events)


def _among(events: list[Event], extra: Event, step: int) -> Iterator[Event]:
    """``extra`` before the first and after every ``step`` events."""
    for index, event in enumerate(events):
        if index % step == 0:
            yield extra
        yield event


def _replaced(event: Event, line_end: bytes) -> Event:
    return msgspec.structs.replace(event, raw=event.raw.replace(b"\n", line_end))


def _lengthen(made: Shaped, reply: Reply, behaviour: Behaviour) -> None:
    if behaviour.endless_line is None:
        return
    place = _place(made.events, 1) if reply.is_stream else 0
    whole, rest = divmod(behaviour.endless_line, _LINE_CHUNK)
    line = Event(b"a" * _LINE_CHUNK, COMMENT)
    start = Event(b'data: {"endless":"' if reply.is_stream else b'{"endless":"', COMMENT)
    made.events[place:] = [start, *[line] * whole, Event(b"a" * rest, COMMENT)]
    made.finish = "endless_line"


def _compressed(events: list[Event], *, is_whole: bool) -> Iterator[Event]:
    """Gzip, flushed after every part so that it can be read at once."""
    squeeze = zlib.compressobj(wbits=31)
    for index, event in enumerate(events):
        is_last = is_whole and index == len(events) - 1
        raw = squeeze.compress(event.raw) + squeeze.flush(zlib.Z_FINISH if is_last else zlib.Z_SYNC_FLUSH)
        yield msgspec.structs.replace(event, raw=raw)
