"""Error bodies of every provider, and those that no provider wrote."""

import pytest
from gateway.observing.observed_streams import read_body

from tollhouse.gateway.observing.observer import ProviderError
from tollhouse.gateway.wires import Wire

OPENAI = (
    b'{"error":{"message":"Incorrect API key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}'
)
TYPED = b'{"error":{"message":"Bad","type":"invalid_request_error","code":null}}'
ANTHROPIC = b'{"type":"error","error":{"type":"not_found_error","message":"model: x"},"request_id":"req_1"}'
GEMINI = b'{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}'


@pytest.mark.parametrize(
    ("wire", "body", "code", "message"),
    [
        ("openai_chat", OPENAI, "invalid_api_key", "Incorrect API key"),
        ("openai_responses", TYPED, "invalid_request_error", "Bad"),
        ("openai_embeddings", OPENAI, "invalid_api_key", "Incorrect API key"),
        ("anthropic_messages", ANTHROPIC, "not_found_error", "model: x"),
        ("gemini", GEMINI, "RESOURCE_EXHAUSTED", "Quota"),
        ("gemini", b"[" + GEMINI + b"]", "RESOURCE_EXHAUSTED", "Quota"),
        (
            "openai_chat",
            b'{"object":"error","message":"long","type":"BadRequestError","code":400}',
            "BadRequestError",
            "long",
        ),
        ("openai_chat", b'{"statusCode":401,"message":"denied"}', "401", "denied"),
        ("openai_chat", b'{"error_code":"FORBIDDEN","message":"denied"}', "FORBIDDEN", "denied"),
        ("openai_chat", b'{"error":"model not found"}', None, "model not found"),
        ("openai_chat", b'{"detail":"Not Found"}', None, "Not Found"),
        ("openai_chat", b'{"error":{"code":"odd"}}', "odd", None),
        ("openai_chat", b'{"detail":[{"msg":"x"}]}', None, '{"detail":[{"msg":"x"}]}'),
        ("anthropic_messages", b"<html>bad gateway</html>", None, "<html>bad gateway</html>"),
        ("gemini", b"", None, None),
        ("openai_chat", b"\xff\xfe", None, "\ufffd\ufffd"),
        ("openai_responses", b"[]", None, "[]"),
        ("openai_chat", b'{"error":{"message":"\\ud83d"}}', None, "\ud83d"),
    ],
)
def test_an_error_body_gives_its_code_and_message(
    wire: Wire, body: bytes, code: str | None, message: str | None
) -> None:
    assert read_body(wire, body, status=400).error == ProviderError(code, message)


def test_only_the_beginning_of_a_page_is_its_message() -> None:
    error = read_body("openai_chat", "é".encode() * 5000, status=502).error
    assert error == ProviderError(None, "é" * 500)


def test_a_body_of_status_200_that_is_no_object_is_an_error() -> None:
    for wire in ("openai_chat", "openai_responses", "openai_embeddings", "anthropic_messages", "gemini"):
        assert read_body(wire, b"garbage").error == ProviderError(None, "garbage")


def test_an_error_may_still_have_usage() -> None:
    seen = read_body("openai_chat", b'{"error":{"message":"x"},"usage":{"prompt_tokens":1}}', status=500)
    assert seen.usage == b'{"prompt_tokens":1}'
