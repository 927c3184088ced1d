"""Live calls: the official SDKs, a gateway and simulated providers, all of them for a few seconds."""

import gc
import signal
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path

from tollhouse.demo.live_callers import Keys, make_keys
from tollhouse.demo.live_calls import KINDS, Kind
from tollhouse.demo.live_sdks import Clients, all_clients, failures, load_sdks, refusals
from tollhouse.demo.live_servers import gateway, ledger, simulated_providers
from tollhouse.demo.live_settings import write_gateway
from tollhouse.demo.staging import Live, demo_settings
from tollhouse.errors import LakeError
from tollhouse.settings import FILE_NAME

_THREADS = 2  # more only wait for the interpreter's lock
_STEP = 37  # prime to 100, so that kinds are mixed and none is left out of many calls
_TOPICS = ("the delivery terms", "a late invoice", "our returns policy", "the audit's findings", "next year's budget")


@contextmanager
def sdk_process() -> Generator[ProcessPoolExecutor]:
    """A process for ``send_live`` that loads the SDKs at once, which takes as long as half of the calls."""
    process = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin)
    try:
        process.submit(load_sdks)
        yield process
    finally:
        process.shutdown(wait=False)


def _begin() -> None:
    gc.disable()  # loading makes no garbage, and to look for it took a sixth of the time
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for `send_live`, which has servers to end


def send_live(folder: Path, calls: int) -> Live:
    """Send ``calls`` calls through the gateway of the demo in ``folder`` and count them on both sides.

    Raises SettingsError where a server does not start, LakeError where a call ends otherwise than it must.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with simulated_providers(folder) as upstream:
        write_gateway(folder / FILE_NAME, upstream)
        keys = make_keys(demo_settings(folder))
        with gateway(folder / FILE_NAME) as url:
            begun = datetime.now(UTC)
            refused = _send(url, keys, calls)
            seen = ledger(upstream)
        ended = datetime.now(UTC)
    return Live(
        begun=begun,
        ended=ended,
        upstream=upstream,
        calls=calls,
        refused=refused,
        attempts=seen["calls"],
        input_tokens=seen["input_tokens"],
        output_tokens=seen["output_tokens"],
    )


def kinds(calls: int) -> list[Kind]:
    """The kind of each call, by the kinds' shares."""
    hundred = [kind for kind in KINDS for _ in range(kind.share)]
    mixed = [hundred[place * _STEP % len(hundred)] for place in range(len(hundred))]
    return list(islice(cycle(mixed), calls))


def _send(url: str, keys: Keys, calls: int) -> int:
    """How many of the calls were refused."""
    with ExitStack() as stack:
        callers = all_clients(stack, url, keys)
        with ThreadPoolExecutor(_THREADS) as threads:
            asked = [
                threads.submit(_ask, kind, callers[number % len(callers)], number)
                for number, kind in enumerate(kinds(calls))
            ]
            ends = Counter(one.result() for one in asked)
    return ends["refused"]


def _ask(kind: Kind, caller: Clients, number: int) -> str:
    text = f"Question {number}: what is there to know about {_TOPICS[number % len(_TOPICS)]}?"
    end, said = "answered", ""
    try:
        kind.ask(caller, text)
    except refusals() as refusal:
        end, said = "refused", str(refusal)
    except failures() as failure:
        raise LakeError(f"live call {number} got no answer: {failure}") from failure
    if end != kind.expected:
        raise LakeError(f"live call {number} was {end}, not {kind.expected} {said}".rstrip())
    return end
