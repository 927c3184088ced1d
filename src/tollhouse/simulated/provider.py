"""One request in, one reply and its behaviour out; knows nothing of sockets."""

import time
from urllib.parse import parse_qs

import msgspec

from tollhouse.simulated.asked import Asked, decoded
from tollhouse.simulated.behaviours import PLAIN, Behaviour, BehaviourError, behaviour_of
from tollhouse.simulated.chance import mixed
from tollhouse.simulated.credentials import check_credential
from tollhouse.simulated.embeddings import Embedder
from tollhouse.simulated.generating import Generator, read
from tollhouse.simulated.ledger import Entry
from tollhouse.simulated.models import check_model, list_models, show_model
from tollhouse.simulated.queued import Queue, Verbatim
from tollhouse.simulated.refusals import HTML, RefusedError, asked_error, error_body, huge
from tollhouse.simulated.reply import CONTENT, Event, Reply, json_reply
from tollhouse.simulated.request import Request
from tollhouse.simulated.routes import Route, route_of
from tollhouse.simulated.stored import StoredResponses
from tollhouse.simulated.wires.identity import Identity, suffix_of

_GENERATING = {"generate", "generate_stream", "count_tokens"}
_LISTS = {"list_models", "show_model"}
_FRAMING = {"content-length", "transfer-encoding", "connection"}


class _Named(msgspec.Struct):
    model: str


_NAMED = msgspec.json.Decoder(_Named)


class Provider:
    """All providers in one; ``key`` is the only credential that is accepted, None accepts every one."""

    def __init__(self, seed: int, key: str | None) -> None:
        self.queue = Queue()
        self._key = key
        self._stored = StoredResponses()
        self._generator = Generator(seed, self._stored)
        self._embedder = Embedder(seed)
        self._run = mixed(time.time_ns())

    def reply(self, request: Request, entry: Entry) -> tuple[Reply, Behaviour]:
        """The reply, and how it is to be delivered; ``entry`` is told what is known of the call."""
        route = _route(request)
        if route is None:
            error = RefusedError(404, f"Invalid URL ({request.method} {request.path})")
            return _refusal(_wire_by_header(request), error, entry), PLAIN
        entry.wire, entry.operation = route.wire, route.operation
        try:
            check_credential(request, route, self._key)
            return self._behave(request, route, entry)
        except RefusedError as error:
            return _refusal(route.wire, error, entry), PLAIN
        except BehaviourError as error:
            return _refusal(route.wire, RefusedError(400, str(error), code="simulated_behaviour"), entry), PLAIN

    def _behave(self, request: Request, route: Route, entry: Entry) -> tuple[Reply, Behaviour]:
        asked: Asked | None = None
        refused: RefusedError | None = None
        try:
            _check_version(request, route)
            asked = read(route, request) if route.operation in _GENERATING else None
            entry.model = route.model or (asked.model if asked else _model(request, route))
        except RefusedError as error:
            refused = error
        queued = self.queue.take(request.path, entry.model)
        texts = (request.base, queued.behaviour if queued else "", request.header(b"x-simulated") or "")
        behaviour = behaviour_of(*texts)
        entry.behaviour, entry.simulated_id = ";".join(text for text in texts if text), behaviour.id
        if queued is not None and queued.verbatim is not None:
            return _verbatim(queued.verbatim), behaviour
        if behaviour.status is not None:
            return _asked_refusal(route.wire, behaviour, behaviour.status, entry), behaviour
        if refused is not None:
            return _refusal(route.wire, refused, entry), behaviour
        return self._answer(request, route, asked, behaviour, entry), behaviour

    def _answer(self, request: Request, route: Route, asked: Asked | None, behaviour: Behaviour, entry: Entry) -> Reply:
        try:
            reply = self._operate(request, route, asked, behaviour, entry)
        except RefusedError as error:
            return _refusal(route.wire, error, entry)
        reply.headers += [*_headers(route.wire, entry), *behaviour.header]
        return reply

    def _operate(
        self, request: Request, route: Route, asked: Asked | None, behaviour: Behaviour, entry: Entry
    ) -> Reply:
        if asked is not None:
            if route.operation == "count_tokens":
                return _count(route, asked)
            model = behaviour.answer_model or entry.model or asked.model
            suffix = suffix_of(self._run, entry.sequence)
            identity = Identity(suffix, int(request.received_ms / 1000), model)
            return self._generator.reply(route, asked, behaviour, identity, request)
        if route.response_id is not None:
            return self._stored.answer(route.operation, route.response_id, request.query)
        if route.operation in _LISTS:
            return show_model(route.wire, route.model) if route.model else list_models(route.wire)
        check_model(route.wire, entry.model or "")
        if route.wire == "gemini":
            return self._embedder.gemini(request.body, is_batch=route.operation == "embed_batch")
        return self._embedder.openai(request.body, entry.model or "", behaviour.usage)


