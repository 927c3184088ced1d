import subprocess
import sys

import msgspec
import pytest
from finished_calls import attempt, finished
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from span_collector import Collector, attributes

from tollhouse.gateway.configuration.document import Tracing
from tollhouse.gateway.operations.tracing import open_tracer
from tollhouse.spool.records import CallOutcome

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def traced(collector: Collector, *outcomes: CallOutcome, fraction: float = 1.0) -> list[Span]:
    tracer = open_tracer(
        Tracing(otlp_endpoint=collector.url, sampling_fraction=fraction, service_name="gate"),
        {"chat/openai-main": "api.openai.com"},
    )
    assert tracer is not None
    for outcome in outcomes:
        tracer.call_began()
        tracer.call_ended(outcome, 0)
    tracer.close()
    return collector.spans


def test_a_call_is_a_span_with_one_below_it_for_each_attempt(collector: Collector) -> None:
    failed = attempt(error_code="reset", status_code=None, usage=msgspec.UNSET, usage_format=None)
    second = attempt(
        attempt_number=2,
        action="FALLBACK",
        destination_name="azure-main",
        provider="azure",
        response_model="gpt-x-1",
        start_time="2026-11-27T10:00:00.200000Z",
        latency_ms=500,
    )
    outcome = finished(
        failed, second, trace_id=TRACE, span_id=PARENT, finish_reason="stop", is_stream=True, session_id="s1"
    )
    spans = {span.name + str(span.kind): span for span in traced(collector, outcome)}
    call = spans[f"chat gpt{Span.SPAN_KIND_SERVER}"]
    below = [span for span in collector.spans if span.parent_span_id == call.span_id]
    assert (call.trace_id.hex(), call.parent_span_id.hex()) == (TRACE, PARENT)
    assert {span.trace_id for span in below} == {call.trace_id}
    assert (call.end_time_unix_nano - call.start_time_unix_nano) == 903_000_000
    assert call.start_time_unix_nano == 1_795_773_600_000_000_000
    assert attributes(call) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.model": "gpt",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "gpt-x-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": 0.7,
        "gen_ai.conversation.id": "s1",
        "gen_ai.usage.input_tokens": 500,
        "gen_ai.usage.output_tokens": 150,
        "gen_ai.usage.cache_read.input_tokens": 300,
        "http.response.status_code": 200,
        "tollhouse.invocation_id": "0193-1",
        "tollhouse.endpoint": "chat",
        "tollhouse.outcome": "completed",
    }
    first, last = sorted(below, key=lambda span: span.start_time_unix_nano)
    assert [span.kind for span in below] == [Span.SPAN_KIND_CLIENT] * 2
    assert (first.name, first.status.code) == ("chat gpt-x", Status.STATUS_CODE_ERROR)
    assert attributes(first)["error.type"] == "reset"
    assert attributes(first)["server.address"] == "api.openai.com"
    assert attributes(last)["gen_ai.usage.output_tokens"] == 150
    assert last.status.code == call.status.code == Status.STATUS_CODE_UNSET
    assert collector.services == {"gate"}


def test_a_failed_call_says_its_error(collector: Collector) -> None:
    failed = finished(attempt(status_code=503), outcome="failed", status_code=502, error_code="upstream_error")
    spans = traced(collector, failed)
    call = next(span for span in spans if span.kind == Span.SPAN_KIND_SERVER)
    assert (attributes(call)["error.type"], call.status.code) == ("upstream_error", Status.STATUS_CODE_ERROR)


@pytest.mark.parametrize(
    ("api_type", "name"),
    [
        ("anthropic/v1/messages", "chat gpt"),
        ("anthropic/v1/messages/count_tokens", "anthropic/v1/messages/count_tokens gpt"),
        ("codex/v1/responses", "chat gpt"),
        ("gemini/v1/generateContent", "generate_content gpt"),
        ("mlflow/v1/embeddings", "embeddings gpt"),
        ("unmanaged", "unmanaged gpt"),
    ],
)
def test_spans_are_named_by_operation_and_model(collector: Collector, api_type: str, name: str) -> None:
    spans = traced(collector, finished(api_type=api_type))
    assert [span.name for span in spans if span.kind == Span.SPAN_KIND_SERVER] == [name]


def test_a_rejected_call_has_a_span_alone(collector: Collector) -> None:
    rejected = finished(outcome="rejected", status_code=401, error_code="no_key", requested_model=None)
    rejected.attempts = []
    (span,) = traced(collector, rejected)
    assert (span.name, attributes(span)["error.type"]) == ("chat", "no_key")


def test_the_same_traces_are_sampled_everywhere(collector: Collector) -> None:
    low, high = "0" * 16 + "1" + "0" * 15, "0" * 16 + "f" * 16
    outcomes = [finished(trace_id=low, span_id=PARENT), finished(trace_id=high, span_id=PARENT)] * 3
    spans = traced(collector, *outcomes, fraction=0.5)
    assert [span.trace_id.hex() for span in spans if span.kind == Span.SPAN_KIND_SERVER] == [low] * 3


def test_calls_of_no_trace_are_sampled_by_the_share(collector: Collector) -> None:
    spans = traced(collector, *[finished()] * 400, fraction=0.5)
    assert 100 < sum(span.kind == Span.SPAN_KIND_SERVER for span in spans) < 300


def test_off_by_default_and_then_nothing_is_imported() -> None:
    program = """
import sys
from tollhouse.gateway.configuration.document import Tracing
from tollhouse.gateway.operations.tracing import open_tracer
assert open_tracer(Tracing()) is None
assert open_tracer(Tracing(otlp_endpoint="http://127.0.0.1:1/v1/traces")) is None
assert not any(name.startswith("opentelemetry") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_collector_that_is_away_holds_nobody_up() -> None:
    tracer = open_tracer(Tracing(otlp_endpoint="http://127.0.0.1:1/v1/traces", sampling_fraction=1.0))
    assert tracer is not None
    for _ in range(10):
        tracer.call_ended(finished())
    tracer.close()


def test_a_collector_that_is_away_is_named_once(
    collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    tracer = open_tracer(Tracing(otlp_endpoint=f"{collector.url}/refused", sampling_fraction=1.0))
    assert tracer is not None
    with caplog.at_level("INFO"):
        for count in range(1, 4):
            tracer.call_ended(finished())
            assert collector.refusals.get(timeout=10) == count
        tracer.close()
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said == ["the collector takes no spans; they are dropped"]


def test_an_address_without_a_path_gets_the_usual_one(collector: Collector) -> None:
    tracer = open_tracer(Tracing(otlp_endpoint=collector.url.removesuffix("/v1/traces"), sampling_fraction=1.0))
    assert tracer is not None
    tracer.call_ended(finished())
    tracer.close()
    assert collector.paths == {"/v1/traces"}
