"""Whole streams of the simulated providers, event by event, and many calls at once over sockets of their own."""

import asyncio
import json
import re
import urllib.request
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from gateway_cases import MODELS, body_of, path_of, stream_events
from simulated_server import SimulatedServer

PIECES = [f"{number:02d} " for number in range(60)]
PATIENCE_SECONDS = 60.0
_KEYS = {"anthropic_messages": "x-api-key", "gemini": "x-goog-api-key"}


class Recorded(NamedTuple):
    """A whole stream as a provider sent it: ``events`` are its raw events, ``content_type`` that of its head."""

    events: list[bytes]
    content_type: str

    @property
    def sizes(self) -> list[int]:
        return [len(event) for event in self.events]


def record(simulated: SimulatedServer, wire: str, *, is_array: bool = False) -> Recorded:
    """A stream of 60 events with text, asked of the provider directly."""
    path = path_of(wire, MODELS[wire], is_stream=True, is_array=is_array)
    body = body_of(wire, MODELS[wire], is_stream=True)
    headers = {
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
        "x-simulated": f"text={''.join(PIECES).replace(' ', '%20')}; events=60",
        _KEYS.get(wire, "authorization"): "Bearer k",
    }
    asked = urllib.request.Request(simulated.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:
        raw, content_type = answer.read(), answer.headers["content-type"]
    if is_array:
        first, *others = re.split(rb",(?=\s*\{\s*\"candidates)", raw)
        return Recorded([first, *(b"," + other for other in others)], content_type)
    events = [part + b"\n\n" for part in raw.split(b"\n\n")]
    return Recorded(events[:-1], content_type)


def text_of(wire: str, body: bytes) -> str:
    """The text that a client has from the events so far; of a cut JSON array the whole elements count."""
    events = _elements(body) if body.startswith(b"[") else stream_events(body)
    return "".join(_text(wire, event) for event in events)


def _elements(body: bytes) -> list[Any]:
    found: list[Any] = []
    decoder, text, at = json.JSONDecoder(), body.decode(), 1
    with suppress(ValueError):
        while True:
            at = len(text) - len(text[at:].lstrip(", \r\n"))
            element, at = decoder.raw_decode(text, at)
            found.append(element)
    return found


def _text(wire: str, event: Any) -> str:
    if wire == "openai_chat":
        choices = event.get("choices") or [{}]
        return choices[0].get("delta", {}).get("content") or ""
    if wire == "openai_responses":
        return event["delta"] if event.get("type") == "response.output_text.delta" else ""
    if wire == "anthropic_messages":
        return event.get("delta", {}).get("text", "") if event.get("type") == "content_block_delta" else ""
    parts = (event.get("candidates") or [{}])[0].get("content", {}).get("parts", [])
    return "".join(part.get("text", "") for part in parts)


def assembled_text(wire: str, body: bytes) -> str:
    """The text of an answer that is not streamed."""
    answer = json.loads(body)
    if wire == "openai_chat":
        return "".join(choice["message"].get("content") or "" for choice in answer["choices"])
    if wire == "openai_responses":
        return "".join(part["text"] for item in answer["output"] for part in item.get("content", []))
    if wire == "anthropic_messages":
        return "".join(block["text"] for block in answer["content"])
    return _text(wire, answer)


class Got(NamedTuple):
    """What a client has received: the status, 0 for none, and the body without its chunks' sizes."""

    status: int
    body: bytes


class StreamingClient:
    """One call on a connection of its own."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._place = parts.hostname, parts.port
        self._key = key

    async def call(self, path: str, body: dict[str, Any], headers: dict[str, str], leave_after: int | None) -> Got:
        """To the end of the answer, or until ``leave_after`` bytes of its body have come."""
        reader, writer = await asyncio.open_connection(*self._place)
        raw = json.dumps(body).encode()
        sent = {
            "host": "gateway",
            "authorization": f"Bearer {self._key}",
            "content-type": "application/json",
            "content-length": str(len(raw)),
            **headers,
        }
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + raw)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await _received(reader, leave_after)
        finally:
            writer.transport.abort()


async def _received(reader: asyncio.StreamReader, leave_after: int | None) -> Got:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split()[1])
    if "content-length:" in head:
        return Got(status, await reader.readexactly(int(head.partition("content-length:")[2].split()[0])))
    body = b""
    while leave_after is None or len(body) < leave_after:
        size = int(await reader.readline(), 16)
        body += (await reader.readexactly(size + 2))[:size]
        if not size:
            break
    return Got(status, body)
