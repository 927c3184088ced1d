"""Many calls of a gateway at once, from a thread each."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from running_gateway import Answer, RunningGateway

_T = TypeVar("_T")
HELLO = [{"role": "user", "content": "hello"}]
CHAT = "/v1/chat/completions"


def all_at_once(work: Callable[[Any], _T], values: Iterable[Any], threads: int = 32) -> list[_T]:
    """What ``work`` returns for each value, in their order."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, values))


def chat(
    gateway: RunningGateway,
    model: str = "gpt-5.5",
    *,
    simulated: str = "",
    headers: Mapping[str, str] | None = None,
    key: str | None = None,
    **body: Any,
) -> Answer:
    """A chat call; ``simulated`` is how the provider behaves."""
    sent = {**({"x-simulated": simulated} if simulated else {}), **(headers or {})}
    return gateway.call(CHAT, {"model": model, "messages": HELLO, **body}, headers=sent, key=key)


def slot_of(gateway: RunningGateway, answer: Answer) -> str:
    """The slot of the worker that gave this answer."""
    number = answer.headers["x-tollhouse-invocation-id"]
    found: list[str] = []

    def is_there() -> bool:
        found[:] = [row["slot"] for row in gateway.records("OUTCOME") if row["invocation_id"] == number]
        return bool(found)

    gateway.await_effect(is_there, f"the row of {number}")
    return found[0]


def through_both_workers(gateway: RunningGateway, work: Callable[[], Answer]) -> list[Answer]:
    """Answers of which each of two workers gave at least one: calls go out at once until it is so."""
    answers: list[Answer] = []

    def have_both() -> bool:
        answers.extend(all_at_once(lambda _: work(), range(16), 16))
        numbers = {answer.headers["x-tollhouse-invocation-id"] for answer in answers}
        rows = [row for row in gateway.records("OUTCOME") if row["invocation_id"] in numbers]
        return len({row["slot"] for row in rows}) == 2

    gateway.await_effect(have_both, "calls that both workers served")
    return answers
