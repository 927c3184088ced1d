"""What a change of the configuration does to a call through a running gateway."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from parallel_calls import chat
from running_gateway import RunningGateway


def served(*destinations: str | dict[str, Any], **keys: Any) -> dict[str, Any]:
    """An endpoint with these destinations, a provider's name for each; ``openai`` where none is named."""
    named = [{"provider": each} if isinstance(each, str) else each for each in destinations or ("openai",)]
    return {"destinations": named, **keys}


def row_of(gateway: RunningGateway, model: str, **how: Any) -> dict[str, Any]:
    """The row of a call for this model."""
    answer = chat(gateway, model, **how)
    number = answer.headers["x-tollhouse-invocation-id"]
    return next(row for row in gateway.records("OUTCOME", number) if row["invocation_id"] == number)


@contextmanager
def changed(gateway: RunningGateway, **change: Any) -> Generator[None]:
    """The gateway runs with ``change`` until the block ends."""
    before = dict(gateway.document)
    _reload(gateway, **change)
    try:
        yield
    finally:
        gateway.document = before
        _reload(gateway)


def _reload(gateway: RunningGateway, **change: Any) -> None:
    before = gateway.admin("/readyz").json["config_hash"]
    gateway.write_settings(**change)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.await_effect(lambda: gateway.admin("/readyz").json["config_hash"] != before, f"{change} in force")
