"""Writes a chat completion, whole or as chunks."""

from typing import Any

import msgspec

from tollhouse.simulated.answer import Answer, Call
from tollhouse.simulated.reply import CONTENT, OTHER, TERMINAL, Event, sse
from tollhouse.simulated.wires.identity import Identity

_encode = msgspec.json.encode
_FINISH = {"stop": "stop", "length": "length", "tools": "tool_calls", "stop_sequence": "stop"}
_FILTERS = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
_AZURE_FIRST = {
    "id": "",
    "object": "",
    "created": 0,
    "model": "",
    "choices": [],
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _FILTERS}],
}


class Writing(msgspec.Struct, kw_only=True):
    """``usage`` is the usage object's JSON; ``has_usage`` whether a stream ends with it."""

    identity: Identity
    usage: bytes | None
    has_usage: bool = False
    is_azure: bool = False
    shows_reasoning: bool = False


def whole(answers: list[Answer], writing: Writing) -> Event:
    """The unary body; one choice an answer."""
    identity = writing.identity
    body: dict[str, Any] = {
        "id": identity.of("chatcmpl-"),
        "object": "chat.completion",
        "created": identity.created,
        "model": identity.model,
        "choices": [_choice(index, answer, writing) for index, answer in enumerate(answers)],
    }
    if writing.usage is not None:
        body["usage"] = msgspec.Raw(writing.usage)
    if writing.is_azure:
        body["prompt_filter_results"] = _AZURE_FIRST["prompt_filter_results"]
    body |= {"service_tier": "default", "system_fingerprint": "fp_simulated"}
    return Event(_encode(body), CONTENT, writing.usage)


def _choice(index: int, answer: Answer, writing: Writing) -> dict[str, Any]:
    text = "".join(answer.text)
    message: dict[str, Any] = {"role": "assistant", "content": text or None if answer.calls else text, "refusal": None}
    if writing.shows_reasoning and answer.thinking:
        message["reasoning_content"] = "".join(answer.thinking)
    if answer.calls:
        message["tool_calls"] = [_call(call, index, writing.identity) for call in answer.calls]
    return {"index": index, "message": message, "logprobs": None, "finish_reason": _FINISH[answer.finish]}


def _call(call: Call, choice: int, identity: Identity, arguments: str | None = None) -> dict[str, Any]:
    text = call.arguments if arguments is None else arguments
    head = {"id": identity.of("call_", 1 + call.number + 10 * choice)}
    if call.is_free_text:
        return head | {"type": "custom", "custom": {"name": call.name, "input": text}}
    return head | {"type": "function", "function": {"name": call.name, "arguments": text}}


def events(answers: list[Answer], writing: Writing) -> list[Event]:
    """The chunks of a stream, ``[DONE]`` last."""
    identity, tail = writing.identity, b',"usage":null}' if writing.has_usage else b"}"
    head = (
        b'{"id":"%s","object":"chat.completion.chunk","created":%d,"model":%s,"service_tier":"default",'
        b'"system_fingerprint":"fp_simulated","choices":['
        % (identity.of("chatcmpl-").encode(), identity.created, _encode(identity.model))
    )
    made = [Event(sse(None, _encode(_AZURE_FIRST)))] if writing.is_azure else []
    for index, answer in enumerate(answers):
        made += _chunks(index, answer, writing, (b"data: " + head, tail + b"\n\n"))
    if writing.has_usage and writing.usage is not None:
        made.append(Event(sse(None, head + b'],"usage":' + writing.usage + b"}"), OTHER, writing.usage))
    made.append(Event(b"data: [DONE]\n\n", TERMINAL))
    return made


def _chunks(index: int, answer: Answer, writing: Writing, frame: tuple[bytes, bytes]) -> list[Event]:
    before = b'%s{"index":%d,"delta":' % (frame[0], index)
    after = b',"finish_reason":null}]' + frame[1]
    text_before, text_after = before + b'{"content":', b"}" + after
    first = b'{"role":"assistant","content":%s,"refusal":null}' % (b"null" if answer.calls else b'""')
    made = [Event(before + first + after)]
    if writing.shows_reasoning:
        thinking = before + b'{"reasoning_content":'
        made += [Event(thinking + _encode(piece) + text_after, CONTENT) for piece in answer.thinking]
    made += [Event(text_before + _encode(piece) + text_after, CONTENT) for piece in answer.text]
    made += [
        Event(before + _encode({"tool_calls": [delta]}) + after, CONTENT)
        for call in answer.calls
        for delta in _deltas(call, index, writing.identity)
    ]
    finish = b'{},"finish_reason":%s}]' % _encode(_FINISH[answer.finish])
    made.append(Event(before + finish + frame[1]))
    return made


def _deltas(call: Call, choice: int, identity: Identity) -> list[dict[str, Any]]:
    kind, name = ("custom", "input") if call.is_free_text else ("function", "arguments")
    first = {"index": call.number} | _call(call, choice, identity, "")
    return [first, *({"index": call.number, kind: {name: piece}} for piece in call.pieces())]
