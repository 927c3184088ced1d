"""The tool calls of an answer as Chat Completions writes them."""

from collections.abc import Iterator
from typing import Any

from tollhouse.gateway.translation.answer import ToolUseDelta, ToolUseStarted
from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.translation.free_text import from_arguments


class _Call:
    __slots__ = ("arguments", "call_id", "is_free_text", "name", "place")

    def __init__(self, place: int, event: ToolUseStarted, *, is_free_text: bool) -> None:
        self.place = place
        self.call_id = event.call_id
        self.name = event.name
        self.is_free_text = is_free_text
        self.arguments: list[str] = []


class ToolCallsWriter:
    """Deltas of ``tool_calls``: each call has its own index, and its id and name stand only in its first delta.

    A custom tool's input is known only once its arguments are whole, so it is written at the end. A caller of Responses
    who is answered in chunks (Cursor) reads nothing but functions: its custom calls are functions whose ``arguments``
    are the input itself.
    """

    __slots__ = ("_as_functions", "_calls", "_free_text")

    def __init__(self, conversation: Conversation) -> None:
        self._calls: dict[int, _Call] = {}
        self._free_text = {tool.name for tool in conversation.tools if tool.is_free_text}
        self._as_functions = conversation.caller == "openai_responses"

    def start(self, event: ToolUseStarted) -> Iterator[dict[str, Any]]:
        """The delta of a call's beginning; nothing where it has begun before."""
        if event.index in self._calls:
            return
        call = _Call(len(self._calls), event, is_free_text=event.name in self._free_text)
        self._calls[event.index] = call
        yield {"tool_calls": [{"index": call.place, **self._written(call, "")}]}

    def grow(self, event: ToolUseDelta) -> Iterator[dict[str, Any]]:
        """The delta of more arguments."""
        call = self._calls.get(event.index)
        if call is None or not event.arguments:
            return
        call.arguments.append(event.arguments)
        if not call.is_free_text:
            yield {"tool_calls": [{"index": call.place, "function": {"arguments": event.arguments}}]}

    def close(self) -> Iterator[dict[str, Any]]:
        """The deltas of the inputs that had to be whole, and an empty object for calls without arguments."""
        for call in self._calls.values():
            content = self._content(call)
            if call.is_free_text and not self._as_functions:
                yield {"tool_calls": [{"index": call.place, "custom": {"input": content}}]}
            elif call.is_free_text or not call.arguments:
                yield {"tool_calls": [{"index": call.place, "function": {"arguments": content}}]}

    def whole(self) -> list[dict[str, Any]]:
        """All calls, for a unary message."""
        return [self._written(call, self._content(call)) for call in self._calls.values()]

    def _content(self, call: _Call) -> str:
        arguments = "".join(call.arguments)
        return from_arguments(arguments) if call.is_free_text else arguments or "{}"

    def _written(self, call: _Call, content: str) -> dict[str, Any]:
        if call.is_free_text and not self._as_functions:
            return {"id": call.call_id, "type": "custom", "custom": {"name": call.name, "input": content}}
        return {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": content}}
