"""Server-sent events: the same frames wherever the stream is split, in bounded memory."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.framing.sse import SseFramer

LIMIT = 1 << 20
LINES = (
    ": comment",
    "data: {}",
    "data:  two spaces",
    "data:none",
    "data",
    "data:",
    "datax: no",
    "event: message_start",
    "id: 7",
    "retry: 100",
    "",
    "data: 日本語 🚋",
)


def frames_of(chunks: list[bytes], limit: int = LIMIT) -> list[Frame]:
    framer = SseFramer(limit)
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)]
    return frames + framer.finish()


def data_of(*chunks: bytes) -> list[bytes | None]:
    return [frame.data for frame in frames_of(list(chunks))]


def test_an_event_is_its_data_line_and_its_raw_bytes() -> None:
    assert frames_of([b'data: {"a":1}\n\ndata: [DONE]\n\n']) == [
        Frame(b'data: {"a":1}\n\n', b'{"a":1}'),
        Frame(b"data: [DONE]\n\n", b"[DONE]"),
    ]


def test_an_event_line_before_the_data_line_is_not_data() -> None:
    assert data_of(b"event: ping\ndata: {}\n\n") == [b"{}"]


def test_several_data_lines_are_joined_by_line_feeds() -> None:
    assert data_of(b"data: a\ndata:b\nid: 1\ndata:\n\n", b"data\ndata: c\n\n") == [b"a\nb\n", b"\nc"]


def test_comments_and_blank_lines_say_nothing() -> None:
    assert data_of(b": keep-alive\n\n\nevent: x\n\ndata\n\ndata:\n\n") == [None] * 5


def test_only_one_space_after_the_colon_is_taken_off() -> None:
    assert data_of(b"data:  a\n\ndata:b\n\ndata: \n\n") == [b" a", b"b", None]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_kind_of_line_end_gives_the_same_data(end: bytes) -> None:
    stream = b"data: a\n\nevent: e\ndata: b\ndata: c\n\n: x\n\ndata: d\n\n".replace(b"\n", end)
    assert data_of(stream) == [b"a", b"b\nc", None, b"d"]


def test_an_event_that_ends_with_bare_carriage_returns_leaves_at_once() -> None:
    framer = SseFramer(LIMIT)
    assert framer.feed(b"data: a\r\r") == [Frame(b"data: a\r\r", b"a")]


def test_an_event_that_ends_with_crlf_waits_for_its_last_byte() -> None:
    framer = SseFramer(LIMIT)
    assert framer.feed(b"data: a\r\n\r") == []
    assert framer.feed(b"\n") == [Frame(b"data: a\r\n\r\n", b"a")]


def test_a_byte_order_mark_at_the_start_is_no_part_of_the_first_line() -> None:
    assert frames_of([b"\xef\xbb\xbfdata: a\ndata: b\n\n"]) == [Frame(b"\xef\xbb\xbfdata: a\ndata: b\n\n", b"a\nb")]
    assert data_of(b"data: a\n\n\xef\xbb\xbfdata: b\n\n") == [b"a", None]


def test_the_last_event_may_lack_its_blank_line() -> None:
    assert data_of(b"data: a\n\ndata: b") == [b"a", b"b"]
    assert data_of(b"data: a\r\n\r") == [b"a"]


def test_an_empty_stream_has_no_frames() -> None:
    assert frames_of([]) == []


def test_an_event_longer_than_the_limit_passes_as_it_comes_and_framing_goes_on_behind_it() -> None:
    framer = SseFramer(16)
    assert framer.feed(b"data: 0123456789abcdef") == [Frame(b"data: 0123456789abcdef", None)]
    assert framer.feed(b"ghi\n") == [Frame(b"ghi", None)]
    assert framer.feed(b"jkl") == [Frame(b"\njkl", None)]
    assert framer.feed(b"\n") == []
    assert framer.feed(b"\ndata: b\n\n") == [Frame(b"\n\n", None), Frame(b"data: b\n\n", b"b")]


def test_a_long_event_has_no_data_even_where_it_comes_in_one_piece() -> None:
    assert [frame.data for frame in frames_of([b"data: 0123456789\n\ndata: b\n\n"], limit=16)] == [None, b"b"]
    assert [frame.data for frame in frames_of([b"data: 0123456789\r\r\ndata: b\r\r"], limit=16)] == [None, None, b"b"]


def test_an_endless_line_streams_through_in_bounded_memory() -> None:
    framer = SseFramer(1 << 16)
    chunk = b"x" * (1 << 14)
    fed = 0
    passed = 0
    for _ in range(6400):
        fed += len(chunk)
        passed += sum(len(frame.raw) for frame in framer.feed(chunk))
        assert fed - passed <= 1 << 16
    assert passed == fed
    assert framer.feed(b"\n\ndata: b\n\n")[-1].data == b"b"


STREAMS = [
    "data: a\n\nevent: e\ndata: b\n\n\n\n: c\n\ndata: é🚋\nid: 1\n\ndata: last",
    "\ufeffevent: x\ndata: 1\ndata: 2\n\n\ndata: [DONE]\n\n",
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("text", STREAMS)
def test_a_split_at_any_two_places_changes_nothing(text: str, end: str) -> None:
    stream = text.replace("\n", end).encode()
    whole = frames_of([stream])
    assert b"".join(frame.raw for frame in whole) == stream
    for first, second in itertools.combinations(range(len(stream) + 1), 2):
        assert frames_of([stream[:first], stream[first:second], stream[second:]]) == whole
    assert frames_of([bytes([byte]) for byte in stream]) == whole


@given(
    st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(["\n", "\r\n", "\r"])), max_size=12),
    st.lists(st.integers(0, 200), max_size=6),
)
def test_mixed_line_ends_are_framed_alike_wherever_they_are_split(
    lines: list[tuple[str, str]], places: list[int]
) -> None:
    stream = "".join(line + end for line, end in lines).encode()
    edges = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    whole = frames_of([stream])
    assert frames_of([stream[start:end] for start, end in itertools.pairwise(edges)]) == whole
    assert b"".join(frame.raw for frame in whole) == stream
