"""An observer that lets go of what it holds still knows how the answer ended and what it cost."""

import pytest
from gateway.observing.observed_streams import LIMIT, STREAMS, read_stream

from tollhouse.gateway.framing.sse import SseFramer
from tollhouse.gateway.observing.registry import new_observer
from tollhouse.gateway.wires import Wire


@pytest.mark.parametrize(("wire", "stream"), STREAMS)
def test_what_is_seen_of_an_answer_outlives_its_content(wire: Wire, stream: bytes) -> None:
    observer = new_observer(wire)
    flags: list[int] = []
    for frame in SseFramer(LIMIT).feed(stream):
        if frame.data is not None:
            flags.append(observer.observe(frame))
            assert 0 <= observer.held_bytes <= len(stream)
            observer.forget()
            assert observer.held_bytes == 0
    whole = read_stream(wire, [stream])
    assert (observer.seen, flags) == (whole.seen, whole.flags)
    assert observer.raw_events() == b""
