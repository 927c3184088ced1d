"""A JSON array as a stream: the same frames wherever it is split, in bounded memory."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.framing.json_array import JsonArrayFramer

LIMIT = 1 << 20
STREAM = '[{"a": "x]}\\"[{", "b": [1, {"c": null}]}\n,\r\n{"d": "\\\\"},{"é": "🚋\\u00e9"}\n]\n'.encode()


def frames_of(chunks: list[bytes], limit: int = LIMIT) -> list[Frame]:
    framer = JsonArrayFramer(limit)
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)]
    return frames + framer.finish()


def test_each_element_is_a_frame_with_what_stands_before_it() -> None:
    assert frames_of([STREAM]) == [
        Frame(b'[{"a": "x]}\\"[{", "b": [1, {"c": null}]}', b'{"a": "x]}\\"[{", "b": [1, {"c": null}]}'),
        Frame(b'\n,\r\n{"d": "\\\\"}', b'{"d": "\\\\"}'),
        Frame(',{"é": "🚋\\u00e9"}'.encode(), '{"é": "🚋\\u00e9"}'.encode()),
        Frame(b"\n]", None),
        Frame(b"\n", None),
    ]


def test_an_element_leaves_with_its_last_byte() -> None:
    assert JsonArrayFramer(LIMIT).feed(b'[{"a":1}') == [Frame(b'[{"a":1}', b'{"a":1}')]


def test_an_empty_array_says_nothing() -> None:
    assert frames_of([b"[]"]) == [Frame(b"[]", None)]
    assert frames_of([b" [ ", b"]\n"]) == [Frame(b" [ ]", None), Frame(b"\n", None)]
    assert frames_of([]) == []


def test_elements_that_are_arrays_are_elements_and_scalars_say_nothing() -> None:
    assert [frame.data for frame in frames_of([b'[[1,[2]], 5, "x", {"a":1}, true]'])] == [b"[1,[2]]", b'{"a":1}', None]


def test_a_lone_object_is_an_element() -> None:
    assert frames_of([b'{"error": {"code": 429}}\n']) == [
        Frame(b'{"error": {"code": 429}}', b'{"error": {"code": 429}}'),
        Frame(b"\n", None),
    ]


def test_what_is_no_json_is_the_data_of_one_frame_at_the_end() -> None:
    assert frames_of([b"<html>", b"bad gateway</html>\n"]) == [
        Frame(b"<html>bad gateway</html>\n", b"<html>bad gateway</html>")
    ]


def test_an_element_that_was_cut_is_handed_on_as_far_as_it_came() -> None:
    assert frames_of([b'[{"a":1},{"b":"x']) == [Frame(b'[{"a":1}', b'{"a":1}'), Frame(b',{"b":"x', b'{"b":"x')]


def test_brackets_too_many_do_not_disturb_what_comes_before_them() -> None:
    assert b"".join(frame.raw for frame in frames_of([b'[{"a":1}]]]}}{"b":2}'])) == b'[{"a":1}]]]}}{"b":2}'


def test_an_element_longer_than_the_limit_passes_as_it_comes_and_framing_goes_on_behind_it() -> None:
    framer = JsonArrayFramer(16)
    assert framer.feed(b'[{"a":"0123456789') == [Frame(b'[{"a":"0123456789', None)]
    assert framer.feed(b"}]\\") == [Frame(b"}]", None)]
    assert framer.feed(b'"x') == [Frame(b'\\"x', None)]
    assert framer.feed(b'"},{"b":1}]') == [Frame(b'"}', None), Frame(b',{"b":1}', b'{"b":1}'), Frame(b"]", None)]


def test_a_long_element_has_no_data_even_where_it_comes_in_one_piece() -> None:
    assert [frame.data for frame in frames_of([b'[{"a":"0123456789"},{"b":1}]'], limit=12)] == [None, b'{"b":1}', None]


def test_an_endless_string_streams_through_in_bounded_memory() -> None:
    framer = JsonArrayFramer(1 << 16)
    framer.feed(b'[{"a":"')
    chunk = b"x" * (1 << 14)
    fed = 7
    passed = 0
    for _ in range(6400):
        fed += len(chunk)
        passed += sum(len(frame.raw) for frame in framer.feed(chunk))
        assert fed - passed <= 1 << 16
    assert passed == fed


def test_a_split_at_any_two_places_changes_nothing() -> None:
    whole = frames_of([STREAM])
    assert b"".join(frame.raw for frame in whole) == STREAM
    for first, second in itertools.combinations(range(len(STREAM) + 1), 2):
        assert frames_of([STREAM[:first], STREAM[first:second], STREAM[second:]]) == whole
    assert frames_of([bytes([byte]) for byte in STREAM]) == whole


@pytest.mark.proof
@given(st.binary(max_size=80) | st.text('[]{}",\\ a\n', max_size=60).map(str.encode), st.integers(0, 80))
def test_any_bytes_at_all_come_out_as_they_went_in(stream: bytes, place: int) -> None:
    whole = frames_of([stream])
    assert b"".join(frame.raw for frame in whole) == stream
    assert frames_of([stream[:place], stream[place:]]) == whole
