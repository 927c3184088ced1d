"""A framer says whether it has passed an event that nobody has read."""

from collections.abc import Callable

import pytest

from tollhouse.gateway.framing.frame import Framer
from tollhouse.gateway.framing.json_array import JsonArrayFramer
from tollhouse.gateway.framing.sse import SseFramer


@pytest.mark.parametrize(
    ("new_framer", "stream", "longest"),
    [
        pytest.param(SseFramer, b"data: 012345678\n\ndata: b\n\n", 17, id="sse"),
        pytest.param(JsonArrayFramer, b'[{"a":"012345678"},{"b":1}]', 18, id="json array"),
    ],
)
def test_an_event_beyond_the_limit_is_unread(new_framer: Callable[[int], Framer], stream: bytes, longest: int) -> None:
    for chunks in ([stream], [bytes([byte]) for byte in stream]):
        for limit, has_unread in ((longest, False), (longest - 1, True)):
            framer = new_framer(limit)
            for chunk in chunks:
                framer.feed(chunk)
            framer.finish()
            assert framer.has_unread is has_unread
