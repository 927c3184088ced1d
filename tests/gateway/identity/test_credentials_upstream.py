"""What a provider sees of the caller's credentials, through a running gateway."""

import json
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from running_gateway import RunningGateway

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
QUESTION = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}


class SeeingProvider(ThreadingHTTPServer):
    """Answers every request alike and keeps its first line and headers."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: SeeingProvider

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append(f"{self.requestline}\n{self.headers}")
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="module")
def provider() -> Generator[SeeingProvider]:
    with SeeingProvider() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def watched(provider: SeeingProvider, tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    url = f"http://127.0.0.1:{provider.server_port}"
    with RunningGateway(tmp_path_factory.mktemp("watched"), url) as running:
        yield running


@pytest.mark.parametrize(
    ("header", "query"),
    [("x-api-key", ""), ("x-litellm-api-key", ""), ("x-other", "?api_key={key}"), ("x-other", "?key={key}&a=1")],
)
def test_the_virtual_key_never_reaches_a_provider(
    watched: RunningGateway, provider: SeeingProvider, header: str, query: str
) -> None:
    answer = watched.call(
        f"/v1/chat/completions{query.format(key=watched.key)}", QUESTION, headers={header: watched.key}
    )

    assert answer.status == 200
    assert "POST /v1/chat/completions" in provider.seen[-1]
    assert watched.key not in provider.seen[-1]


def test_foreign_credentials_do_not_go_on_but_other_headers_do(
    watched: RunningGateway, provider: SeeingProvider
) -> None:
    foreign = {"cookie": "session=canary", "x-goog-api-key": "canary", "x-mine": "kept", "api-key": "canary"}
    watched.call("/v1/chat/completions?key=canary&access_token=canary&a=1", QUESTION, headers=foreign)

    assert "canary" not in provider.seen[-1]
    assert "x-mine: kept" in provider.seen[-1].lower()
    assert "/v1/chat/completions?a=1 " in provider.seen[-1]
