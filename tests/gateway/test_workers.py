"""Two workers behave as one gateway: what one of them knows the other one knows too."""

import json
import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from parallel_calls import HELLO, chat, slot_of, through_both_workers
from running_gateway import Answer, RunningGateway
from simulated_server import SimulatedServer

RESPONSES = "/v1/responses"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer) -> Generator[RunningGateway]:
    with RunningGateway(tmp_path_factory.mktemp("pair"), simulated.url, workers=2) as running:
        running.await_effect(lambda: len(running.workers()) == 2, "two workers")
        yield running


def statuses(answers: list[Answer]) -> set[int]:
    return {answer.status for answer in answers}


def respond(gateway: RunningGateway, *, simulated: str = "", key: str | None = None, **body: Any) -> Answer:
    headers = {"x-simulated": simulated} if simulated else {}
    body = {"model": "resp-5.5", "input": "hello", **body}
    return gateway.call(RESPONSES, body, headers=headers, key=key)


@pytest.mark.changes("gateway.workers")
def test_so_many_processes_serve_calls(pair: RunningGateway, gateway: RunningGateway) -> None:
    slots = {slot_of(pair, answer) for answer in through_both_workers(pair, lambda: chat(pair))}
    assert (len(pair.workers()), len(slots)) == (2, 2)
    assert gateway.workers() == [gateway.process.pid]


def test_a_revoked_key_is_refused_by_both_workers(pair: RunningGateway) -> None:
    key = pair.make_key("leaver")
    body = {"model": "gpt-5.5", "messages": HELLO}

    def call() -> Answer:
        return pair.call("/v1/chat/completions", body, key=key)

    pair.await_effect(lambda: statuses(through_both_workers(pair, call)) == {200}, "both workers know the key")
    with pair.store() as store:
        store.delete_principal("leaver")
    pair.await_effect(lambda: statuses(through_both_workers(pair, call)) == {401}, "both workers refuse the key")


def test_a_reload_takes_effect_in_both_workers(pair: RunningGateway) -> None:
    assert statuses(through_both_workers(pair, lambda: chat(pair, "new-model"))) == {404}
    known = pair.document["endpoints"]
    pair.write_settings(endpoints={**known, "new-model": {"destinations": [{"provider": "openai"}]}})
    pair.await_effect(
        lambda: statuses(through_both_workers(pair, lambda: chat(pair, "new-model"))) == {200},
        "both workers serve the new endpoint",
    )


def test_sighup_has_both_workers_read_the_settings_again_and_go_on(pair: RunningGateway) -> None:
    known = pair.document["endpoints"]
    pair.write_settings(endpoints={**known, "hung-x1": {"destinations": [{"provider": "openai"}]}})
    pair.await_effect(
        lambda: statuses(through_both_workers(pair, lambda: chat(pair, "hung-x1"))) == {200},
        "both workers serve the endpoint",
    )
    workers = pair.workers()
    replace_unnoticed(pair.settings_file, "hung-x1", "hung-x2")
    pair.process.send_signal(signal.SIGHUP)
    pair.await_effect(
        lambda: statuses(through_both_workers(pair, lambda: chat(pair, "hung-x2"))) == {200},
        "both workers serve what SIGHUP had them read",
    )
    assert pair.workers() == workers
    assert pair.process.poll() is None


def replace_unnoticed(file: Path, old: str, new: str) -> None:
    """Another text of the same length in a file that looks untouched."""
    before = file.stat()
    with file.open("r+") as changing:
        text = changing.read()
        changing.seek(0)
        changing.write(text.replace(old, new))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_settings_file_that_is_invalid_leaves_the_old_one_in_force(pair: RunningGateway) -> None:
    before = pair.admin("/readyz").json["config_hash"]
    valid = pair.settings_file.read_text()
    pair.settings_file.write_text("gateway: {providers: 7}\n")
    shown: dict[str, Any] = {}

    def both_say_so() -> bool:
        ready = pair.admin("/readyz").json
        shown[ready["spool_id"]] = (ready["is_ready"], "providers" in " ".join(ready["problems"]))
        return len(shown) == 2 and set(shown.values()) == {(True, True)}

    try:
        pair.await_effect(both_say_so, "both workers say what is wrong")
        assert statuses(through_both_workers(pair, lambda: chat(pair))) == {200}
        assert pair.admin("/readyz").json["config_hash"] == before
    finally:
        pair.settings_file.write_text(valid)
    pair.await_effect(lambda: not pair.admin("/readyz").json["problems"], "the valid file is in force again")


def test_a_stored_response_is_its_owners_through_the_other_worker_too(pair: RunningGateway) -> None:
    made = respond(pair)
    place = slot_of(pair, made)
    path = f"{RESPONSES}/{made.json['id']}"
    read = through_both_workers(pair, lambda: pair.call(path))
    assert statuses(read) == {200}
    assert {answer.json["id"] for answer in read} == {made.json["id"]}
    assert place in {slot_of(pair, answer) for answer in read}
    assert statuses(through_both_workers(pair, lambda: pair.call(f"{path}/input_items"))) == {200}
    following = through_both_workers(pair, lambda: respond(pair, previous_response_id=made.json["id"]))
    assert statuses(following) == {200}


def test_a_stored_response_is_nowhere_for_another_principal(pair: RunningGateway) -> None:
    made = respond(pair)
    number = made.json["id"]
    other = pair.make_key("stranger")
    pair.await_effect(
        lambda: statuses(through_both_workers(pair, lambda: respond(pair, key=other))) == {200},
        "both workers know the stranger's key",
    )
    path = f"{RESPONSES}/{number}"
    for method, where in [("GET", path), ("DELETE", path), ("POST", f"{path}/cancel"), ("GET", f"{path}/input_items")]:
        answers = through_both_workers(
            pair, lambda method=method, where=where: pair.call(where, method=method, key=other)
        )
        assert statuses(answers) == {404}, (method, where)
    chained = through_both_workers(pair, lambda: respond(pair, key=other, previous_response_id=number))
    assert statuses(chained) == {404}
    assert pair.call(path).status == 200


def test_a_deleted_response_is_gone_in_both_workers(pair: RunningGateway) -> None:
    path = f"{RESPONSES}/{respond(pair).json['id']}"
    assert pair.call(path, method="DELETE").status == 200
    assert statuses(through_both_workers(pair, lambda: pair.call(path))) == {404}


def test_a_background_response_is_billed_once_however_often_it_is_read(pair: RunningGateway) -> None:
    made = respond(pair, simulated="background_ms=300", background=True)
    assert made.json["status"] in {"queued", "in_progress"}
    path = f"{RESPONSES}/{made.json['id']}"
    pair.await_effect(lambda: pair.call(path).json["status"] == "completed", "the response is done")
    read = through_both_workers(pair, lambda: pair.call(path))
    assert statuses(read) == {200}
    rows = [row for row in pair.rows() if row.get("path") == path]
    with_usage = [attempt for row in rows for attempt in row["attempts"] if attempt.get("usage")]
    assert len([attempt for attempt in with_usage if not attempt.get("is_not_billable")]) == 1
    assert len(with_usage) > len(read)
    first = next(row for row in rows if row["attempts"][0].get("usage"))
    assert json.loads(first["response_body"])["usage"] == first["attempts"][0]["usage"]
