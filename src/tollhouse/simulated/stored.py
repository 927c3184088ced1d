"""Responses that the provider keeps, and those it makes in the background."""

import time
from collections import OrderedDict
from typing import Any
from urllib.parse import parse_qs

import msgspec

from tollhouse.simulated.refusals import RefusedError
from tollhouse.simulated.reply import CONTENT, EVENT_STREAM, Event, Reply, json_reply
from tollhouse.simulated.wires.openai_responses.answer import Item

_KEPT = 10_000
_encode = msgspec.json.encode


class StoredResponse(msgspec.Struct, kw_only=True):
    """``body`` is the finished response; before ``ready_ms`` (since 1970) a background one is in progress.

    ``input`` is the request's, ``tokens`` all of the conversation so far, ``events`` what a background stream replays.
    """

    body: Item
    input: bytes
    tokens: int
    usage: bytes | None
    call_ids: list[str] = []
    ready_ms: float = 0
    is_background: bool = False
    is_cancelled: bool = False
    events: list[Event] | None = None

    def shown(self) -> Item:
        """The response object as it stands now."""
        if self.is_cancelled:
            return self.body | {"status": "cancelled", "output": [], "usage": None}
        if self.is_ready():
            return self.body
        return self.body | {"status": "in_progress", "output": [], "usage": None}

    def is_ready(self) -> bool:
        """Whether it is finished."""
        return time.time() * 1000 >= self.ready_ms

    def items(self) -> list[Item]:
        """The input as items with ids."""
        given = msgspec.json.decode(self.input)
        items: list[Item] = [{"role": "user", "content": given}] if isinstance(given, str) else given
        made = self.body["id"].removeprefix("resp_")
        return [_item(f"item_{index:04d}{made}", item) for index, item in enumerate(items)]


class StoredResponses:
    """The last responses that were asked to be kept, by id."""

    def __init__(self) -> None:
        self._responses: OrderedDict[str, StoredResponse] = OrderedDict()

    def keep(self, response: StoredResponse) -> None:
        """Keep one; the oldest goes once there are too many."""
        self._responses[response.body["id"]] = response
        if len(self._responses) > _KEPT:
            self._responses.popitem(last=False)

    def earlier(self, response_id: str) -> StoredResponse:
        """The response that a request continues. Raises RefusedError with OpenAI's 400."""
        if response_id not in self._responses:
            message = f"Previous response with id '{response_id}' not found."
            raise RefusedError(400, message, code="previous_response_not_found", param="previous_response_id")
        return self._responses[response_id]

    def answer(self, operation: str, response_id: str, query: str) -> Reply:
        """The reply to an operation on one response. Raises RefusedError: 404, or 400 where it cannot be done."""
        found = self._responses.get(response_id)
        if found is None:
            raise RefusedError(404, f"Response with id '{response_id}' not found.", param="id")
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        if operation == "get_response":
            return _get(found, asked)
        if operation == "list_input_items":
            return json_reply(_encode(_listed(found, asked)))
        if operation == "cancel_response":
            return _cancel(found)
        del self._responses[response_id]
        return json_reply(_encode({"id": response_id, "object": "response", "deleted": True}))


def _item(item_id: str, given: Item) -> Item:
    content = given.get("content")
    if isinstance(content, str):
        kind = "output_text" if given.get("role") == "assistant" else "input_text"
        given = given | {"content": [{"type": kind, "text": content}]}
    return {"id": item_id, "type": "message", **given}


def _get(found: StoredResponse, asked: dict[str, str]) -> Reply:
    if asked.get("stream") != "true":
        body = found.shown()
        usage = found.usage if body["usage"] is not None else None
        return Reply(status=200, events=[Event(_encode(body), CONTENT, usage)], response_id=body["id"])
    if found.events is None:
        raise RefusedError(400, "Only background responses made with stream=true can be streamed.", param="stream")
    first = _number(asked, "starting_after", -1) + 1
    events = found.events[first:]
    return Reply(status=200, events=events, content_type=EVENT_STREAM, is_stream=True, response_id=found.body["id"])


def _number(asked: dict[str, str], name: str, default: int) -> int:
    try:
        return int(asked.get(name, default))
    except ValueError as error:
        raise RefusedError(400, f"Invalid '{name}': {asked[name]!r} is not an integer.", param=name) from error


def _cancel(found: StoredResponse) -> Reply:
    if not found.is_background:
        raise RefusedError(400, "Cannot cancel a synchronous response.")
    found.is_cancelled = found.is_cancelled or not found.is_ready()
    return json_reply(_encode(found.shown()))


def _listed(found: StoredResponse, asked: dict[str, str]) -> dict[str, Any]:
    items = found.items() if asked.get("order") == "asc" else found.items()[::-1]
    ids = [item["id"] for item in items]
    start = ids.index(asked["after"]) + 1 if asked.get("after") in ids else 0
    end = start + _number(asked, "limit", 20)
    page = items[start:end]
    edges = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
    return {"object": "list", "data": page, **edges, "has_more": end < len(items)}
