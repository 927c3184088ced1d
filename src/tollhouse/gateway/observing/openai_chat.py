"""OpenAI Chat Completions, and what speaks like it (Azure, vLLM, Ollama, DeepSeek, Gemini's compatible paths)."""

from typing import Any, Final

import msgspec

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.observing.chat_choice import ChatChoice
from tollhouse.gateway.observing.delta import made_bytes
from tollhouse.gateway.observing.errors import error_of
from tollhouse.gateway.observing.event_observer import EventObserver, WholeBody
from tollhouse.gateway.observing.json_text import (
    UNREADABLE,
    Json,
    objects,
    raw_object,
    text_or_none,
    write,
)
from tollhouse.gateway.observing.observer import CONTENT, ERROR, TERMINAL, USAGE_ONLY
from tollhouse.gateway.wires import Wire

# Read apart, or padding against traffic analysis.
_APART: Final = frozenset({"choices", "usage", "object", "obfuscation"})


class _Body(WholeBody):
    id: Any = None
    model: Any = None
    service_tier: Any = None
    choices: Any = None
    usage: msgspec.Raw = msgspec.Raw()


class _Usage(msgspec.Struct):
    usage: msgspec.Raw


_BODY = msgspec.json.Decoder(_Body)
_USAGE = msgspec.json.Decoder(_Usage)


class OpenaiChatObserver(EventObserver):
    """Chat chunks become a ``chat.completion``.

    The answer is whole with ``[DONE]``, and also once every choice has a finish reason, since Azure and vLLM may leave
    ``[DONE]`` out; where only the usage chunk was cut off, it is whole and has no usage. Usage in a chunk whose choices
    go on (vLLM's continuous usage) is partial until the last one.
    """

    __slots__ = ("_choices", "_head")

    wire: Wire = "openai_chat"

    def __init__(self) -> None:
        super().__init__()
        self._head: Json = {}
        self._choices: dict[int, ChatChoice] = {}

    def observe_body(self, body: bytes, status: int) -> None:
        """Take a whole unary body in the place of events."""
        seen = self.seen
        head = self._read_whole(body, status, _BODY, _Body)
        if head is None:
            return
        seen.usage = raw_object(head.usage)
        self._name_it({"id": head.id, "model": head.model, "service_tier": head.service_tier})
        for choice in objects(head.choices):
            seen.finish_reason = text_or_none(choice.get("finish_reason")) or seen.finish_reason
            seen.content_bytes += made_bytes(choice.get("message"))

    def assembled(self) -> bytes | None:
        """The ``chat.completion`` so far."""
        if not self._head and not self._choices:
            return None
        body = dict(self._head)
        if self._choices:
            body["object"] = "chat.completion"
            body["choices"] = [self._choices[index].assembled() for index in sorted(self._choices)]
        if self.seen.usage is not None:
            body["usage"] = msgspec.Raw(self.seen.usage)
        return write(body)

    def _forget_content(self) -> None:
        self._choices = {index: choice.emptied() for index, choice in self._choices.items()}

    def _take_odd(self, data: bytes, frame: Frame) -> int:
        if data.strip() == b"[DONE]":
            self.seen.is_complete = True
            return TERMINAL
        return super()._take_odd(data, frame)

    def _take(self, event: Json, frame: Frame) -> int:
        head = self._head
        for key, value in event.items():
            if key not in _APART and value is not None and value != "":
                head[key] = value
        flags = 0
        choices = event.get("choices")
        if choices:
            flags = self._take_choices(choices, frame)
        if event.get("error") is not None or event.get("object") == "error":
            self.seen.error = error_of(event)
            flags |= ERROR
        if event.get("usage") is not None:
            flags |= self._take_usage(event, frame, has_choices=bool(choices))
        if self.seen.response_model is None or flags != CONTENT:
            self._name_it(head)
        return flags

    def _take_choices(self, choices: Any, frame: Frame) -> int:
        has_content = False
        for choice in choices if type(choices) is list else [choices]:
            if type(choice) is not dict:
                self._keep(frame)
                continue
            index = choice.get("index")
            index = index if type(index) is int else 0
            held = self._choices.get(index)
            if held is None:
                held = self._choices[index] = ChatChoice(index)
                self.seen.is_complete = False
            before = held.made_bytes
            has_content = held.take(choice) or has_content
            self.seen.content_bytes += held.made_bytes - before
            if held.finish_reason is not None:
                self.seen.finish_reason = held.finish_reason
                self.seen.is_complete = all(each.finish_reason is not None for each in self._choices.values())
            if not held.is_held:
                held.is_held = True
                self._keep(frame)
        return CONTENT if has_content else 0

    def _take_usage(self, event: Json, frame: Frame, *, has_choices: bool) -> int:
        usage = event["usage"]
        if not isinstance(usage, dict):
            self._keep(frame)
            return 0
        try:
            self.seen.usage = bytes(_USAGE.decode(frame.data or b"").usage)
        except UNREADABLE:
            self.seen.usage = write(usage)
        self.seen.is_usage_partial = has_choices and not self.seen.is_complete
        return 0 if has_choices else USAGE_ONLY

    def _name_it(self, head: Json) -> None:
        seen = self.seen
        seen.response_id = text_or_none(head.get("id"))
        seen.response_model = text_or_none(head.get("model"))
        seen.service_tier = text_or_none(head.get("service_tier"))
