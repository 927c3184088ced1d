import pytest

from tollhouse.gateway.identity.credentials import (
    CREDENTIAL_HEADERS,
    CREDENTIAL_PARAMETERS,
    Found,
    find_key,
    without_parameters,
)
from tollhouse.gateway.wires import Wire

KEY = b"th_abcdefgh2345_" + b"A" * 43
OTHER = b"th_abcdefgh2345_" + b"B" * 43
OPENAI: list[Wire] = ["openai_chat", "openai_responses", "openai_embeddings"]
WIRES: list[Wire] = [*OPENAI, "anthropic_messages", "gemini"]
OWN_PLACES: dict[Wire, set[bytes]] = {
    "openai_chat": {b"api-key"},
    "openai_responses": {b"api-key"},
    "openai_embeddings": {b"api-key"},
    "anthropic_messages": {b"x-api-key"},
    "gemini": {b"x-goog-api-key"},
}


@pytest.mark.parametrize("wire", WIRES)
def test_a_key_counts_in_the_places_of_its_protocol(wire: Wire) -> None:
    bearers = {b"authorization", b"proxy-authorization"}
    places = {
        name
        for name in CREDENTIAL_HEADERS
        if find_key([(name, b"Bearer " + KEY if name in bearers else KEY)], b"", wire).key == KEY
    }

    assert places == {b"x-tollhouse-key", b"authorization"} | OWN_PLACES[wire]


@pytest.mark.parametrize("value", [b"Bearer " + KEY, b"bearer " + KEY, b"BEARER   " + KEY + b" "])
def test_the_scheme_may_be_written_as_one_likes(value: bytes) -> None:
    assert find_key([(b"authorization", value)], b"", "openai_chat") == Found(KEY)


@pytest.mark.parametrize(
    "value",
    [KEY, b"Basic " + KEY, b"Bearer" + KEY, b"Bearer " + KEY + b"x", b"Bearer " + KEY[:-1], b"Bearer sk-123", b""],
)
def test_anything_else_in_authorization_is_no_key(value: bytes) -> None:
    found = find_key([(b"authorization", value)], b"", "openai_chat")

    assert (found.key, found.is_conflict) == (None, False)


def test_a_foreign_credential_beside_a_key_is_ignored() -> None:
    headers = [(b"authorization", b"Bearer sk-ant-oat01-real"), (b"x-api-key", KEY), (b"cookie", b"session=1")]

    assert find_key(headers, b"beta=true", "anthropic_messages") == Found(KEY)


def test_the_same_key_in_two_places_is_one() -> None:
    headers = [(b"x-api-key", KEY), (b"authorization", b"Bearer " + KEY)]

    assert find_key(headers, b"", "anthropic_messages") == Found(KEY)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-tollhouse-key", KEY), (b"authorization", b"Bearer " + OTHER)],
        [(b"authorization", b"Bearer " + KEY), (b"authorization", b"Bearer " + OTHER)],
        [(b"authorization", b"Bearer " + KEY), (b"x-goog-api-key", OTHER)],
    ],
    ids=["two places", "one place twice", "a place of another protocol"],
)
def test_two_different_keys_are_a_conflict(headers: list[tuple[bytes, bytes]]) -> None:
    assert find_key(headers, b"", "openai_chat") == Found(None, is_conflict=True)


def test_a_key_in_the_query_and_another_in_a_header_are_a_conflict() -> None:
    assert find_key([(b"x-goog-api-key", KEY)], b"alt=sse&key=" + OTHER, "gemini").is_conflict


@pytest.mark.parametrize("query", [b"key=" + KEY, b"alt=sse&key=" + KEY, b"k%65y=" + KEY.replace(b"_", b"%5F")])
def test_the_query_counts_for_gemini_alone(query: bytes) -> None:
    assert find_key([], query, "gemini") == Found(KEY)
    assert find_key([], query, "openai_chat") == Found(None)


def test_no_credential_at_all_is_nothing() -> None:
    assert find_key([(b"user-agent", b"curl")], b"", "gemini") == Found(None)
    assert find_key([], b"a=%20b&&=", "gemini") == Found(None)


def test_a_key_in_a_header_of_any_other_name_does_not_go_on() -> None:
    headers = [(b"x-litellm-api-key", b"Bearer " + KEY), (b"user-agent", b"with_th_in_it"), (b"x-api-key", KEY)]
    found = find_key(headers, b"", "anthropic_messages")

    assert found.key == KEY
    assert found.headers == CREDENTIAL_HEADERS | {b"x-litellm-api-key"}


def test_a_key_in_a_parameter_of_any_other_name_does_not_go_on() -> None:
    found = find_key([(b"x-api-key", KEY)], b"api_key=" + KEY + b"&beta=true", "anthropic_messages")

    assert found.parameters == CREDENTIAL_PARAMETERS | {b"api_key"}
    assert without_parameters(b"api_key=" + KEY + b"&beta=true", found.parameters) == b"beta=true"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (b"", b""),
        (b"alt=sse", b"alt=sse"),
        (b"key=AIza&alt=sse", b"alt=sse"),
        (b"alt=sse&k%65y=AIza&access_token=x&a=1", b"alt=sse&a=1"),
        (b"monkey=1&keys=2&key", b"monkey=1&keys=2"),
        (b"a=%20&b=+&&c", b"a=%20&b=+&&c"),
    ],
)
def test_the_rest_of_the_query_stays_byte_for_byte(query: bytes, kept: bytes) -> None:
    assert without_parameters(query, CREDENTIAL_PARAMETERS) == kept
