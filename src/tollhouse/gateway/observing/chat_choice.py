"""One choice of a chat stream, merged as its chunks come."""

from typing import Any

from tollhouse.gateway.observing.delta import accumulate, made_bytes
from tollhouse.gateway.observing.json_text import Json, Pieces, size_of
from tollhouse.gateway.observing.tool_calls import ToolCalls


class ChatChoice:
    """A choice with its ``message``. ``made_bytes`` is the size of what the model made, ``is_held`` turns False where
    a chunk had something that could not be merged."""

    __slots__ = ("_calls", "_fields", "_message", "finish_reason", "is_held", "made_bytes")

    def __init__(self, index: int) -> None:
        self.finish_reason: str | None = None
        self.made_bytes = 0
        self.is_held = True
        self._fields: Json = {"index": index}
        self._message: Json = {}
        self._calls: ToolCalls | None = None

    def take(self, choice: Json) -> bool:
        """Merge one chunk's choice; True where it has content: anything but a role, blanks and the end."""
        has_content = False
        for key, value in choice.items():
            if key == "delta":
                has_content = self._take_delta(value) if isinstance(value, dict) else False
            elif key == "finish_reason":
                if isinstance(value, str):
                    self.finish_reason = value
            elif value is None:
                self._fields.setdefault(key, None)
            elif key == "logprobs" or isinstance(value, list):
                self._continue(key, value)
            elif key != "index":
                self._fields[key] = value
        return has_content

    def assembled(self) -> Json:
        """The choice as it stands in a body that is not streamed."""
        message = self._message if self._calls is None else self._message | {"tool_calls": self._calls.listed()}
        return {**self._fields, "message": message, "finish_reason": self.finish_reason}

    def emptied(self) -> "ChatChoice":
        """The choice without what it holds; it still knows whether it has ended."""
        choice = ChatChoice(self._fields["index"])
        choice.finish_reason = self.finish_reason
        return choice

    def _take_delta(self, delta: Json) -> bool:
        message = self._message
        has_content = False
        for key, value in delta.items():
            if value is None or value == "":
                message.setdefault(key, value)
            elif key == "role":
                message[key] = value
            elif type(value) is str:
                has_content = True
                self.made_bytes += size_of(value)
                self._add_text(key, value)
            else:
                has_content = self._take_value(key, value) or has_content
        return has_content

    def _add_text(self, key: str, text: str) -> None:
        held = self._message.get(key)
        if type(held) is Pieces:
            held.append(text)
        elif held is None or held == "":
            self._message[key] = Pieces(text)
        else:
            self.is_held = False

    def _take_value(self, key: str, value: Any) -> bool:
        if not value:
            self._message.setdefault(key, value)
            return False
        if key == "tool_calls" and isinstance(value, list):
            self._take_calls(value)
        else:
            self.made_bytes += made_bytes(value)
            self.is_held = accumulate(self._message, {key: value}) and self.is_held
        return True

    def _take_calls(self, entries: list[Any]) -> None:
        calls = self._calls = self._calls or ToolCalls()
        for entry in entries:
            piece = calls.take_arguments(entry) if type(entry) is dict else None
            if piece is not None:
                self.made_bytes += size_of(piece)
            else:
                self.made_bytes += made_bytes(entry)
                self.is_held = isinstance(entry, dict) and calls.take(entry) and self.is_held

    def _continue(self, key: str, value: Any) -> None:
        """Lists go on from chunk to chunk: log probabilities, token ids."""
        self.is_held = accumulate(self._fields, {key: value}) and self.is_held
