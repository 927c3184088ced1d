"""Metrics, spans and log lines of a gateway that runs."""

import json
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from running_gateway import PROVIDER_KEY, RunningGateway
from simulated_server import SimulatedServer
from span_collector import Collector, attributes

CHAT = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hello"}]}
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def value(gateway: RunningGateway, name: str, **labels: str) -> float:
    """The sum of the samples of that name that have these labels."""
    text = gateway.admin("/metrics").body.decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def lines(gateway: RunningGateway) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (gateway.folder / "gateway.log").read_text().splitlines()]


def test_metrics_of_two_workers_are_one(tmp_path: Path, simulated: SimulatedServer) -> None:
    with RunningGateway(tmp_path, simulated.url, workers=2) as gateway:
        for _ in range(6):
            assert gateway.call("/v1/chat/completions", CHAT).status == 200
        assert gateway.call("/v1/chat/completions", CHAT, key="th_nobody").status == 401
        call = {"endpoint": "gpt", "api_type": "openai/v1/chat/completions", "status": "200", "outcome": "completed"}
        gateway.await_effect(lambda: value(gateway, "tollhouse_calls_total", **call) == 6, "six calls")
        gateway.await_effect(
            lambda: value(gateway, "tollhouse_refusals_total", error_code="invalid_api_key") == 1, "a refusal"
        )
        attempts = {"destination": "openai-*", "provider": "openai", "status": "200", "error_code": "none"}
        assert value(gateway, "tollhouse_attempts_total", **attempts) == 6
        assert value(gateway, "tollhouse_call_seconds_count", endpoint="gpt") == 6
        usages = [attempt["usage"] for row in gateway.rows(7) for attempt in row.get("attempts", [])]
        counted = sum(usage["prompt_tokens"] for usage in usages)
        assert value(gateway, "tollhouse_tokens_total", endpoint="gpt", direction="input") == counted > 0
        gateway.await_effect(lambda: value(gateway, "tollhouse_open_calls") == 0, "no open call")


def test_reloads_are_counted_and_a_refused_one_is_in_the_log(tmp_path: Path, simulated: SimulatedServer) -> None:
    with RunningGateway(tmp_path, simulated.url) as gateway:
        gateway.write_settings(log_level="debug")
        gateway.await_effect(
            lambda: value(gateway, "tollhouse_configuration_reloads_total", result="ok") == 1, "a reload"
        )
        gateway.write_settings(log_level="loud")
        gateway.await_effect(
            lambda: value(gateway, "tollhouse_configuration_reloads_total", result="failed") == 1, "a refused reload"
        )
        (refused,) = [line for line in lines(gateway) if line["level"] == "error"]
        assert "log_level" in refused["reason"]


def test_a_call_arrives_at_the_collector_as_spans(
    tmp_path: Path, simulated: SimulatedServer, collector: Collector
) -> None:
    tracing = {"otlp_endpoint": collector.url, "sampling_fraction": 1.0, "service_name": "front-door"}
    with RunningGateway(tmp_path, simulated.url, tracing=tracing) as gateway:
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        assert gateway.call("/v1/chat/completions", CHAT, headers=headers).status == 200
        gateway.await_effect(lambda: len(collector.spans) == 2, "two spans")
        (row,) = gateway.rows(1)
    call, attempt = sorted(collector.spans, key=lambda span: span.kind)
    assert (call.name, call.trace_id.hex(), call.parent_span_id.hex()) == ("chat gpt-5", TRACE, PARENT)
    assert attempt.parent_span_id == call.span_id
    said = attributes(call)
    assert said["tollhouse.invocation_id"] == row["invocation_id"]
    assert said["gen_ai.usage.output_tokens"] == row["attempts"][0]["usage"]["completion_tokens"]
    assert attributes(attempt)["server.address"] == "127.0.0.1"
    assert collector.services == {"front-door"}


def test_all_that_is_logged_is_json_lines_without_secrets(tmp_path: Path, simulated: SimulatedServer) -> None:
    with RunningGateway(tmp_path, simulated.url, workers=2, log_level="debug") as gateway:
        assert gateway.call("/v1/chat/completions", CHAT).status == 200
        assert gateway.call("/nowhere").status == 404
        key = gateway.key
    said = lines(gateway)
    assert {"time", "level", "logger", "event"} <= set.intersection(*(set(line) for line in said))
    assert "uvicorn.error" in {line["logger"] for line in said}
    text = (gateway.folder / "gateway.log").read_text()
    assert key not in text
    assert PROVIDER_KEY not in text
    assert "Hello" not in text
