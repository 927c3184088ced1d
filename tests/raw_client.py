"""Requests that no HTTP client sends: in pieces, unfinished, read slowly or not at all."""

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from running_gateway import Answer

_PATIENCE_SECONDS = 30.0


class RawClient:
    """One TCP connection; ``receive_buffer`` bytes make a client that reads slowly."""

    def __init__(self, url: str, receive_buffer: int | None = None) -> None:
        parts = urlsplit(url)
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(_PATIENCE_SECONDS)
        self.socket.connect((parts.hostname, parts.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send_head(self, method: str, path: str, headers: dict[str, str]) -> None:
        """The request's head, as it is."""
        lines = [f"{method} {path} HTTP/1.1", "host: gateway", *(f"{name}: {value}" for name, value in headers.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def send_meanwhile(self, data: bytes, count: int) -> threading.Thread:
        """``data`` again and again in a thread of its own, until all is sent or the other side has closed."""

        def send() -> None:
            with suppress(OSError):
                for _ in range(count):
                    self.socket.sendall(data)

        thread = threading.Thread(target=send)
        thread.start()
        return thread

    def shut(self) -> None:
        """End the connection under whoever still sends."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def read_to_end(self) -> bytes:
        """Everything until the other side closes."""
        pieces: list[bytes] = []
        while piece := self.socket.recv(65536):
            pieces.append(piece)
        return b"".join(pieces)

    def read_until(self, mark: bytes) -> bytes:
        """What comes up to and with ``mark``."""
        found = b""
        while mark not in found:
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"the connection ended before {mark!r}: {found[-200:]!r}")
            found += piece
        return found

    def answer(self) -> Answer:
        """A whole response with a content length."""
        head, _, body = self.read_until(b"\r\n\r\n").partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        while len(body) < int(headers["content-length"]):
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError("the connection ended inside the body")
            body += piece
        return Answer(int(lines[0].split()[1]), headers, body)
