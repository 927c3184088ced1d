"""The paths under ``/-/``, by which tests and people speak to the server itself."""

from urllib.parse import parse_qs

import msgspec

from tollhouse.simulated.behaviours import BehaviourError
from tollhouse.simulated.ledger import Ledger
from tollhouse.simulated.queued import Queue
from tollhouse.simulated.refusals import RefusedError
from tollhouse.simulated.reply import Reply, json_reply
from tollhouse.simulated.request import Request

PREFIX = "/-/"
_NOTHING = b"{}"


def control(request: Request, ledger: Ledger, queue: Queue) -> Reply:
    """The reply to a request under ``/-/``; 404 where there is nothing of that name."""
    try:
        body = _operate(request, ledger, queue)
    except (RefusedError, BehaviourError, ValueError) as error:
        return json_reply(msgspec.json.encode({"error": str(error)}), 400)
    if body is None:
        known = "GET and DELETE /-/ledger; GET, POST and DELETE /-/behaviours; GET /-/health"
        return json_reply(msgspec.json.encode({"error": f"there is no {request.method} {request.path}: {known}"}), 404)
    return json_reply(body)


def _operate(request: Request, ledger: Ledger, queue: Queue) -> bytes | None:
    operation = (request.method, request.path)
    if operation == ("GET", "/-/ledger"):
        return _shown(request, ledger)
    if operation == ("GET", "/-/behaviours"):
        return queue.shown()
    if operation == ("POST", "/-/behaviours"):
        queue.put(request.body)
    elif operation == ("DELETE", "/-/behaviours"):
        queue.clear()
    elif operation == ("DELETE", "/-/ledger"):
        ledger.clear()
    elif operation != ("GET", "/-/health"):
        return None
    return _NOTHING


def _shown(request: Request, ledger: Ledger) -> bytes:
    query = {name: values[-1] for name, values in parse_qs(request.query).items()}
    if query.get("totals") == "1":
        return msgspec.json.encode(ledger.totals())
    return msgspec.json.encode(ledger.calls(int(query.get("since", "0"))))
