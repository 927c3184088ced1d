import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from finished_calls import attempt, finished
from prometheus_client.parser import text_string_to_metric_families

from tollhouse.gateway.operations.metrics import Metrics
from tollhouse.gateway.operations.series import Bounded, Files, Histogram

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: bytes) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def counted(folder: Path, act: Callable[[Metrics], None]) -> Samples:
    """What the exposition says after ``act``."""

    async def main() -> bytes:
        metrics = Metrics(folder)
        act(metrics)
        metrics.flush()
        text = metrics.exposition()
        metrics.close()
        return text

    return samples(asyncio.run(main()))


def test_a_call_counts_once_in_everything_it_had(tmp_path: Path) -> None:
    def act(metrics: Metrics) -> None:
        metrics.call_began()
        metrics.call_began()
        metrics.call_ended(finished(translation_losses=["seed", "user"]), redactions=3)

    found = counted(tmp_path, act)
    call = {"endpoint": "chat", "api_type": "openai/v1/chat/completions", "status": "200", "outcome": "completed"}
    tokens = {"endpoint": "chat", "provider": "openai"}
    upstream = {"destination": "openai-main", "provider": "openai"}
    assert found[key("tollhouse_calls_total", **call)] == 1
    assert found[key("tollhouse_attempts_total", **upstream, status="200", error_code="none")] == 1
    assert found[key("tollhouse_tokens_total", **tokens, direction="input")] == 500
    assert found[key("tollhouse_tokens_total", **tokens, direction="output")] == 150
    assert found[key("tollhouse_tokens_total", **tokens, direction="cache_read")] == 300
    assert found[key("tollhouse_translation_losses_total", endpoint="chat")] == 2
    assert found[key("tollhouse_redactions_total", endpoint="chat")] == 3
    assert found[key("tollhouse_open_calls")] == 1
    assert found[key("tollhouse_call_seconds_sum", endpoint="chat")] == pytest.approx(0.903)
    assert found[key("tollhouse_call_seconds_bucket", endpoint="chat", le="0.5")] == 0
    assert found[key("tollhouse_call_seconds_bucket", endpoint="chat", le="1.0")] == 1
    assert found[key("tollhouse_call_seconds_count", endpoint="chat")] == 1
    assert found[key("tollhouse_time_to_first_byte_seconds_count", endpoint="chat")] == 1
    assert found[key("tollhouse_gateway_overhead_seconds_bucket", endpoint="chat", le="0.003")] == 1
    assert found[key("tollhouse_gateway_overhead_seconds_bucket", endpoint="chat", le="0.002")] == 0


def test_each_attempt_counts_with_its_own_end(tmp_path: Path) -> None:
    failed = attempt(status_code=None, error_code="connect", usage=msgspec.UNSET, usage_format=None)
    found = counted(tmp_path, lambda metrics: metrics.call_ended(finished(failed, attempt(attempt_number=2))))
    upstream = {"destination": "openai-main", "provider": "openai"}
    assert found[key("tollhouse_attempts_total", **upstream, status="none", error_code="connect")] == 1
    assert found[key("tollhouse_attempts_total", **upstream, status="200", error_code="none")] == 1


def test_a_refusal_counts_by_its_code(tmp_path: Path) -> None:
    def act(metrics: Metrics) -> None:
        for status, code in ((401, "revoked_api_key"), (404, "model_not_found")):
            metrics.call_ended(finished(outcome="rejected", status_code=status, error_code=code, endpoint_name=None))

    found = counted(tmp_path, act)
    refusals = {labels for name, labels in found if name == "tollhouse_refusals_total"}
    codes = {frozenset({("error_code", code)}) for code in ("revoked_api_key", "model_not_found")}
    assert refusals == codes
    assert found[
        key(
            "tollhouse_calls_total",
            endpoint="none",
            api_type="openai/v1/chat/completions",
            status="404",
            outcome="rejected",
        )
    ]


def test_what_others_write_makes_no_series_without_end(tmp_path: Path) -> None:
    def act(metrics: Metrics) -> None:
        for number in range(300):
            failed = attempt(destination_model=f"m{number}", error_code=f"e{number}")
            metrics.call_ended(finished(failed, requested_model=f"r{number}"))

    found = counted(tmp_path, act)
    codes = {dict(labels)["error_code"] for name, labels in found if name == "tollhouse_attempts_total"}
    assert len(codes) == 201
    upstream = {"destination": "openai-main", "provider": "openai", "status": "200"}
    assert found[key("tollhouse_attempts_total", **upstream, error_code="other")] == 100
    assert not any(name in str(labels) for _, labels in found for name in ("r299", "m299"))