def _route(request: Request) -> Route | None:
    """The route; lists of models belong to the provider whose header was sent."""
    route = route_of(request.method, request.path)
    wire = _wire_by_header(request) if route is not None and route.operation in _LISTS else None
    return route if route is None or wire is None else msgspec.structs.replace(route, wire=wire)


def _wire_by_header(request: Request) -> str | None:
    if request.header(b"anthropic-version"):
        return "anthropic_messages"
    return "gemini" if request.header(b"x-goog-api-key") else None


def _check_version(request: Request, route: Route) -> None:
    if route.wire == "anthropic_messages" and not request.header(b"anthropic-version"):
        raise RefusedError(400, "anthropic-version: header is required")
    if route.is_azure and "/deployments/" in request.path and "api-version" not in parse_qs(request.query):
        raise RefusedError(404, "Resource not found", code="404")


def _model(request: Request, route: Route) -> str | None:
    """The model of a request that is not read any further before its behaviour is known."""
    return decoded(_NAMED, request.body).model if route.operation == "embed" else None


def _count(route: Route, asked: Asked) -> Reply:
    count = asked.input_tokens
    if route.wire == "anthropic_messages":
        return json_reply(msgspec.json.encode({"input_tokens": count}))
    details = [{"modality": "TEXT", "tokenCount": count}]
    return json_reply(msgspec.json.encode({"totalTokens": count, "promptTokensDetails": details}))


def _headers(wire: str, entry: Entry) -> list[tuple[str, str]]:
    request_id = f"req_{mixed(entry.sequence):016x}"
    if wire == "anthropic_messages":
        return [("request-id", request_id), ("anthropic-ratelimit-requests-remaining", "3999")]
    if wire == "gemini":
        return [("x-gemini-service-tier", "standard")]
    return [("x-request-id", request_id), ("openai-version", "2020-10-01"), ("x-ratelimit-remaining-requests", "9999")]


def _refusal(wire: str | None, error: RefusedError, entry: Entry) -> Reply:
    body = error_body(wire, error, f"req_{mixed(entry.sequence):016x}")
    return json_reply(body, error.status, _headers(wire or "", entry))


def _asked_refusal(wire: str, behaviour: Behaviour, status: int, entry: Entry) -> Reply:
    error = asked_error(status)
    reply = _refusal(wire, huge(error) if behaviour.error_body == "huge" else error, entry)
    if behaviour.error_body == "html":
        reply.content_type, reply.events = "text/html", [Event(HTML, CONTENT)]
    elif behaviour.error_body == "empty":
        reply.events = [Event(b"", CONTENT)]
    if behaviour.retry_after is not None:
        reply.headers.append(("retry-after", behaviour.retry_after))
    reply.headers += behaviour.header
    return reply


def _verbatim(verbatim: Verbatim) -> Reply:
    """The recorded answer; how it was framed is not kept, ``chunks`` says how it is framed here."""
    headers = [(name, value) for name, value in verbatim.headers if name.lower() not in _FRAMING]
    types = [value for name, value in headers if name.lower() == "content-type"]
    return Reply(
        status=verbatim.status,
        events=_chunks(verbatim.body_base64 or b"", verbatim.chunks or []),
        content_type=types[0] if types else "",
        headers=[(name, value) for name, value in headers if name.lower() != "content-type"],
        is_stream=verbatim.chunks is not None,
    )


def _chunks(body: bytes, sizes: list[int]) -> list[Event]:
    events: list[Event] = []
    for size in sizes:
        events.append(Event(body[:size], CONTENT))
        body = body[size:]
    return [event for event in [*events, Event(body, CONTENT)] if event.raw] or [Event(b"", CONTENT)]
