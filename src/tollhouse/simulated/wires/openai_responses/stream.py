"""Writes a response as events, in the order and with the numbers that OpenAI gives them."""

from typing import Any

import msgspec

from tollhouse.simulated.answer import Answer, Call
from tollhouse.simulated.refusals import RefusedError
from tollhouse.simulated.reply import CONTENT, OTHER, TERMINAL, Event, sse
from tollhouse.simulated.wires.identity import Identity
from tollhouse.simulated.wires.openai_responses.answer import (
    Item,
    Status,
    call_item,
    finished,
    message,
    reasoning,
    response,
    text_part,
)
from tollhouse.simulated.wires.openai_responses.request import ResponsesAsked

_encode = msgspec.json.encode
_FREE_TEXT = ("custom_tool_call_input", "input")
_FUNCTION = ("function_call_arguments", "arguments")


class ResponseStream:
    """Builds the events of one response."""

    def __init__(self, asked: ResponsesAsked, answer: Answer, identity: Identity, usage: bytes | None) -> None:
        self._asked = asked
        self._answer = answer
        self._identity = identity
        self._usage = usage
        self._made: list[Event] = []
        self._output = 0

    def events(self) -> list[Event]:
        """All events; the last is ``response.completed`` or ``response.incomplete``."""
        waiting: Status = "queued" if self._asked.is_background else "in_progress"
        self._add("response.created", {"response": response(self._asked, self._identity, waiting)})
        if self._asked.is_background:
            self._add("response.queued", {"response": response(self._asked, self._identity, waiting)})
        self._add("response.in_progress", {"response": response(self._asked, self._identity, "in_progress")})
        if self._answer.thinking:
            self._reasoning()
        if self._answer.text or not self._answer.calls:
            self._message()
        for call in self._answer.calls:
            self._call(call)
        last = finished(self._asked, self._answer, self._identity, self._usage)
        self._add(f"response.{last['status']}", {"response": last}, TERMINAL, self._usage)
        return self._made

    def _add(self, name: str, fields: Item, kind: int = OTHER, usage: bytes | None = None) -> None:
        payload = {"type": name, "sequence_number": len(self._made), **fields}
        self._made.append(Event(sse(name, _encode(payload)), kind, usage))

    def _deltas(self, name: str, place: dict[str, Any], pieces: list[str]) -> None:
        kind = name.encode()
        head = b'event: %s\ndata: {"type":"%s",%s,"sequence_number":' % (kind, kind, _encode(place)[1:-1])
        first = len(self._made)
        self._made += [
            Event(b'%s%d,"delta":%s}\n\n' % (head, number, _encode(piece)), CONTENT)
            for number, piece in enumerate(pieces, first)
        ]

    def _item(self, begun: Item) -> int:
        index, self._output = self._output, self._output + 1
        self._add("response.output_item.added", {"output_index": index, "item": begun})
        return index

    def _reasoning(self) -> None:
        thinking = "".join(self._answer.thinking)
        begun = reasoning(self._asked, self._identity, [], "")
        index = self._item(begun)
        done = [{"type": "summary_text", "text": thinking}] if self._asked.has_summary else []
        if self._asked.has_summary:
            place = {"item_id": begun["id"], "output_index": index, "summary_index": 0}
            self._add("response.reasoning_summary_part.added", place | {"part": {"type": "summary_text", "text": ""}})
            self._deltas("response.reasoning_summary_text.delta", place, self._answer.thinking)
            self._add("response.reasoning_summary_text.done", place | {"text": thinking})
            self._add("response.reasoning_summary_part.done", place | {"part": done[0]})
        item = reasoning(self._asked, self._identity, done, thinking)
        self._add("response.output_item.done", {"output_index": index, "item": item})

    def _message(self) -> None:
        text = "".join(self._answer.text)
        begun = message(self._identity, "in_progress", [])
        index = self._item(begun)
        place = {"item_id": begun["id"], "output_index": index, "content_index": 0}
        self._add("response.content_part.added", place | {"part": text_part("")})
        self._deltas("response.output_text.delta", place | {"logprobs": []}, self._answer.text)
        self._add("response.output_text.done", place | {"text": text, "logprobs": []})
        self._add("response.content_part.done", place | {"part": text_part(text)})
        item = message(self._identity, "completed", [text_part(text)])
        self._add("response.output_item.done", {"output_index": index, "item": item})

    def _call(self, call: Call) -> None:
        begun = call_item(call, self._identity, "in_progress", "")
        index = self._item(begun)
        place = {"item_id": begun["id"], "output_index": index}
        kind, field = _FREE_TEXT if call.is_free_text else _FUNCTION
        self._deltas(f"response.{kind}.delta", place, call.pieces())
        self._add(f"response.{kind}.done", place | {"name": call.name, field: call.arguments})
        item = call_item(call, self._identity, "completed", call.arguments)
        self._add("response.output_item.done", {"output_index": index, "item": item})


def failure(asked: ResponsesAsked, identity: Identity, error: RefusedError, number: int) -> bytes:
    """The two events of an error inside a stream: ``error`` as number ``number``, then ``response.failed``."""
    problem = {"code": error.code or "server_error", "message": str(error)}
    first = {"type": "error", "sequence_number": number, **problem, "param": error.param}
    failed = response(asked, identity, "failed") | {"error": problem}
    second = {"type": "response.failed", "sequence_number": number + 1, "response": failed}
    return sse("error", _encode(first)) + sse("response.failed", _encode(second))
