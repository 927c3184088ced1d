"""From what is asked to the reply in the protocol's words."""

import hashlib
import time

import msgspec

from tollhouse.simulated.answer import Answer, Composer
from tollhouse.simulated.asked import Asked
from tollhouse.simulated.behaviours import Behaviour
from tollhouse.simulated.models import check_model
from tollhouse.simulated.refusals import RefusedError, error_body
from tollhouse.simulated.reply import CONTENT, EVENT_STREAM, JSON, Event, Reply, sse
from tollhouse.simulated.request import Request
from tollhouse.simulated.routes import Route
from tollhouse.simulated.stored import StoredResponse, StoredResponses
from tollhouse.simulated.tokens import Tokens
from tollhouse.simulated.wires.anthropic_messages import answer as anthropic_answer
from tollhouse.simulated.wires.anthropic_messages import request as anthropic_request
from tollhouse.simulated.wires.gemini import answer as gemini_answer
from tollhouse.simulated.wires.gemini import request as gemini_request
from tollhouse.simulated.wires.identity import Identity
from tollhouse.simulated.wires.openai_chat import answer as chat_answer
from tollhouse.simulated.wires.openai_chat import request as chat_request
from tollhouse.simulated.wires.openai_responses import answer as responses_answer
from tollhouse.simulated.wires.openai_responses import request as responses_request
from tollhouse.simulated.wires.openai_responses.stream import ResponseStream, failure
from tollhouse.simulated.wires.usage import usage_json

_OVERLOADED = RefusedError(503, "Overloaded", code="server_error")
_OVERLOADED_ANTHROPIC = RefusedError(529, "Overloaded")


def read(route: Route, request: Request) -> Asked:
    """What a generating or counting request asks. Raises RefusedError."""
    body, is_count = request.body, route.operation == "count_tokens"
    if route.wire == "anthropic_messages":
        return anthropic_request.read(body, is_count=is_count)
    if route.wire == "openai_responses":
        return responses_request.read(body)
    if route.wire == "gemini":
        model = route.model or ""
        if is_count:
            return gemini_request.read_count(body, model)
        return gemini_request.read(body, model, is_stream=route.operation == "generate_stream")
    return chat_request.read(body)


class Generator:
    """Makes replies; ``stored`` is where it keeps responses."""

    def __init__(self, seed: int, stored: StoredResponses) -> None:
        self._composer = Composer(seed)
        self._stored = stored

    def reply(self, route: Route, asked: Asked, behaviour: Behaviour, identity: Identity, request: Request) -> Reply:
        """The reply to a generating request. Raises RefusedError."""
        check_model(route.wire, identity.model)
        echo = _echo(request) if behaviour.echo else None
        if isinstance(asked, responses_request.ResponsesAsked):
            return self._responses(asked, behaviour, identity, echo)
        if isinstance(asked, chat_request.ChatAsked):
            return self._chat(route, asked, behaviour, identity, echo)
        answer = self._composer.compose(asked, behaviour, echo)
        if route.wire == "gemini":
            return _gemini(asked, answer, behaviour, identity, is_sse="alt=sse" in request.query)
        return _anthropic(asked, answer, behaviour, identity)

    def _chat(
        self, route: Route, asked: chat_request.ChatAsked, behaviour: Behaviour, identity: Identity, echo: str | None
    ) -> Reply:
        answers = [self._composer.compose(asked, behaviour, echo, choice) for choice in range(asked.choices)]
        tokens = _summed(answers)
        writing = chat_answer.Writing(
            identity=identity,
            usage=usage_json("openai_chat", tokens, behaviour.usage),
            has_usage=asked.has_usage,
            is_azure=route.is_azure,
            shows_reasoning=behaviour.reasoning_content,
        )
        made = chat_answer.events(answers, writing) if asked.is_stream else [chat_answer.whole(answers, writing)]
        reply = _reply(made, asked, tokens, identity.of("chatcmpl-"))
        reply.error_event = lambda _: sse(None, error_body("openai_chat", _OVERLOADED, identity.suffix))
        return reply

    def _responses(
        self, asked: responses_request.ResponsesAsked, behaviour: Behaviour, identity: Identity, echo: str | None
    ) -> Reply:
        self._continue(asked)
        answer = self._composer.compose(asked, behaviour, echo)
        usage = usage_json("openai_responses", answer.tokens, behaviour.usage)
        stored = StoredResponse(
            body=responses_answer.finished(asked, answer, identity, usage),
            input=asked.input,
            tokens=answer.tokens.total,
            usage=usage,
            call_ids=[identity.of("call_", 1 + call.number) for call in answer.calls],
            is_background=asked.is_background,
        )
        if asked.is_stream:
            made = ResponseStream(asked, answer, identity, usage).events()
            stored.events = made if asked.is_background else None
        elif asked.is_background:
            made = [Event(msgspec.json.encode(responses_answer.response(asked, identity, "queued")), CONTENT)]
            stored.ready_ms = time.time() * 1000 + behaviour.background_ms
        else:
            made = [Event(msgspec.json.encode(stored.body), CONTENT, usage)]
        reply = _reply(made, asked, answer.tokens, identity.of("resp_"))
        reply.error_event = lambda number: failure(asked, identity, _OVERLOADED, number)
        if asked.stores:
            reply.on_complete = lambda: self._stored.keep(stored)
        return reply

    def _continue(self, asked: responses_request.ResponsesAsked) -> None:
        """Take in the response that this one continues."""
        earlier = self._stored.earlier(asked.previous_id) if asked.previous_id else None
        responses_request.check_calls(asked, earlier.call_ids if earlier else [])
        if earlier is not None:
            asked.history_tokens = earlier.tokens
            asked.input_tokens += earlier.tokens


