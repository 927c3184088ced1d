"""One candidate of a Gemini stream, merged as its chunks come."""

from typing import Any, Final

from tollhouse.gateway.observing.delta import made_bytes
from tollhouse.gateway.observing.json_text import Json, Pieces, size_of

# Each chunk has its own share of these; of the others the last one that is not empty counts.
_CONTINUED: Final = frozenset({"citationMetadata", "logprobsResult", "urlContextMetadata"})


class GeminiCandidate:
    """A candidate whose consecutive text parts of the same ``thought`` flag are joined.

    A part with anything else in it (a function call, a thought signature) stays a part of its own.
    """

    __slots__ = ("_content", "_fields", "_parts", "finish_reason", "made_bytes")

    def __init__(self, index: int) -> None:
        self.finish_reason: str | None = None
        self.made_bytes = 0
        self._fields: Json = {"index": index}
        self._content: Json | None = None
        self._parts: list[Json] = []

    def take(self, candidate: Json) -> bool:
        """Merge one chunk's candidate; True where it has content."""
        has_content = False
        for key, value in candidate.items():
            if key == "content":
                has_content = self._take_content(value) if isinstance(value, dict) else False
            elif key == "finishReason":
                if isinstance(value, str):
                    self.finish_reason = value
            elif key in _CONTINUED and isinstance(self._fields.get(key), dict) and isinstance(value, dict):
                _continue(self._fields[key], value)
            elif value not in (None, {}, []) or key not in self._fields:
                self._fields[key] = value
        return has_content

    def assembled(self) -> Json:
        """The candidate as it stands in a body that is not streamed."""
        candidate: Json = {}
        if self._content is not None:
            candidate["content"] = self._content | ({"parts": self._parts} if self._parts else {})
        if self.finish_reason is not None:
            candidate["finishReason"] = self.finish_reason
        return candidate | self._fields

    def emptied(self) -> "GeminiCandidate":
        """The candidate without what it holds; it still knows whether it has ended."""
        candidate = GeminiCandidate(self._fields["index"])
        candidate.finish_reason = self.finish_reason
        return candidate

    def _take_content(self, content: Json) -> bool:
        if self._content is None:
            self._content = {}
        has_content = False
        for key, value in content.items():
            if key == "parts" and isinstance(value, list):
                for part in value:
                    has_content = self._take_part(part) or has_content
            else:
                self._content[key] = value
        return has_content

    def _take_part(self, part: Any) -> bool:
        text = part.get("text") if type(part) is dict else None
        if type(text) is not str or len(part) > 1 + ("thought" in part):
            self.made_bytes += made_bytes(part)
            self._parts.append(part)
            return True
        self.made_bytes += size_of(text)
        last = self._parts[-1] if self._parts else None
        if type(last) is dict and type(last.get("text")) is Pieces and last.get("thought") == part.get("thought"):
            last["text"].append(text)
        else:
            self._parts.append({**part, "text": Pieces(text)})
        return bool(text)


def _continue(held: Json, value: Json) -> None:
    for key, member in value.items():
        old = held.get(key)
        held[key] = [*old, *member] if isinstance(old, list) and isinstance(member, list) else member
