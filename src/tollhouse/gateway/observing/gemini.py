"""Gemini generateContent, and the answers of countTokens and embedContent."""

from typing import Any, Final

import msgspec

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.observing.delta import made_bytes
from tollhouse.gateway.observing.errors import error_of
from tollhouse.gateway.observing.event_observer import EventObserver, WholeBody
from tollhouse.gateway.observing.gemini_candidate import GeminiCandidate
from tollhouse.gateway.observing.json_text import (
    UNREADABLE,
    Json,
    decode,
    objects,
    raw_object,
    read_head,
    text_or_none,
    write,
)
from tollhouse.gateway.observing.observer import CONTENT, ERROR, TERMINAL
from tollhouse.gateway.wires import Wire

_APART: Final = frozenset({"candidates", "usageMetadata"})


class _Body(WholeBody, rename="camel"):
    response_id: Any = None
    model_version: Any = None
    candidates: Any = None
    prompt_feedback: Any = None
    usage_metadata: msgspec.Raw = msgspec.Raw()


class _Usage(msgspec.Struct, rename="camel"):
    usage_metadata: msgspec.Raw


class _Tier(msgspec.Struct, rename="camel"):
    service_tier: Any = None


_TIER = msgspec.json.Decoder(_Tier)
_BODY = msgspec.json.Decoder(_Body)
_USAGE = msgspec.json.Decoder(_Usage)


class GeminiObserver(EventObserver):
    """Chunks become a ``GenerateContentResponse``.

    The answer is whole with the chunk in which the last candidate finishes, or which says that the prompt was blocked.
    Usage is cumulative: the last one counts, and is partial until then. countTokens has none, since nothing was used.
    """

    __slots__ = ("_candidates", "_head")

    wire: Wire = "gemini"

    def __init__(self) -> None:
        super().__init__()
        self._head: Json = {}
        self._candidates: dict[int, GeminiCandidate] = {}

    def observe_body(self, body: bytes, status: int) -> None:
        """Take a whole unary body in the place of events."""
        seen = self.seen
        head = self._read_whole(body, status, _BODY, _Body)
        if head is None:
            return
        seen.usage = raw_object(head.usage_metadata)
        seen.response_id = text_or_none(head.response_id)
        seen.response_model = text_or_none(head.model_version)
        seen.service_tier = _tier_of(seen.usage)
        seen.finish_reason = _block_reason(head.prompt_feedback)
        for candidate in objects(head.candidates):
            seen.finish_reason = text_or_none(candidate.get("finishReason")) or seen.finish_reason
            seen.content_bytes += made_bytes(candidate.get("content"))

    def assembled(self) -> bytes | None:
        """The ``GenerateContentResponse`` so far."""
        if not self._head and not self._candidates:
            return None
        body: Json = {}
        if self._candidates:
            body["candidates"] = [self._candidates[index].assembled() for index in sorted(self._candidates)]
        if self.seen.usage is not None:
            body["usageMetadata"] = msgspec.Raw(self.seen.usage)
        return write(body | self._head)

    def _forget_content(self) -> None:
        self._candidates = {index: candidate.emptied() for index, candidate in self._candidates.items()}

    def _take_other(self, frame: Frame) -> int:
        """An array of chunks as one event; Gemini sends errors so."""
        chunks = objects(decode(frame.data or b"null"))
        if not chunks:
            return self._keep(frame)
        flags = 0
        for chunk in chunks:
            flags |= self._take(chunk, Frame(frame.raw, write(chunk)))
        return flags

    def _take(self, event: Json, frame: Frame) -> int:
        head = self._head
        for key, value in event.items():
            if key not in _APART and value is not None:
                head[key] = value
        flags = 0
        candidates = event.get("candidates")
        if candidates:
            flags = self._take_candidates(candidates, frame)
        elif _block_reason(event.get("promptFeedback")) is not None:
            self.seen.finish_reason = _block_reason(event["promptFeedback"])
            flags = TERMINAL
        if event.get("error") is not None:
            self.seen.error = error_of(event)
            flags = ERROR
        if flags & TERMINAL:
            self.seen.is_complete = True
        if "usageMetadata" in event:
            self._take_usage(event["usageMetadata"], frame)
        self.seen.is_usage_partial = self.seen.usage is not None and not self.seen.is_complete
        self.seen.response_id = text_or_none(head.get("responseId"))
        self.seen.response_model = text_or_none(head.get("modelVersion"))
        return flags

    def _take_candidates(self, candidates: Any, frame: Frame) -> int:
        has_content = has_end = False
        for candidate in candidates if type(candidates) is list else [candidates]:
            if type(candidate) is not dict:
                self._keep(frame)
                continue
            index = candidate.get("index")
            index = index if type(index) is int else 0
            held = self._candidates.get(index)
            if held is None:
                held = self._candidates[index] = GeminiCandidate(index)
            before = held.made_bytes
            has_content = held.take(candidate) or has_content
            self.seen.content_bytes += held.made_bytes - before
            if "finishReason" in candidate and held.finish_reason is not None:
                has_end = True
                self.seen.finish_reason = held.finish_reason
        is_end = has_end and all(held.finish_reason is not None for held in self._candidates.values())
        return (CONTENT if has_content else 0) | (TERMINAL if is_end else 0)

    def _take_usage(self, usage: Any, frame: Frame) -> None:
        if not isinstance(usage, dict):
            return
        try:
            self.seen.usage = bytes(_USAGE.decode(frame.data or b"").usage_metadata)
        except UNREADABLE:
            self.seen.usage = write(usage)
        self.seen.service_tier = text_or_none(usage.get("serviceTier"))


def _block_reason(feedback: Any) -> str | None:
    return text_or_none(feedback.get("blockReason")) if isinstance(feedback, dict) else None


def _tier_of(usage: bytes | None) -> str | None:
    head = read_head(usage, _TIER, _Tier) if usage is not None else None
    return text_or_none(head.service_tier) if head else None
