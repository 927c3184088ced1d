"""A stream that is open while something happens to the gateway."""

import http.client
import json
import threading
from urllib.parse import urlsplit

from parallel_calls import HELLO
from running_gateway import RunningGateway


class OpenStream:
    """A stream that is read to its end in a thread of its own, however it ends."""

    def __init__(self, gateway: RunningGateway, path: str, model: str, behaviour: str) -> None:
        self.first = threading.Event()
        self.body = b""
        parts = urlsplit(gateway.url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        headers = {"authorization": f"Bearer {gateway.key}", "x-simulated": behaviour}
        headers |= {"content-type": "application/json", "anthropic-version": "2023-06-01"}
        body = json.dumps({"model": model, "stream": True, "max_tokens": 10_000, "messages": HELLO})
        self._request = (path, body, headers)

    def read(self) -> bytes:
        path, body, headers = self._request
        try:
            self._connection.request("POST", path, body, headers)
            answer = self._connection.getresponse()
            while piece := answer.read1(65536):
                self.body += piece
                self.first.set()
        except (OSError, http.client.HTTPException):
            pass  # the gateway was killed
        finally:
            self.first.set()
            self._connection.close()
        return self.body
