"""OpenAI Responses."""

from typing import Any, Final

import msgspec

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.observing.delta import made_bytes
from tollhouse.gateway.observing.errors import error_of
from tollhouse.gateway.observing.event_observer import EventObserver, WholeBody
from tollhouse.gateway.observing.json_text import (
    UNREADABLE,
    Json,
    objects,
    raw_object,
    read_head,
    size_of,
    text_or_none,
    write,
)
from tollhouse.gateway.observing.observer import CONTENT, ERROR, TERMINAL, ProviderError
from tollhouse.gateway.observing.response_output import DELTAS, DONES, PARTS, ResponseOutput
from tollhouse.gateway.wires import Wire

_BEGINNINGS: Final = frozenset({"response.created", "response.queued", "response.in_progress"})
_ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
# States of a tool call, which its item tells when it is done.
_STATES: Final = (".in_progress", ".searching", ".interpreting", ".generating", ".compacting", ".completed", ".failed")
# Items that say nothing while they are empty. Tuples, since a type may be anything, also what cannot be hashed.
_VESSELS: Final = ("message", "reasoning")
_MADE: Final = ("content", "summary", "arguments", "input", "code")
_MEMBERS: Final = ("id", "model", "service_tier", "status", "incomplete_details")


class _Body(WholeBody):
    id: Any = None
    model: Any = None
    service_tier: Any = None
    status: Any = None
    incomplete_details: Any = None
    output: Any = None
    usage: msgspec.Raw = msgspec.Raw()


class _Usage(msgspec.Struct):
    usage: msgspec.Raw = msgspec.Raw()


class _End(msgspec.Struct):
    response: msgspec.Raw


_BODY = msgspec.json.Decoder(_Body)
_USAGE = msgspec.json.Decoder(_Usage)
_END = msgspec.json.Decoder(_End)


class OpenaiResponsesObserver(EventObserver):
    """The terminal event's response is what is assembled, byte for byte.

    Where it has no output, or never came, the output is built from the items, parts and deltas. The answer is whole
    with any terminal event, ``response.failed`` among them, which is an error too.
    """

    __slots__ = ("_counted", "_end", "_output", "_response")

    wire: Wire = "openai_responses"

    def __init__(self) -> None:
        super().__init__()
        self._response: Json = {}
        self._end: bytes | None = None
        self._output = ResponseOutput()
        self._counted: set[int] = set()

    def observe_body(self, body: bytes, status: int) -> None:
        """Take a whole unary body in the place of events."""
        seen = self.seen
        head = self._read_whole(body, status, _BODY, _Body)
        if head is None:
            return
        seen.usage = raw_object(head.usage)
        self._name_it({name: getattr(head, name) for name in _MEMBERS})
        seen.content_bytes = sum(_size_of_item(item) for item in objects(head.output))

    def assembled(self) -> bytes | None:
        """The ``response`` so far."""
        has_output = bool(self._output) and not self._response.get("output")
        if self._end is not None and not has_output:
            return self._end
        if not self._response and not has_output:
            return None
        body = dict(self._response)
        if has_output:
            body["output"] = self._output.assembled()
        if self.seen.usage is not None:
            body["usage"] = msgspec.Raw(self.seen.usage)
        return write(body)

    def _forget_content(self) -> None:
        self._output = ResponseOutput()
        self._response.pop("output", None)

    def _take(self, event: Json, frame: Frame) -> int:
        kind = event.get("type")
        if not isinstance(kind, str):
            return self._take_error(event, frame) if event.get("error") is not None else self._keep(frame)
        if kind in DELTAS:
            return self._take_delta(event, frame)
        if kind in DONES:
            return self._held(frame, is_held=self._output.take_whole(event))
        if kind in PARTS:
            is_held = self._output.take_part(event)
            return self._held(frame, is_held=is_held, has_content=made_bytes(event.get("part")) > 0)
        return self._take_rest(kind, event, frame)

    def _take_rest(self, kind: str, event: Json, frame: Frame) -> int:
        if kind in _ENDS:
            return self._take_end(kind, event, frame)
        if kind in _BEGINNINGS:
            response = event.get("response")
            if isinstance(response, dict):
                self._response = response
                self._name_it(response)
            return self._held(frame, is_held=isinstance(response, dict))
        if kind in {"response.output_item.added", "response.output_item.done"}:
            return self._take_item(event, frame)
        if kind == "response.output_text.annotation.added":
            return self._held(frame, is_held=self._output.take_annotation(event), has_content=True)
        if kind == "error":
            return self._take_error(event, frame)
        return 0 if kind.endswith(_STATES) else self._keep(frame)

    def _take_delta(self, event: Json, frame: Frame) -> int:
        piece = event.get("delta")
        if type(piece) is not str or not self._output.take_delta(event, piece):
            return self._keep(frame)
        if not piece:
            return 0
        self._counted.add(event["output_index"])
        self.seen.content_bytes += size_of(piece)
        return CONTENT

    def _take_item(self, event: Json, frame: Frame) -> int:
        is_done = event["type"].endswith(".done")
        if not self._output.take_item(event, is_done=is_done):
            return self._keep(frame)
        item: Json = event["item"]
        size = _size_of_item(item)
        if is_done and event["output_index"] not in self._counted:
            self.seen.content_bytes += size
        is_vessel = item.get("type") in _VESSELS
        return CONTENT if size or not is_vessel or item.get("encrypted_content") else 0

    def _take_end(self, kind: str, event: Json, frame: Frame) -> int:
        response = event.get("response")
        self.seen.is_complete = True
        if not isinstance(response, dict):
            return self._keep(frame) | TERMINAL
        try:
            self._end = bytes(_END.decode(frame.data or b"").response)
        except UNREADABLE:
            self._end = write(response)
        head = read_head(self._end, _USAGE, _Usage)
        self.seen.usage = raw_object(head.usage) if head else None
        self._response = response
        self._name_it(response)
        if kind != "response.failed":
            return TERMINAL
        self.seen.error = error_of(response) or ProviderError("failed", None)
        return TERMINAL | ERROR

    def _take_error(self, event: Json, frame: Frame) -> int:
        """The ``error`` event; it has no place in a response, so it is kept raw."""
        self.seen.error = error_of(event)
        self._keep(frame)
        return ERROR

    def _held(self, frame: Frame, *, is_held: bool, has_content: bool = False) -> int:
        if not is_held:
            self._keep(frame)
        return CONTENT if has_content else 0

    def _name_it(self, response: Json) -> None:
        seen = self.seen
        seen.response_id = text_or_none(response.get("id"))
        seen.response_model = text_or_none(response.get("model"))
        seen.service_tier = text_or_none(response.get("service_tier"))
        status = text_or_none(response.get("status"))
        details = response.get("incomplete_details")
        reason = text_or_none(details.get("reason")) if isinstance(details, dict) else None
        seen.finish_reason = reason or (None if status in {"in_progress", "queued"} else status)


def _size_of_item(item: Json) -> int:
    return made_bytes([item.get(key) for key in _MADE])
