"""What the field tables say is what the halves do."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from whole_requests import REQUESTS

from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.translation.fields import TABLES, lose, losses, pattern, require_kind
from tollhouse.gateway.translation.halves import UntranslatableError
from tollhouse.gateway.translation.provider_limits import LIMITS, WORDS
from tollhouse.gateway.translation.registry import CALLERS
from tollhouse.gateway.wires import GenerativeWire

# Said elsewhere (by the path, or by the gateway's own reading of the head), or only a label of what stands beside it.
SAID_ELSEWHERE = {"model", "stream"}
LABELS = ("type", "index")

Place = tuple[str, dict[str, Any]]


def objects(content: Any, path: str = "") -> Iterator[Place]:
    """Every object of a request with its path."""
    if isinstance(content, dict):
        yield path, content
        for name, value in content.items():
            yield from objects(value, f"{path}.{name}" if path else name)
    elif isinstance(content, list):
        for item in content:
            yield from objects(item, f"{path}[]")


def read(wire: GenerativeWire, body: dict[str, Any]) -> Conversation:
    return CALLERS[wire].read_request(body, "m", is_stream=False)


def split(name: str) -> tuple[str, str]:
    """The path of the object, and its member."""
    path, _, member = name.rpartition(".")
    return path, member


def fields(treatment: str, *, kinds: bool) -> list[tuple[GenerativeWire, str]]:
    return [
        (wire, name)
        for wire, table in TABLES.items()
        for name, field in table.items()
        if field.treatment == treatment and ("=" in name) == kinds
    ]


def variants(wire: GenerativeWire, path: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Copies of the requests, each with one of its objects at ``path``, which may be changed."""
    for body in REQUESTS[wire]:
        for number in range(sum(found == path for found, _ in objects(body))):
            copied = msgspec.json.decode(msgspec.json.encode(body))
            yield copied, [content for found, content in objects(copied) if found == path][number]


@pytest.mark.parametrize(("wire", "body"), [(wire, body) for wire, bodies in REQUESTS.items() for body in bodies])
def test_a_request_of_mapped_fields_loses_nothing(wire: GenerativeWire, body: dict[str, Any]) -> None:
    assert read(wire, body).losses == []


@pytest.mark.parametrize(("wire", "name"), fields("mapped", kinds=False))
def test_a_mapped_field_makes_a_difference(wire: GenerativeWire, name: str) -> None:
    path, member = split(name)
    if name in SAID_ELSEWHERE or member in LABELS or member == "*":
        return
    outcomes = []
    for body, content in variants(wire, path):
        if member in content:
            before = read(wire, body)
            del content[member]
            try:
                outcomes.append(read(wire, body) != before)
            except UntranslatableError:
                outcomes.append(True)

    assert any(outcomes), f"{wire} does not read {name}, or no example holds it"


@pytest.mark.parametrize(("wire", "name"), fields("mapped", kinds=True))
def test_a_mapped_kind_is_read(wire: GenerativeWire, name: str) -> None:
    place, _, kind = name.partition("=")
    path, member = split(place)

    assert any(content.get(member) == kind for body in REQUESTS[wire] for at, content in objects(body) if at == path)


@pytest.mark.parametrize(("wire", "name"), fields("dropped", kinds=False))
def test_a_dropped_field_is_named_in_the_losses(wire: GenerativeWire, name: str) -> None:
    path, member = split(name)
    body, content = next(variants(wire, path))
    expected = read(wire, body)
    content[member] = ["something"]

    found = read(wire, body)

    assert found.losses == [name]
    expected.losses = found.losses
    assert found == expected


@pytest.mark.parametrize(("wire", "name"), fields("refused", kinds=False))
def test_a_refused_field_is_refused_by_its_name(wire: GenerativeWire, name: str) -> None:
    path, member = split(name)
    body, content = next(variants(wire, path))
    member = "somethingNew" if member == "*" else member
    content[member] = {"some": "thing"}

    with pytest.raises(UntranslatableError) as refusal:
        read(wire, body)

    assert pattern(refusal.value.field) == (f"{path}.{member}" if path else member)


@pytest.mark.parametrize(("wire", "name"), fields("refused", kinds=True))
def test_a_refused_kind_is_refused_by_its_name(wire: GenerativeWire, name: str) -> None:
    place, _, kind = name.partition("=")
    path, member = split(place)
    refusals = []
    for body, content in variants(wire, path):
        if member in content:
            content[member] = "something_new" if kind == "*" else kind
            refusals.append(refusal_of(wire, body))

    assert f"{place}={'something_new' if kind == '*' else kind}" in refusals


def refusal_of(wire: GenerativeWire, body: dict[str, Any]) -> str | None:
    try:
        read(wire, body)
    except UntranslatableError as refusal:
        return pattern(refusal.field)
    return None


@pytest.mark.parametrize("wire", TABLES)
def test_a_field_that_nobody_knows_is_dropped_and_named(wire: GenerativeWire) -> None:
    body = {**REQUESTS[wire][0], "brand_new_beta": {"type": "on"}}

    assert read(wire, body).losses == ["brand_new_beta"]


@pytest.mark.parametrize("value", [None, [], {}])
def test_a_member_that_says_nothing_passes(value: object) -> None:
    assert losses("openai_chat", {"audio": value, "metadata": value, "unheard_of": value}) == []


def test_neutral_values_pass() -> None:
    neutral = {"n": 1, "modalities": ["text"], "logprobs": False, "top_logprobs": 0, "store": False}

    assert losses("openai_chat", neutral) == []
    assert losses("openai_chat", {"store": True}) == ["store"]


def test_losses_have_no_indexes_and_refusals_do() -> None:
    assert losses("openai_chat", {"cache_control": 1}, "messages[3].content[0]") == [
        "messages[].content[].cache_control"
    ]
    with pytest.raises(UntranslatableError) as refusal:
        require_kind("openai_chat", "messages[3].content[0]", "type", "input_audio")
    assert refusal.value.field == "messages[3].content[0].type=input_audio"


def test_geminis_snake_case_is_its_camel_case() -> None:
    with pytest.raises(UntranslatableError) as refusal:
        losses("gemini", {"cached_content": "cachedContents/1"})
    assert refusal.value.field == "cached_content"


@pytest.mark.parametrize(
    ("caller", "word"), [("openai_chat", "top_k"), ("gemini", "generationConfig.topK"), (None, "top_k")]
)
def test_what_a_provider_has_no_place_for_is_named_in_the_callers_words(
    caller: GenerativeWire | None, word: str
) -> None:
    asked = Conversation(caller=caller, model="m", turns=[])

    lose(asked, "openai_chat", "top_k")
    lose(asked, "openai_chat", "top_k")

    assert asked.losses == [word]


def test_a_provider_that_cannot_mean_it_refuses_in_the_callers_words() -> None:
    with pytest.raises(UntranslatableError) as refusal:
        lose(Conversation(caller="anthropic_messages", model="m", turns=[]), "openai_responses", "stop")
    assert refusal.value.field == "stop_sequences"


def test_the_callers_words_are_for_what_some_provider_has_no_place_for() -> None:
    limits = {name for table in LIMITS.values() for name in table}

    unused = {(wire, name) for wire, words in WORDS.items() for name in words if name not in limits}

    assert unused == set()
