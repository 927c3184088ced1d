"""Runs in an environment with litellm: what it sends for each request, and what it makes of the answer.

Reads cases as JSON from standard input (``how`` to ask, the request, the provider's answers), writes one outcome each.
"""

import asyncio
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import litellm


class Upstream(BaseHTTPRequestHandler):
    """Answers every request with the case's answer and keeps the request's body."""

    case: dict[str, Any]
    seen: dict[str, Any]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        type(self).seen = body
        is_stream = body.get("stream") is True or "stream" in self.path
        answer = type(self).case["stream" if is_stream else "whole"].encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if is_stream else "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


def chat(asked: dict[str, Any]) -> dict[str, Any]:
    answer = litellm.completion(**asked)
    if asked.get("stream"):
        answer = litellm.stream_chunk_builder(list(answer))
    choice = answer.choices[0]
    calls = [(call.function.name, call.function.arguments) for call in choice.message.tool_calls or ()]
    details = answer.usage.prompt_tokens_details
    return {
        "text": choice.message.content or "",
        "calls": calls,
        "reason": choice.finish_reason,
        "usage": [answer.usage.prompt_tokens, details.cached_tokens if details else 0, answer.usage.completion_tokens],
    }


def responses(asked: dict[str, Any]) -> dict[str, Any]:
    answer = litellm.responses(**asked)
    if asked.get("stream"):
        answer = list(answer)[-1].response
    texts = [part.text for item in answer.output if item.type == "message" for part in item.content]
    calls = [(item.name, item.arguments) for item in answer.output if item.type == "function_call"]
    details = answer.usage.input_tokens_details
    usage = [answer.usage.input_tokens, details.cached_tokens if details else 0, answer.usage.output_tokens]
    return {"text": "".join(texts), "calls": calls, "reason": answer.status, "usage": usage}


def messages(asked: dict[str, Any]) -> dict[str, Any]:
    answer = asyncio.run(litellm.anthropic.messages.acreate(**asked))
    blocks = answer["content"]
    calls = [(block["name"], json.dumps(block["input"])) for block in blocks if block["type"] == "tool_use"]
    usage = answer["usage"]
    read = usage.get("cache_read_input_tokens") or 0
    return {
        "text": "".join(block["text"] for block in blocks if block["type"] == "text"),
        "calls": calls,
        "reason": answer["stop_reason"],
        "usage": [usage["input_tokens"] + read, read, usage["output_tokens"]],
    }


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    ways = {"chat": chat, "responses": responses, "messages": messages}
    outcomes = []
    for case in json.load(sys.stdin):
        Upstream.case = case
        answer = ways[case["how"]](case["request"] | {"api_base": base + case["path"], "api_key": "none"})
        outcomes.append({"sent": Upstream.seen, "answer": answer})
    server.shutdown()
    json.dump(outcomes, sys.stdout)


main()
