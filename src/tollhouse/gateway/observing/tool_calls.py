"""The tool calls of one chat choice, merged as they come."""

from typing import Any

from tollhouse.gateway.observing.delta import accumulate
from tollhouse.gateway.observing.json_text import Json, Pieces, text_or_none


class ToolCalls:
    """Calls by their ``index``. A new id, or a new name behind arguments, begins a new call under an index in use:
    some servers say index 0 for all calls, or none at all."""

    __slots__ = ("_calls", "_latest")

    def __init__(self) -> None:
        self._calls: list[tuple[int, Json]] = []
        self._latest: dict[int, Json] = {}

    def take_arguments(self, delta: Json) -> str | None:
        """Take an entry that is only a piece of a begun call's arguments, as nearly all are; None if it is more."""
        index = delta.get("index")
        call = self._latest.get(index) if type(index) is int else None
        function = delta.get("function")
        if call is None or len(delta) != 2 or type(function) is not dict or len(function) != 1:
            return None
        piece = function.get("arguments")
        held_function = call.get("function")
        held = held_function.get("arguments") if type(held_function) is dict else None
        if type(piece) is not str or type(held) is not Pieces:
            return None
        held.append(piece)
        return piece

    def take(self, delta: Json) -> bool:
        """Merge one entry of a delta's ``tool_calls``; False where something of it could not be held."""
        call = self._call_of(delta)
        rest = {key: value for key, value in delta.items() if key != "index"}
        for kind in ("function", "custom"):
            named = rest.get(kind)
            held = call.get(kind)
            if isinstance(named, dict) and isinstance(held, dict) and _repeats_name(call, delta, held, named):
                rest[kind] = {key: value for key, value in named.items() if key != "name"}
        return accumulate(call, rest)

    def listed(self) -> list[Json]:
        """The calls as a message has them: in order of their index, without it."""
        return [call for _, call in sorted(self._calls, key=lambda entry: entry[0])]

    def _call_of(self, delta: Json) -> Json:
        given = delta.get("index")
        identity = text_or_none(delta.get("id"))
        index = given if isinstance(given, int) else self._index_of(identity)
        call = self._latest.get(index)
        if call is None or _is_another(call, identity, delta):
            known = self._with_id(identity)
            call = {} if known is None else known
            if known is None:
                self._calls.append((index, call))
            self._latest[index] = call
        return call

    def _index_of(self, identity: str | None) -> int:
        """The place of an entry without index: its id's, a new one for a new id, else the last call's."""
        for index, call in self._calls:
            if identity is not None and call.get("id") == identity:
                return index
        return len(self._calls) if identity is not None or not self._calls else self._calls[-1][0]

    def _with_id(self, identity: str | None) -> Json | None:
        return next((call for _, call in self._calls if identity is not None and call.get("id") == identity), None)


def _is_another(call: Json, identity: str | None, delta: Json) -> bool:
    held = text_or_none(call.get("id"))
    if identity is not None:
        return held is not None and identity != held
    return held is None and bool(_name(delta)) and _has_arguments(call.get("function"))


def _name(delta: Json) -> Any:
    function = delta.get("function")
    return function.get("name") if isinstance(function, dict) else None


def _has_arguments(function: Any) -> bool:
    return isinstance(function, dict) and bool(str(function.get("arguments") or ""))


def _repeats_name(call: Json, delta: Json, held: Json, named: Json) -> bool:
    """A server that says the id again says the name again; some say the name with every piece of the arguments."""
    if not named.get("name") or not held.get("name"):
        return False
    is_same_id = bool(delta.get("id")) and delta.get("id") == call.get("id")
    return is_same_id or (_has_arguments(held) and str(held["name"]) == named["name"])
