"""Embeddings: usage and model, without reading the vectors."""

from gateway.observing.observed_streams import read_body, read_events, sse


def test_usage_and_model_are_read() -> None:
    seen = read_body(
        "openai_embeddings",
        b'{"object":"list","data":[{"embedding":[1e400]}],"model":"m","usage":{"prompt_tokens": 8,"total_tokens":8}}',
    )
    assert (seen.usage, seen.response_model) == (b'{"prompt_tokens": 8,"total_tokens":8}', "m")
    assert (seen.is_complete, seen.error, seen.content_bytes) == (True, None, 0)


def test_a_stream_that_nobody_sends_is_kept_raw() -> None:
    reading = read_events("openai_embeddings", {"a": 1})
    assert (reading.assembled, reading.raw_events) == (None, sse({"a": 1}))
