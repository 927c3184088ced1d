"""Anthropic Messages and count_tokens."""

from collections.abc import Callable
from typing import Any, ClassVar, Final

import msgspec

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.observing.anthropic_blocks import AnthropicBlock
from tollhouse.gateway.observing.delta import made_bytes
from tollhouse.gateway.observing.errors import error_of
from tollhouse.gateway.observing.event_observer import EventObserver, WholeBody
from tollhouse.gateway.observing.json_text import UNREADABLE, Json, raw_object, read_head, text_or_none, write
from tollhouse.gateway.observing.observer import CONTENT, ERROR, TERMINAL
from tollhouse.gateway.wires import Wire

_QUIET: Final = ("ping", "content_block_stop")
_APART: Final = frozenset({"type", "delta", "usage"})


class _Body(WholeBody):
    id: Any = None
    model: Any = None
    stop_reason: Any = None
    content: Any = None
    usage: msgspec.Raw = msgspec.Raw()


class _Tier(msgspec.Struct):
    service_tier: Any = None


class _Delta(msgspec.Struct):
    usage: dict[str, msgspec.Raw]


class _Start(msgspec.Struct):
    message: _Delta


_BODY = msgspec.json.Decoder(_Body)
_TIER = msgspec.json.Decoder(_Tier)
_DELTA = msgspec.json.Decoder(_Delta)
_START = msgspec.json.Decoder(_Start)


class AnthropicMessagesObserver(EventObserver):
    """Events become a ``message``; the answer is whole with ``message_stop``.

    Usage is ``message_start``'s, its members replaced by those of ``message_delta`` that are not null; partial until
    one came. Types of blocks and deltas that are not known are merged as far as can be guessed, and kept raw too.
    """

    __slots__ = ("_blocks", "_message", "_usage")

    wire: Wire = "anthropic_messages"

    def __init__(self) -> None:
        super().__init__()
        self._message: Json = {}
        self._blocks: dict[int, AnthropicBlock] = {}
        self._usage: dict[str, msgspec.Raw] = {}

    def observe_body(self, body: bytes, status: int) -> None:
        """Take a whole unary body in the place of events; count_tokens' has no usage, since nothing was used."""
        seen = self.seen
        head = self._read_whole(body, status, _BODY, _Body)
        if head is None:
            return
        seen.usage = raw_object(head.usage)
        seen.response_id = text_or_none(head.id)
        seen.response_model = text_or_none(head.model)
        seen.finish_reason = text_or_none(head.stop_reason)
        if seen.usage is not None:
            usage = read_head(seen.usage, _TIER, _Tier)
            seen.service_tier = text_or_none(usage.service_tier) if usage else None
        seen.content_bytes = made_bytes(head.content)

    def assembled(self) -> bytes | None:
        """The ``message`` so far."""
        if not self._message and not self._blocks:
            return None
        body = dict(self._message)
        if self._blocks:
            began = body.get("content")
            blocks = [self._blocks[index].assembled() for index in sorted(self._blocks)]
            body["content"] = [*(began if isinstance(began, list) else []), *blocks]
        if self.seen.usage is not None:
            body["usage"] = msgspec.Raw(self.seen.usage)
        return write(body)

    def _forget_content(self) -> None:
        self._blocks = {index: AnthropicBlock({}) for index in self._blocks}

    def _take(self, event: Json, frame: Frame) -> int:
        kind = event.get("type")
        if kind == "content_block_delta":
            return self._take_delta(event, frame)
        take = self._TAKERS.get(kind) if isinstance(kind, str) else None
        if take is not None:
            return take(self, event, frame)
        if "error" in event:
            return self._take_error(event)
        return 0 if kind in _QUIET else self._keep(frame)

    def _take_delta(self, event: Json, frame: Frame) -> int:
        index = event.get("index")
        block = self._blocks.get(index) if type(index) is int else None
        delta = event.get("delta")
        if block is None or type(delta) is not dict:
            return self._keep(frame)
        before = block.made_bytes
        has_content = block.take(delta)
        self.seen.content_bytes += block.made_bytes - before
        if has_content is None:
            self._keep(frame)
            return CONTENT
        return CONTENT if has_content else 0

    def _take_message_start(self, event: Json, frame: Frame) -> int:
        message = event.get("message")
        if not isinstance(message, dict) or self._message:
            return self._keep(frame)
        self._message = message
        seen = self.seen
        seen.response_id = text_or_none(message.get("id"))
        seen.response_model = text_or_none(message.get("model"))
        usage = message.pop("usage", None)
        if isinstance(usage, dict):
            try:
                members = _START.decode(frame.data or b"").message.usage
            except UNREADABLE:
                members = _members(usage)
            self._merge_usage(usage, members)
            seen.is_usage_partial = True
        return 0

    def _take_block_start(self, event: Json, frame: Frame) -> int:
        index = event.get("index")
        start = event.get("content_block")
        if type(index) is not int or index in self._blocks or not isinstance(start, dict):
            return self._keep(frame)
        block = self._blocks[index] = AnthropicBlock(start)
        self.seen.content_bytes += block.made_bytes
        if start.get("type") == "fallback":
            self._name_fallback(start.get("to"))
        return CONTENT if block.has_content() else 0

    def _take_message_delta(self, event: Json, frame: Frame) -> int:
        message = self._message
        delta = event.get("delta")
        members = {key: value for key, value in event.items() if key not in _APART}
        for key, value in (members | (delta if isinstance(delta, dict) else {})).items():
            if value is not None or key not in message:
                message[key] = value
        self.seen.finish_reason = text_or_none(message.get("stop_reason"))
        usage = event.get("usage")
        if isinstance(usage, dict):
            try:
                raw = _DELTA.decode(frame.data or b"").usage
            except UNREADABLE:
                raw = _members(usage)
            self._merge_usage(usage, raw)
            self.seen.is_usage_partial = False
        return 0

    def _take_message_stop(self, event: Json, frame: Frame) -> int:
        if len(event) > 1:
            self._keep(frame)
        self.seen.is_complete = True
        return TERMINAL

    def _take_error(self, event: Json) -> int:
        self.seen.error = error_of(event)
        self._message.update(event if not self._message else {"error": event.get("error")})
        return ERROR

    def _name_fallback(self, to: Any) -> None:
        """The model that answers in the end, after a fallback on Anthropic's side."""
        model = text_or_none(to.get("model")) if isinstance(to, dict) else None
        if model is not None:
            self._message["model"] = self.seen.response_model = model

    def _merge_usage(self, usage: Json, members: dict[str, msgspec.Raw]) -> None:
        for key, raw in members.items():
            if usage.get(key) is not None or key not in self._usage:
                self._usage[key] = raw
        self.seen.usage = write(self._usage)
        self.seen.service_tier = text_or_none(usage.get("service_tier")) or self.seen.service_tier

    _TAKERS: ClassVar[dict[str, Callable[["AnthropicMessagesObserver", Json, Frame], int]]] = {
        "message_start": _take_message_start,
        "content_block_start": _take_block_start,
        "message_delta": _take_message_delta,
        "message_stop": _take_message_stop,
    }


def _members(usage: Json) -> dict[str, msgspec.Raw]:
    return {key: msgspec.Raw(write(value)) for key, value in usage.items()}
