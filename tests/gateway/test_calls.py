"""Calls through a running gateway: what the client gets, what the provider got, what the log says."""

import json

from running_gateway import RunningGateway
from simulated_server import SimulatedServer

HELLO = [{"role": "user", "content": "hello"}]


def test_a_chat_call_is_one_row_with_the_providers_usage(gateway: RunningGateway, simulated: SimulatedServer) -> None:
    answer = gateway.call("/v1/chat/completions", {"model": "gpt-5.5", "messages": HELLO})
    row = next(row for row in gateway.rows() if row["invocation_id"] == answer.headers["x-tollhouse-invocation-id"])
    assert answer.status == 200
    assert json.loads(row["response_body"]) == answer.json
    assert row["attempts"][0]["usage"] == answer.json["usage"] == simulated.ledger()[-1]["usage"]
    assert (row["outcome"], row["status_code"], row["requester"], row["team"]) == (
        "completed",
        200,
        "tester",
        "quality",
    )