def _reply(events: list[Event], asked: Asked, tokens: Tokens, response_id: str) -> Reply:
    return Reply(
        status=200,
        events=events,
        content_type=EVENT_STREAM if asked.is_stream else JSON,
        is_stream=asked.is_stream,
        tokens=tokens,
        response_id=response_id,
    )


def _anthropic(asked: Asked, answer: Answer, behaviour: Behaviour, identity: Identity) -> Reply:
    shape = behaviour.usage
    if asked.is_stream:
        made = anthropic_answer.events(answer, identity, shape)
    else:
        made = [anthropic_answer.whole(answer, identity, shape)]
    reply = _reply(made, asked, answer.tokens, identity.of("msg_"))
    error, request_id = _OVERLOADED_ANTHROPIC, identity.of("req_")
    reply.ping = anthropic_answer.PING
    reply.error_event = lambda _: sse("error", error_body("anthropic_messages", error, request_id))
    return reply


def _gemini(asked: Asked, answer: Answer, behaviour: Behaviour, identity: Identity, *, is_sse: bool) -> Reply:
    if not asked.is_stream:
        made = [gemini_answer.whole(asked, answer, identity, behaviour.usage)]
        return _reply(made, asked, answer.tokens, identity.suffix)
    made = gemini_answer.events(asked, answer, identity, behaviour.usage, is_array=not is_sse)
    reply = _reply(made, asked, answer.tokens, identity.suffix)
    body = error_body("gemini", _OVERLOADED, identity.suffix)
    reply.error_event = lambda _: sse(None, body)
    if not is_sse:
        reply.content_type, reply.ping = JSON, b"\r\n"
        reply.error_event = lambda number: (b",\r\n" if number else b"[") + body + b"]"
    return reply


def _summed(answers: list[Answer]) -> Tokens:
    first = answers[0].tokens
    if len(answers) == 1:
        return first
    output, reasoning = (sum(getattr(one.tokens, name) for one in answers) for name in ("output", "reasoning"))
    return msgspec.structs.replace(first, output=output, reasoning=reasoning)


def _echo(request: Request) -> str:
    seen = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers],
        "body_bytes": len(request.body),
        "body_sha256": hashlib.sha256(request.body).hexdigest(),
    }
    return msgspec.json.encode(seen).decode()
