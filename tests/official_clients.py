"""The official SDKs pointed at a server, each call under a request id by which its row is found."""

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
from google import genai
from google.genai import types
from running_gateway import RunningGateway

# The simulated server gives every answer ids of its own; nothing else differs from one call to the next.
_ID = re.compile(r"[0-9a-f]{24,}")
_TIMES = frozenset({"created", "created_at", "completed_at", "createTime", "create_time"})
_TRANSPORT = frozenset({"sdk_http_response", "sdkHttpResponse", "_request_id"})
_numbers = itertools.count()

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass
class Clients:
    """One of each; ``request_id`` is on all their calls."""

    openai: openai.OpenAI
    anthropic: anthropic.Anthropic
    gemini: genai.Client
    request_id: str


@contextmanager
def clients(url: str, key: str, *, is_prefixed: bool = False, openai_at: str = "/v1") -> Iterator[Clients]:
    """SDKs for ``url``; ``is_prefixed`` gives them the paths below /ai-gateway in the place of the plain ones."""
    request_id = f"sdk-{next(_numbers)}-of-official-clients"
    named = {"x-request-id": request_id}
    openai_url = f"{url}/ai-gateway/openai/v1" if is_prefixed else f"{url}{openai_at}"
    anthropic_url, gemini_url = (f"{url}/ai-gateway/{name}" if is_prefixed else url for name in ("anthropic", "gemini"))
    with ExitStack() as stack:
        made = Clients(
            stack.enter_context(
                openai.OpenAI(base_url=openai_url, api_key=key, max_retries=0, default_headers=named, timeout=20)
            ),
            stack.enter_context(
                anthropic.Anthropic(
                    base_url=anthropic_url, api_key=key, max_retries=0, default_headers=named, timeout=20
                )
            ),
            stack.enter_context(
                genai.Client(api_key=key, http_options=types.HttpOptions(base_url=gemini_url, headers=named))
            ),
            request_id,
        )
        yield made


def masked(value: Any) -> Any:
    """``value`` without what differs from answer to answer: ids, times, and what the SDK adds of HTTP."""
    if isinstance(value, dict):
        return {
            name: masked(member)
            for name, member in value.items()
            if name not in _TIMES and name not in _TRANSPORT and member is not None
        }
    if isinstance(value, list):
        return [masked(member) for member in value]
    return _ID.sub("ID", value) if isinstance(value, str) else value


def plain(answer: Any) -> Any:
    """What an SDK's object says, as JSON; of a list or a page of them, each."""
    if hasattr(answer, "model_dump_json"):
        return json.loads(answer.model_dump_json(exclude_none=True))
    return [plain(one) for one in answer] if isinstance(answer, list) else answer


def row_of(gateway: RunningGateway, request_id: str) -> dict[str, Any]:
    """The newest row of that request id; waits for it."""
    found: list[dict[str, Any]] = []

    def has_come() -> bool:
        found[:] = rows_of(gateway, request_id)
        return bool(found)

    gateway.await_effect(has_come, f"a row of {request_id}")
    return found[-1]


def rows_of(gateway: RunningGateway, request_id: str) -> list[dict[str, Any]]:
    """All rows of that request id, in order."""
    mark = f'"request_id":"{request_id}"'.encode()
    lines = [line for line in spooled(gateway).split(b"\n") if mark in line and line.endswith(b"}")]
    found = [json.loads(line) for line in lines]
    return sorted((row for row in found if row["record"] == "OUTCOME"), key=lambda row: row["event_time"])


def spooled(gateway: RunningGateway) -> bytes:
    """Every byte of the spool's segments; read again where one was sealed, and renamed, meanwhile."""
    while True:
        try:
            return b"".join(path.read_bytes() for path in sorted((gateway.folder / "spool").glob("slot-*/*.jsonl")))
        except FileNotFoundError:
            continue
