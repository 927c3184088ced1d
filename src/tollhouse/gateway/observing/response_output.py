"""The output items of an OpenAI response, built from the events of its stream."""

from typing import Any, Final

from tollhouse.gateway.observing.json_text import Json, Pieces

# Where a text goes, by the name of its events: the item's list of parts, the event's index into it, the part's type,
# the part's member.
_IN_PARTS: Final = {
    "response.output_text": ("content", "content_index", "output_text", "text"),
    "response.refusal": ("content", "content_index", "refusal", "refusal"),
    "response.reasoning_text": ("content", "content_index", "reasoning_text", "text"),
    "response.reasoning_summary_text": ("summary", "summary_index", "summary_text", "text"),
}
# Texts that are a member of the item itself.
_IN_ITEM: Final = {
    "response.function_call_arguments": "arguments",
    "response.mcp_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
    "response.code_interpreter_call_code": "code",
}
_PARTS: Final = {
    "response.content_part": ("content", "content_index"),
    "response.reasoning_summary_part": ("summary", "summary_index"),
}
DELTAS: Final = frozenset(f"{name}.delta" for name in (*_IN_PARTS, *_IN_ITEM))
DONES: Final = frozenset(f"{name}.done" for name in (*_IN_PARTS, *_IN_ITEM))
PARTS: Final = frozenset(f"{name}.{step}" for name in _PARTS for step in ("added", "done"))

# Output index, member of the item, index into it (-1 where the member is the text itself).
_Place = tuple[int, str, int]


class ResponseOutput:
    """Items by ``output_index``. One that is done speaks for itself, an open one gets its parts and texts.

    Every method that takes an event returns False where the event lacks what it is about, or a place for it.
    """

    __slots__ = ("_done", "_items", "_parts", "_texts")

    def __init__(self) -> None:
        self._done: dict[int, Json] = {}
        self._items: dict[int, Json] = {}
        self._parts: dict[_Place, Json] = {}
        self._texts: dict[_Place, Pieces] = {}

    def __bool__(self) -> bool:
        return bool(self._items or self._done or self._texts or self._parts)

    def take_item(self, event: Json, *, is_done: bool) -> bool:
        """``response.output_item.added`` or ``.done``."""
        index = event.get("output_index")
        item = event.get("item")
        if type(index) is not int or not isinstance(item, dict):
            return False
        (self._done if is_done else self._items)[index] = item
        return True

    def take_part(self, event: Json) -> bool:
        """A part that is added or done; one that is done has its text."""
        name, _, step = event["type"].rpartition(".")
        place = _place(event, *_PARTS[name])
        part = event.get("part")
        if place is None or not isinstance(part, dict):
            return False
        self._parts[place] = part
        if step == "done":
            self._texts.pop(place, None)
        return True

    def take_delta(self, event: Json, piece: str) -> bool:
        """A piece of a text."""
        place = self._text_place(event, event["type"][:-6])
        if place is None:
            return False
        pieces = self._texts.get(place)
        if pieces is None:
            self._texts[place] = Pieces(piece)
        else:
            pieces.append(piece)
        if event.get("logprobs"):
            self._extend(place, "logprobs", event["logprobs"])
        return True

    def take_whole(self, event: Json) -> bool:
        """A text that is done: it replaces its pieces."""
        name = event["type"][:-5]
        found = _IN_PARTS.get(name)
        text = event.get(_IN_ITEM[name] if found is None else found[3])
        place = self._text_place(event, name)
        if place is None or not isinstance(text, str):
            return False
        self._texts[place] = Pieces(text)
        if found is not None and place in self._parts:
            self._parts[place] = self._parts[place] | {found[3]: ""}
        return True

    def take_annotation(self, event: Json) -> bool:
        """``response.output_text.annotation.added``."""
        place = self._text_place(event, "response.output_text")
        if place is None or "annotation" not in event:
            return False
        self._extend(place, "annotations", [event["annotation"]])
        return True

    def assembled(self) -> list[Json]:
        """The items in their order, as far as they are known."""
        places = {*self._parts, *self._texts}
        indexes = sorted({*self._done, *self._items, *(place[0] for place in places)})
        return [self._done.get(index) or self._open_item(index, sorted(places)) for index in indexes]

    def _open_item(self, index: int, places: list[_Place]) -> Json:
        item = dict(self._items.get(index, {}))
        lists: dict[str, list[Any]] = {}
        for place in places:
            if place[0] != index:
                continue
            text = str(self._texts.get(place, ""))
            if place[2] < 0:
                item[place[1]] = _joined(item.get(place[1]), text)
                continue
            part = self._parts.get(place, {})
            key = "refusal" if part.get("type") == "refusal" else "text"
            lists.setdefault(place[1], []).append({**part, key: _joined(part.get(key), text)} if text else part)
        return item | lists

    def _text_place(self, event: Json, name: str) -> _Place | None:
        """The place of a text; a part that was never added is begun."""
        found = _IN_PARTS.get(name)
        if found is None:
            index = event.get("output_index")
            return (index, _IN_ITEM[name], -1) if type(index) is int else None
        place = _place(event, found[0], found[1])
        if place is not None and place not in self._parts:
            self._parts[place] = {"type": found[2], found[3]: ""}
        return place

    def _extend(self, place: _Place, member: str, values: Any) -> None:
        part = self._parts[place]
        held = part.get(member)
        if isinstance(values, list):
            part[member] = [*(held if isinstance(held, list) else []), *values]


def _place(event: Json, member: str, index_key: str) -> _Place | None:
    output_index = event.get("output_index")
    index = event.get(index_key)
    return (output_index, member, index) if type(output_index) is int and type(index) is int else None


def _joined(begun: Any, text: str) -> str:
    return (begun if isinstance(begun, str) else "") + text
