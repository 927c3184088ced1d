"""The client's side of a call: what it has been sent, and what is left to send."""

from tollhouse.gateway.call import Call
from tollhouse.gateway.headers import Pairs
from tollhouse.gateway.request_body import Send


class Client:
    """Sends one response and counts it. Sending to a client that has left does nothing."""

    __slots__ = ("_call", "_send", "content_type", "has_started", "size", "status")

    def __init__(self, call: Call, send: Send) -> None:
        self._call = call
        self._send = send
        self.has_started = False
        self.status = 0
        self.size = 0
        self.content_type: str | None = None

    async def start(self, status: int, headers: Pairs) -> None:
        """The head of the response, with the call's id."""
        self.begin(status, headers)
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    def begin(self, status: int, headers: Pairs) -> None:
        """Note what the head will say; ``start`` sends it."""
        self.has_started = True
        self.status = status
        self.content_type = next((value.decode("latin-1") for name, value in headers if name == b"content-type"), None)
        headers.append((b"x-tollhouse-invocation-id", self._call.invocation_id.encode()))

    async def send(self, headers: Pairs, body: bytes) -> None:
        """A whole response whose head was noted by ``begin``."""
        await self._send({"type": "http.response.start", "status": self.status, "headers": headers})
        await self.end(body)

    async def write(self, data: bytes) -> None:
        """More of the body."""
        self.size += len(data)
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """The last of the body."""
        self.size += len(data)
        await self._send({"type": "http.response.body", "body": data, "more_body": False})
