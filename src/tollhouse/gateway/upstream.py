"""What a call sends to a destination: URL, headers, body, in the caller's protocol or translated."""

from tollhouse.gateway.attempt import AttemptState, Outgoing
from tollhouse.gateway.call import Call
from tollhouse.gateway.configuration.endpoint import Target
from tollhouse.gateway.framing.frame import Framer
from tollhouse.gateway.framing.json_array import JsonArrayFramer
from tollhouse.gateway.framing.sse import SseFramer
from tollhouse.gateway.headers import foreign_headers
from tollhouse.gateway.observing.registry import new_observer
from tollhouse.gateway.pipeline import Passing, Pipeline, Translating
from tollhouse.gateway.request_head import insert_member, replace_member
from tollhouse.gateway.translating import Translation
from tollhouse.gateway.wires import StreamStyle, Wire


def wire_for(call: Call, target: Target) -> Wire | None:
    """What ``target`` is spoken to: the caller's protocol where its provider knows it, else the provider's own.

    None where the call cannot go there: only generative calls are translated.
    """
    if call.wire == call.answer_wire and target.provider.speaks(call.wire, call.operation):
        return call.wire
    return target.provider.translated_wire if call.operation == "generate" else None


def outgoing(call: Call, attempt: AttemptState, translation: Translation | None) -> Outgoing:
    """The request of ``attempt``. Raises RefusalError for what cannot be translated."""
    target, model = attempt.target, attempt.destination.destination_model
    if translation is None:
        body = _same_body(call, target)
        headers = call.introduction.upstream
    else:
        body = translation.request(attempt.wire, model)
        headers = foreign_headers(
            call.introduction.named.items(),
            is_stream=call.record.is_stream,
            is_anthropic=attempt.wire == "anthropic_messages",
        )
        attempt.request_body = body.decode(errors="replace")
    attempt.request_bytes = len(body)
    provider = target.provider
    own = provider.headers if provider.credential_header is None else (provider.credential_header, *provider.headers)
    if own:
        names = {name for name, _ in own}
        headers = [pair for pair in headers if pair[0] not in names]
        headers += own
    return Outgoing(call.method, _url(call, attempt, is_translated=translation is not None), headers, body)


def _url(call: Call, attempt: AttemptState, *, is_translated: bool) -> str:
    model = attempt.destination.destination_model
    is_about_model = call.operation in ("generate", "embed", "count_tokens")
    return attempt.target.provider.url(
        attempt.wire,
        call.operation,
        model if is_about_model else call.subject or "",
        is_stream=call.record.is_stream,
        style="sse" if is_translated else call.style,
        is_batch=call.path.endswith(":batchEmbedContents"),
        query="" if is_translated else call.query.decode("latin-1"),
    )


def _same_body(call: Call, target: Target) -> bytes:
    body = call.body
    if target.model is not None and target.model != call.record.requested_model and call.head.model is not None:
        body = replace_member(body, "model", target.model)
    if call.wire == "openai_chat" and call.record.is_stream and not call.head.includes_usage:
        options = {**(call.head.stream_options or {}), "include_usage": True}
        change = replace_member if call.head.has_stream_options else insert_member
        body = change(body, "stream_options", options)
    return body


def framer_for(style: StreamStyle, limit: int) -> Framer:
    """Cuts a stream of that style."""
    return JsonArrayFramer(limit) if style == "json_array" else SseFramer(limit)


def pipeline_for(call: Call, attempt: AttemptState, translation: Translation | None) -> Pipeline:
    """The way of the attempt's stream to the client."""
    upstream = new_observer(attempt.wire)
    attempt.observer = upstream
    if translation is None:
        hides = call.wire == "openai_chat" and not call.head.includes_usage
        return Passing(upstream, hides_usage=hides)
    limit = call.configuration.document.limits.event_bytes
    shown = new_observer(call.answer_wire)
    reader, writer = translation.answer(attempt.wire)
    return Translating(upstream, shown, reader, writer, framer_for(call.style, limit))
