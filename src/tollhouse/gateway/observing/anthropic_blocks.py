"""The content blocks of an Anthropic message, built from their deltas."""

from typing import Any, Final

import msgspec

from tollhouse.gateway.observing.json_text import UNREADABLE, Json, Pieces, decode, read, size_of

# The deltas that are texts, with the member that holds them in the delta and in the block alike.
_TEXTS: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
# The deltas that come once. A tuple, since a type may be anything, also what cannot be hashed.
_WHOLES: Final = ("signature_delta", "compaction_delta")
_EMPTY_AT_START: Final = {"text": "text", "thinking": "thinking", "compaction": "content"}
_UNCOUNTED: Final = frozenset({"type", "id", "signature", "data", "encrypted_content", "tool_use_id"})


class AnthropicBlock:
    """One block; ``made_bytes`` is the size of the texts that its deltas brought."""

    __slots__ = ("_block", "_pieces", "made_bytes")

    def __init__(self, start: Json) -> None:
        self._block = start
        self._pieces: dict[str, Pieces] = {}
        self.made_bytes = sum(
            size_of(value) for key, value in start.items() if isinstance(value, str) and key not in _UNCOUNTED
        )

    def has_content(self) -> bool:
        """Whether the block says something already when it begins, as tool calls and results do."""
        kind = self._block.get("type")
        key = _EMPTY_AT_START.get(kind) if isinstance(kind, str) else None
        return key is None or bool(self._block.get(key))

    def take(self, delta: Json) -> bool | None:
        """Merge a delta: True where it has content, None where its type is unknown (its members are merged still)."""
        kind = delta.get("type")
        key = _TEXTS.get(kind) if type(kind) is str else None
        if key is not None:
            piece = delta.get(key)
            return self._add_text(key, piece) if type(piece) is str else None
        if kind == "citations_delta" and isinstance(self._block.get("citations") or [], list):
            self._block["citations"] = [*(self._block.get("citations") or []), delta.get("citation")]
            return True
        if kind in _WHOLES:
            self._block.update((key, value) for key, value in delta.items() if key != "type")
            return True
        self._merge_unknown(delta)
        return None

    def assembled(self) -> Json:
        """The block as it stands in a message that is not streamed.

        Where the JSON of a tool's input broke off, ``input`` stays as it began and the text is in ``partial_json``.
        """
        block: Json = {**self._block}
        for key, pieces in self._pieces.items():
            if key != "partial_json":
                held = block.get(key)
                block[key] = (held if isinstance(held, str) else "") + str(pieces)
        text = str(self._pieces.get("partial_json", ""))
        if text:
            whole = _whole_json(text)
            block["partial_json" if whole is None else "input"] = text if whole is None else whole
        return block

    def _add_text(self, key: str, piece: str) -> bool:
        if not piece:
            return False
        self.made_bytes += size_of(piece)
        pieces = self._pieces.get(key)
        if pieces is None:
            self._pieces[key] = Pieces(piece)
        else:
            pieces.append(piece)
        return True

    def _merge_unknown(self, delta: Json) -> None:
        for key, value in delta.items():
            if key == "type":
                continue
            held = self._block.get(key)
            if isinstance(value, str) and (held is None or isinstance(held, str)):
                self._add_text(key, value)
            elif isinstance(value, list) and isinstance(held, list):
                self._block[key] = [*held, *value]
            else:
                self._block[key] = value


def _whole_json(text: str) -> Any:
    """The JSON of a tool's input as the model wrote it, or None where it is not whole."""
    data = text.encode("utf-8", "surrogatepass")
    try:
        decode(data)
    except UNREADABLE:
        value, is_exact = read(data)
        return value if is_exact else None
    return msgspec.Raw(data)