def test_what_was_paid_for_before_counts_no_tokens_again(tmp_path: Path) -> None:
    found = counted(tmp_path, lambda metrics: metrics.call_ended(finished(attempt(is_not_billable=True))))
    assert not [name for name, _ in found if name.startswith("tollhouse_tokens")]


def test_without_a_shared_folder_a_process_shows_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)

    async def main() -> bytes:
        metrics = Metrics()
        metrics.call_began()
        metrics.flush()
        text = metrics.exposition()
        metrics.close()
        return text

    assert samples(asyncio.run(main()))[key("tollhouse_open_calls")] == 1


def test_a_label_takes_only_so_many_values() -> None:
    bounded = Bounded(2)
    assert [bounded(value) for value in ("a", "b", "c", "a", "d")] == ["a", "b", "other", "a", "other"]
    assert Bounded(2)("x" * 65) == "other"


@dataclass
class Spool:
    failed_appends: int = 0
    dropped_records: int = 0


def test_the_spools_losses_and_reloads_are_shown(tmp_path: Path) -> None:
    spool = Spool()

    def act(metrics: Metrics) -> None:
        metrics.watch(spool)
        spool.failed_appends, spool.dropped_records = 5, 2
        metrics.configuration_reloaded(is_ok=True)
        metrics.configuration_reloaded(is_ok=False)

    found = counted(tmp_path, act)
    assert found[key("tollhouse_spool_append_errors_total")] == 5
    assert found[key("tollhouse_spool_dropped_records_total")] == 2
    assert found[key("tollhouse_configuration_reloads_total", result="ok")] == 1
    assert found[key("tollhouse_configuration_reloads_total", result="failed")] == 1


def test_what_a_call_adds_is_soon_in_the_files(tmp_path: Path) -> None:
    async def main() -> None:
        metrics, onlooker = Metrics(tmp_path), Files(tmp_path)
        metrics.call_began()
        metrics.call_ended(finished())
        async with asyncio.timeout(10):
            while b"tollhouse_calls_total{" not in onlooker.exposition():
                await asyncio.sleep(0.05)
        metrics.close()

    asyncio.run(main())


WORKER = """
import asyncio, sys
from pathlib import Path
from finished_calls import finished
from tollhouse.gateway.operations.metrics import Metrics

async def main():
    metrics = Metrics(Path(sys.argv[1]))
    for _ in range(3):
        metrics.call_began()
    metrics.call_ended(finished())
    metrics.flush()
    print("counted", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


def test_workers_are_summed_and_the_dead_hold_no_calls_open(tmp_path: Path) -> None:
    calls = key(
        "tollhouse_calls_total",
        endpoint="chat",
        api_type="openai/v1/chat/completions",
        status="200",
        outcome="completed",
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        for _ in range(2)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"counted\n"
        found = counted(tmp_path, lambda metrics: metrics.call_began())
        assert (found[calls], found[key("tollhouse_open_calls")]) == (2, 5)
        workers[0].kill()
        workers[0].wait()
        found = counted(tmp_path, lambda metrics: metrics.call_began())
        assert (found[calls], found[key("tollhouse_open_calls")]) == (2, 3)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def test_a_worker_with_the_number_of_an_earlier_one_counts_on(tmp_path: Path) -> None:
    for calls in (1, 2):
        found = counted(tmp_path, lambda metrics: metrics.call_ended(finished()))
        assert found[key("tollhouse_call_seconds_count", endpoint="chat")] == calls


def test_a_histograms_buckets_end_where_they_say(tmp_path: Path) -> None:
    histogram, files = Histogram("seconds", "Seconds.", ("of",), (1, 2)), Files(tmp_path)
    for value in (0.5, 1, 1.5, 2, 3):
        histogram.observe(("x",), value)
    files.write([histogram])
    found = samples(files.exposition())
    assert [found[key("seconds_bucket", of="x", le=end)] for end in ("1.0", "2.0", "+Inf")] == [2, 4, 5]
    assert found[key("seconds_sum", of="x")] == 8
    files.close()


def test_every_metric_stands_in_the_documentation(tmp_path: Path) -> None:
    def act(metrics: Metrics) -> None:
        metrics.watch(Spool(1, 1))
        metrics.configuration_reloaded(is_ok=True)
        metrics.call_ended(finished(outcome="rejected", error_code="x", translation_losses=["seed"]), redactions=1)

    page = (Path(__file__).parents[3] / "docs" / "gateway-operations.md").read_text()
    names = {name.removesuffix(end) for name, _ in counted(tmp_path, act) for end in ("_bucket",) if name.endswith(end)}
    names |= {name for name, _ in counted(tmp_path, act) if not name.endswith(("_bucket", "_sum", "_count"))}
    assert len(names) == 13
    assert [name for name in sorted(names) if f"| `{name}` |" not in page] == []
