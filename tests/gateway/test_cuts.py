"""A stream of at least 60 events that ends after each of them, by the provider's doing or the client's."""

import asyncio
import itertools
import json
from collections.abc import Generator
from typing import Any, NamedTuple

import pytest
from cut_streams import Got, Recorded, StreamingClient, assembled_text, record, text_of
from gateway_cases import Spoken, body_of, error_words, path_of, stream_events, usage_source
from running_gateway import RunningGateway, endpoints
from simulated_server import SimulatedServer

AT_ONCE = 16
RUNS = itertools.count()
PREFIXES = {"openai_chat": "gpt", "openai_responses": "resp", "anthropic_messages": "claude", "gemini": "gemini"}
# What makes a stream whole, and what makes its client leave an answer that has succeeded.
WHOLE = {
    "openai_chat": b'"finish_reason":"stop"',
    "openai_responses": b"event: response.completed",
    "anthropic_messages": b"event: message_stop",
    "gemini": b'"finishReason"',
}
TERMINAL = {**WHOLE, "openai_chat": b"data: [DONE]"}


class Stream(NamedTuple):
    """What is asked for and how: ``is_array`` is Gemini's other form of a stream."""

    spoken: Spoken
    is_array: bool = False

    def __str__(self) -> str:
        return f"{self.spoken.caller} from {self.spoken.provider}{' as an array' if self.is_array else ''}"


STREAMS = [
    *(Stream(Spoken.of(wire)) for wire in PREFIXES),
    Stream(Spoken.of("gemini"), is_array=True),
    Stream(Spoken.of("openai_chat to anthropic_messages")),
]


@pytest.fixture(scope="module")
def upstream() -> Generator[SimulatedServer]:
    with SimulatedServer() as server:
        yield server


@pytest.fixture(scope="module")
def cutting(tmp_path_factory: pytest.TempPathFactory, upstream: SimulatedServer) -> Generator[RunningGateway]:
    patient = {"retries": {"attempts": 0}, "cooldown": {"seconds": 0}}
    served = {name: {**endpoint, **patient} for name, endpoint in endpoints().items()}
    with RunningGateway(tmp_path_factory.mktemp("cuts"), upstream.url, endpoints=served) as running:
        yield running


class Bench:
    """Calls whose stream ends after an event of one's choice."""

    def __init__(self, gateway: RunningGateway, simulated: SimulatedServer, stream: Stream) -> None:
        self.gateway = gateway
        self.simulated = simulated
        self.stream = stream
        self.recorded: Recorded = record(simulated, stream.spoken.provider, is_array=stream.is_array)
        assert len(self.recorded.events) >= 60
        self.client = StreamingClient(gateway.url, gateway.key)
        self.run = next(RUNS)

    def first(self, marks: dict[str, bytes]) -> int:
        """How many events there are up to and with the first one that has the protocol's mark."""
        mark = marks[self.stream.spoken.provider]
        return next(number for number, event in enumerate(self.recorded.events, 1) if mark in event)

    def whole(self, count: int) -> bytes:
        """The first events as the provider sends them."""
        return b"".join(self.recorded.events[:count])

    def arrived(self, body: bytes) -> int:
        """How many of the provider's events the body begins with."""
        counts = range(len(self.recorded.events), -1, -1)
        return next(count for count in counts if body.startswith(self.whole(count)))

    def calls(self, behaviour: str, counts: list[int], leaves: dict[int, int]) -> dict[int, Got]:
        """A call for each count, several at once; those in ``leaves`` go away after so many bytes of the answer."""
        for count in counts:
            self.simulated.answer(
                self.whole(len(self.recorded.events)),
                headers=[("content-type", self.recorded.content_type)],
                chunks=self.recorded.sizes,
                behaviour=f"{behaviour}=after:{count}",
                model=self.model(behaviour, count),
            )
        return asyncio.run(self._calls(behaviour, counts, leaves))

    async def _calls(self, behaviour: str, counts: list[int], leaves: dict[int, int]) -> dict[int, Got]:
        free = asyncio.Semaphore(AT_ONCE)

        async def call(count: int) -> Got:
            async with free:
                return await self._call(behaviour, count, leaves.get(count))

        return dict(zip(counts, await asyncio.gather(*map(call, counts)), strict=True))

    async def _call(self, behaviour: str, count: int, leave_after: int | None) -> Got:
        caller = self.stream.spoken.caller
        model = self.model(behaviour, count)
        body: dict[str, Any] = body_of(caller, model, is_stream=True)
        if caller == "openai_chat":
            body["stream_options"] = {"include_usage": True}
        path = path_of(caller, model, is_stream=True, is_array=self.stream.is_array)
        headers = {"x-request-id": model, "anthropic-version": "2023-06-01"} if caller == "anthropic_messages" else {}
        return await self.client.call(path, body, {"x-request-id": model, **headers}, leave_after)

    def model(self, behaviour: str, count: int) -> str:
        """A name of its own for each call, by which the provider knows what to do and the row is found."""
        kind = str(self.stream).replace(" ", "-")
        return f"{PREFIXES[self.stream.spoken.provider]}-{kind}-{behaviour}-{self.run}-{count}"

    def rows(self, behaviour: str, counts: list[int]) -> dict[int, dict[str, Any]]:
        """The one row of each call."""
        wanted = {self.model(behaviour, count): count for count in counts}
        found: dict[int, dict[str, Any]] = {}

        def have_come() -> bool:
            found.clear()
            for row in self.gateway.records("OUTCOME"):
                if row["request_id"] in wanted:
                    assert wanted[row["request_id"]] not in found, "a call has two rows"
                    found[wanted[row["request_id"]]] = row
            return len(found) == len(wanted)

        self.gateway.await_effect(have_come, "a row for each call")
        return found


