"""HTTP by hand: what exactly came over the connection, and how it ended."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PATIENCE_SECONDS = 20
CHAT = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "Why does the build wait?"}]}
MESSAGES = {"model": "claude-opus-5", "max_tokens": 4000, "messages": CHAT["messages"]}
RESPONSES = {"model": "o5", "input": "Why does the build wait?"}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "Why does the build wait?"}]}]}
OPENAI = {"authorization": "Bearer k"}
ANTHROPIC = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
GEMINI = {"x-goog-api-key": "k"}


@dataclass
class Received:
    """All bytes until the end; ``end`` is closed, reset, or open where the other side waited too long."""

    raw: bytes
    end: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    is_whole: bool = False

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[str]:
        """The data of every server-sent event."""
        lines = self.body.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]


def opened(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=PATIENCE_SECONDS)


def message(url: str, path: str, headers: dict[str, str], body: Any, method: str = "POST") -> bytes:
    """The bytes of one request that asks the other side to close afterwards."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"host": "simulated", "connection": "close", "content-length": str(len(raw)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {urlsplit(url).path}{path} HTTP/1.1\r\n{head}\r\n".encode() + raw


def sent(
    url: str,
    path: str,
    headers: dict[str, str],
    body: Any = b"",
    *,
    method: str = "POST",
    wait: float = PATIENCE_SECONDS,
) -> Received:
    """What comes back until the connection ends or ``wait`` seconds bring nothing."""
    with opened(url) as connection:
        connection.sendall(message(url, path, headers, body, method))
        connection.settimeout(wait)
        return parsed(*_until_end(connection))


def _until_end(connection: socket.socket) -> tuple[bytes, str]:
    raw = bytearray()
    try:
        while data := connection.recv(1 << 20):
            raw += data
    except ConnectionResetError:
        return bytes(raw), "reset"
    except TimeoutError:
        return bytes(raw), "open"
    return bytes(raw), "closed"


def parsed(raw: bytes, end: str) -> Received:
    received = Received(raw, end)
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first.startswith("HTTP/1.1 "):
        return received
    received.status = int(first.split(" ")[1])
    received.headers = dict(line.lower().split(": ", 1) for line in lines)
    if "content-length" in received.headers:
        received.body = body
        received.is_whole = len(body) == int(received.headers["content-length"])
        return received
    received.chunks, received.is_whole = _chunks(body)
    received.body = b"".join(received.chunks)
    return received


def _chunks(body: bytes) -> tuple[list[bytes], bool]:
    chunks: list[bytes] = []
    start = 0
    while (end := body.find(b"\r\n", start)) >= 0:
        length = int(body[start:end], 16)
        if length == 0:
            return chunks, True
        chunks.append(body[end + 2 : end + 2 + length])
        start = end + 4 + length
    return chunks, False
