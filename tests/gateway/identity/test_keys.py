import re

from hypothesis import given
from hypothesis import strategies as st

from tollhouse.gateway.identity.keys import KEY_PATTERN, KEY_SOURCE, Hasher, key_id_of, make_key

KEY = b"th_abcdefgh2345_" + b"A" * 43


def test_a_new_key_has_the_format_and_holds_its_id() -> None:
    made = [make_key() for _ in range(200)]

    assert all(KEY_PATTERN.fullmatch(key.text.encode()) for key in made)
    assert all(key_id_of(key.text.encode()) == key.key_id.encode() for key in made)
    assert len({key.text for key in made}) == len({key.key_id for key in made}) == 200


def test_a_secret_has_256_random_bits() -> None:
    assert 62**43 >= 2**256


@given(st.from_regex(rf"\A{KEY_SOURCE}\Z"))
def test_whatever_the_pattern_says_is_three_parts_of_fixed_length(text: str) -> None:
    start, key_id, secret = text.split("_")

    assert (start, len(key_id), len(secret)) == ("th", 12, 43)
    assert key_id_of(text.encode()) == key_id.encode()


@given(st.binary(max_size=80))
def test_only_the_format_gives_a_key_id(data: bytes) -> None:
    assert (key_id_of(data) is not None) == (re.fullmatch(KEY_SOURCE.encode(), data) is not None)


@given(st.integers(0, len(KEY) - 1), st.binary(max_size=2).filter(lambda piece: len(piece) != 1))
def test_a_key_with_a_byte_too_few_or_too_many_is_none(place: int, piece: bytes) -> None:
    assert key_id_of(KEY[:place] + piece + KEY[place + 1 :]) is None


def test_the_pattern_finds_a_key_inside_a_text() -> None:
    found = KEY_PATTERN.search(b'{"content":"my key is ' + KEY + b' ok"}')

    assert found is not None
    assert found[0] == KEY


def test_a_digest_depends_on_the_whole_key_and_on_the_pepper() -> None:
    hasher = Hasher(b"p" * 32)
    digest = hasher.digest(KEY)

    assert len(digest) == 32
    assert digest == hasher.digest(KEY)
    assert digest not in (hasher.digest(KEY[:-1] + b"B"), Hasher(b"q" * 32).digest(KEY), hasher.check_value())