def check_upstream_cuts(bench: Bench, behaviour: str, step: int) -> None:
    counts = list(range(0, len(bench.recorded.events) + 1, step))
    got = bench.calls(behaviour, counts, {})
    rows = bench.rows(behaviour, counts)
    for count in counts:
        if got[count].status == 200:
            check_broken_stream(bench, behaviour, count, got[count], rows[count])
        else:
            assert not count or behaviour == "reset"
            check_no_stream(bench.stream.spoken.caller, got[count], rows[count])


def check_no_stream(caller: str, got: Got, row: dict[str, Any]) -> None:
    assert (got.status, row["outcome"], row["status_code"]) == (502, "failed", 502)
    assert error_words(caller, json.loads(got.body))
    assert usage_source(row) == "estimated"


def check_broken_stream(bench: Bench, behaviour: str, count: int, got: Got, row: dict[str, Any]) -> None:
    """After a clean end the client has every event; a reset may overtake some, as TCP has it."""
    caller, provider = bench.stream.spoken
    is_reset = behaviour == "reset"
    sent = bench.whole(count)
    text = text_of(caller, got.body)
    if caller != provider:
        is_whole = b"[DONE]" in got.body
        assert text_of(provider, sent).startswith(text) if is_reset else text == text_of(provider, sent)
    else:
        arrived = bench.arrived(got.body)
        assert arrived <= count if is_reset else arrived == count
        is_whole = arrived >= bench.first(TERMINAL if is_reset else WHOLE)
        assert text == text_of(provider, bench.whole(arrived))
        assert not is_whole or got.body == bench.whole(arrived)
    assert (row["outcome"], row["status_code"]) == ("completed" if is_whole else "cut", 200), count
    assert row["response_bytes"] == len(got.body)
    if not is_whole:
        assert row["error_code"] == "upstream_cut"
        assert error_words(caller, stream_events(got.body)[-1])
    check_log(caller, row, got.body)


def check_log(caller: str, row: dict[str, Any], body: bytes) -> None:
    """The row holds the text that the client got, and counts tokens by the provider or by an estimate."""
    text = text_of(caller, body)
    assert assembled_text(caller, row["response_body"].encode()) == text if text else True
    assert usage_source(row) in ("provider", "partial", "estimated")
    assert usage_source(row) == "provider" or row["outcome"] != "completed" or caller == "openai_chat"


def check_client_cuts(bench: Bench, step: int) -> None:
    """The provider goes on to hang, so that the client has all that will come when it leaves."""
    terminal = bench.first(TERMINAL)
    counts = list(range(1, len(bench.recorded.events) + 1, step))
    is_translated = bench.stream.spoken.caller != bench.stream.spoken.provider
    leaves = {count: 1 if is_translated else len(bench.whole(count)) for count in counts if count < terminal}
    got = bench.calls("hang", counts, leaves)
    rows = bench.rows("hang", counts)
    for count in counts:
        row, caller = rows[count], bench.stream.spoken.caller
        if count < terminal:
            assert (row["outcome"], row["status_code"]) == ("cancelled", 499), count
            assert row["error_code"] == "client_disconnected"
            assert is_translated or got[count].body == bench.whole(count)
        else:
            assert (row["outcome"], row["status_code"]) == ("completed", 200), count
        if not is_translated:
            check_log(caller, row, got[count].body)


@pytest.mark.parametrize("behaviour", ["cut", "reset"])
@pytest.mark.parametrize("stream", STREAMS, ids=str)
def test_a_provider_that_breaks_off_after_any_seventh_event_leaves_one_true_row(
    cutting: RunningGateway, upstream: SimulatedServer, stream: Stream, behaviour: str
) -> None:
    check_upstream_cuts(Bench(cutting, upstream, stream), behaviour, 7)


@pytest.mark.parametrize("stream", STREAMS, ids=str)
def test_a_client_that_leaves_after_any_seventh_event_leaves_one_true_row(
    cutting: RunningGateway, upstream: SimulatedServer, stream: Stream
) -> None:
    check_client_cuts(Bench(cutting, upstream, stream), 7)


@pytest.mark.proof
@pytest.mark.parametrize("behaviour", ["cut", "reset"])
@pytest.mark.parametrize("stream", STREAMS, ids=str)
def test_a_provider_that_breaks_off_after_any_event_leaves_one_true_row(
    cutting: RunningGateway, upstream: SimulatedServer, stream: Stream, behaviour: str
) -> None:
    check_upstream_cuts(Bench(cutting, upstream, stream), behaviour, 1)


@pytest.mark.proof
@pytest.mark.parametrize("stream", STREAMS, ids=str)
def test_a_client_that_leaves_after_any_event_leaves_one_true_row(
    cutting: RunningGateway, upstream: SimulatedServer, stream: Stream
) -> None:
    check_client_cuts(Bench(cutting, upstream, stream), 1)
