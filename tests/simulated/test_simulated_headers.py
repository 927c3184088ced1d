"""Headers that an answer cannot have."""

import json
from urllib.error import HTTPError

import pytest
from bare_http import CHAT, OPENAI, Received, sent
from simulated_server import SimulatedServer


def chat(server: SimulatedServer, behaviour: str) -> Received:
    return sent(server.url, "/v1/chat/completions", OPENAI | {"x-simulated": behaviour}, CHAT)


@pytest.mark.parametrize("behaviour", ["header=x-a: %E2%98%83", "status=429; retry_after=%E2%98%83"])
def test_a_header_beyond_latin_1_is_refused(simulated: SimulatedServer, behaviour: str) -> None:
    answer = chat(simulated, behaviour)

    assert answer.status == 400
    assert "'\N{SNOWMAN}'" in answer.json()["error"]["message"]
    assert chat(simulated, "header=x-a: k%C3%A4se").headers["x-a"] == "käse"


def test_a_recorded_answer_with_a_header_beyond_latin_1_is_refused(simulated: SimulatedServer) -> None:
    with pytest.raises(HTTPError) as refused:
        simulated.answer(b"{}", headers=[("x-a", "käse"), ("x-b", "\N{SNOWMAN}")])

    with refused.value as answer:
        assert answer.code == 400
        assert "x-b: \N{SNOWMAN}" in json.load(answer)["error"]
    assert simulated.ask("GET", "/-/behaviours") == []
