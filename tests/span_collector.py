"""A collector of spans that keeps what is sent to it."""

import queue
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector(ThreadingHTTPServer):
    """Keeps what is sent to it by OTLP over HTTP."""

    def __init__(self) -> None:
        self.services: set[str] = set()
        self.spans: list[Span] = []
        self.paths: set[str] = set()
        self.refusals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.refused = 0
        super().__init__(("127.0.0.1", 0), _Take)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Take(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        for sent in request.resource_spans:
            names = {field.key: field.value.string_value for field in sent.resource.attributes}
            self.server.services.add(names["service.name"])
            for scope in sent.scope_spans:
                self.server.spans += scope.spans
        self.server.paths.add(self.path)
        is_refused = self.path.endswith("/refused")
        self.send_response(400 if is_refused else 200)
        self.send_header("content-length", "0")
        self.end_headers()
        if is_refused:
            self.server.refused += 1
            self.server.refusals.put(self.server.refused)

    def log_message(self, *_: object) -> None:
        """No lines of its own."""


@contextmanager
def collecting() -> Generator[Collector]:
    """One that listens until the block ends."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def attributes(span: Span) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in span.attributes:
        kind = field.value.WhichOneof("value")
        value = getattr(field.value, kind)
        found[field.key] = [each.string_value for each in value.values] if kind == "array_value" else value
    return found
