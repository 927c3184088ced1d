"""Scenarios of docs/errors.md that the provider makes: one function for each case of the table."""

import json
from typing import Any

from gateway_cases import Bench, Seen, Spoken
from request_scenarios import scenario

HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
CLOSED_PORT_URL = "http://127.0.0.1:9"
_JSON = (("content-type", "application/json"),)


def behaving(case: str, behaviour: str, **asked: Any) -> None:
    """A scenario that is one call to a provider which behaves so."""

    def run(bench: Bench, spoken: Spoken) -> Seen:
        bench.simulated.behave(behaviour)
        return Seen(bench.ask(spoken, **asked))

    scenario(case)(run)


def whole_and_stream(case: str, behaviour: str, **asked: Any) -> None:
    """The same for a whole answer and for a stream."""
    behaving(case, behaviour, **asked)
    behaving(f"{case}, stream", behaviour, stream=True, **asked)


_STREAM = "text=one%20two%20three%20four; events=4"


def provider_error(wire: str, status: int) -> bytes:
    """An error as the provider of this protocol writes it, in a spelling that nobody else would use."""
    message = f"the provider says {status}"
    if wire == "anthropic_messages":
        said: dict[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": message}}
    elif wire == "gemini":
        said = {"error": {"code": status, "message": message, "status": "RESOURCE_EXHAUSTED"}}
    else:
        said = {"error": {"message": message, "type": "requests", "param": None, "code": "slow_down"}}
    return json.dumps(said, indent=1).encode()


def failing(case: str, status: int, *, headers: tuple[tuple[str, str], ...] = (), body: bytes | None = None) -> None:
    """A scenario of a provider that answers with an error status."""

    def run(bench: Bench, spoken: Spoken) -> Seen:
        said = provider_error(spoken.provider, status) if body is None else body
        content = (("content-type", "text/html"),) if body == HTML else _JSON
        bench.simulated.answer(said, status=status, headers=(*content, *headers))
        answer = bench.ask(spoken)
        for name, value in headers:
            assert answer.headers[name] == value
        return Seen(answer, said)

    scenario(case)(run)


failing("provider answers 400", 400)
failing("provider answers 401", 401)
failing("provider answers 429", 429, headers=(("retry-after", "7"),))
failing("provider answers 500", 500)
failing("provider answers 529", 529)
failing("provider answers 502 in HTML", 502, body=HTML)

behaving("provider redirects", "status=307; header=location:https://elsewhere.invalid/")
behaving("provider answers 503 without a body", "status=503; error_body=empty")
behaving("provider answers 500 with a body of a megabyte", "status=500; error_body=huge")
whole_and_stream("provider not reachable", "", prefix="gone-")
whole_and_stream("provider hangs before its answer", "hang=head", prefix="hasty-")
behaving("provider hangs in its answer", "hang=body", prefix="hasty-")
behaving("provider hangs in its stream", f"{_STREAM}; hang=after:2", prefix="hasty-", stream=True)
whole_and_stream("provider resets before its answer", "reset=head")
behaving("provider resets in its answer", "reset=body")
behaving("provider resets in its stream", f"{_STREAM}; reset=after:2", stream=True)
whole_and_stream("provider's head is not HTTP", "garbage=head")


@scenario("provider's answer is not JSON")
def an_answer_that_is_not_json(bench: Bench, spoken: Spoken) -> Seen:
    bench.simulated.answer(b"\xff\xfe\x00{not json\xc3")
    return Seen(bench.ask(spoken))


behaving("event that is not JSON", f"{_STREAM}; garbage=event", stream=True)
behaving("endless line in an answer", "endless_line=17000000")
behaving("endless line in a stream", f"{_STREAM}; endless_line=17000000", stream=True)
behaving("error inside a 200 stream", f"{_STREAM}; error_event=after:2", stream=True)
behaving("error as a stream's first event", f"{_STREAM}; error_event=after:0", stream=True)
behaving("no terminal event", f"{_STREAM}; no_terminal", stream=True)
behaving("stream ends early", f"{_STREAM}; cut=after:2", stream=True)
behaving("stream ends before its first event", "cut=after:0", stream=True)
whole_and_stream("content length too small", "wrong_length")
whole_and_stream("content length too great", "truncate")
whole_and_stream("answer gzipped though not asked for", "gzip")
behaving("answer without usage", "usage=absent")
behaving("stream without usage", f"{_STREAM}; usage=absent", stream=True)
behaving("slow stream", "events=12; event_ms=60", prefix="hasty-", stream=True)
behaving("answer larger than is kept", "answer_bytes=3000000")
behaving("answer larger than is logged", "answer_bytes=1500000")
behaving("stream larger than is logged", "events=15; event_bytes=100000", stream=True)


@scenario("answer of another kind than asked for")
def a_stream_was_asked_for_and_json_came(bench: Bench, spoken: Spoken) -> Seen:
    said = json.dumps({"note": "no stream"}).encode()
    bench.simulated.answer(said)
    return Seen(bench.ask(spoken, stream=True), said)
