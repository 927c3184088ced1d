"""The same row wherever a stream is split: what is observed, assembled and kept raw."""

import itertools

import pytest
from gateway.observing.observed_streams import GEMINI_ARRAY, LIMIT, STREAMS, Reading, read_stream
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.gateway.framing.json_array import JsonArrayFramer
from tollhouse.gateway.wires import Wire

ENDS = [b"\n", b"\r\n", b"\r"]
CASES = [(wire, stream.replace(b"\n", end)) for wire, stream in STREAMS for end in ENDS]
ODD = b': note\n\ndata: {broken\n\ndata: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n\ndata: [DONE]'


def read_split(wire: Wire, stream: bytes, places: list[int]) -> Reading:
    edges = [0, *sorted(places), len(stream)]
    framer = JsonArrayFramer(LIMIT) if stream.startswith(b"[") else None
    return read_stream(wire, [stream[start:end] for start, end in itertools.pairwise(edges)], framer)


ALL_CASES = [*CASES, ("gemini", GEMINI_ARRAY), ("openai_chat", ODD)]


@pytest.mark.parametrize(("wire", "stream"), CASES)
def test_every_kind_of_line_end_gives_the_same_row(wire: Wire, stream: bytes) -> None:
    plain = dict(STREAMS)[wire]
    assert read_stream(wire, [stream]) == read_stream(wire, [plain])


@pytest.mark.parametrize(("wire", "stream"), ALL_CASES)
@given(data=st.data())
def test_a_stream_split_at_random_places_gives_the_same_row(wire: Wire, stream: bytes, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    assert read_split(wire, stream, places) == read_split(wire, stream, [])


@pytest.mark.proof
@pytest.mark.parametrize(("wire", "stream"), ALL_CASES)
def test_a_stream_split_at_every_byte_gives_the_same_row(wire: Wire, stream: bytes) -> None:
    whole = read_split(wire, stream, [])
    assert read_split(wire, stream, list(range(len(stream)))) == whole
    for place in range(len(stream)):
        assert read_split(wire, stream, [place]) == whole
