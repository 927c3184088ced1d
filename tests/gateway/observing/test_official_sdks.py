"""What is assembled of the literal streams is what the official SDKs accumulate of them."""

import json

import pytest
from gateway.observing.accumulated import ACCUMULATED
from gateway.observing.observed_streams import STREAMS, read_stream

from tollhouse.gateway.framing.sse import SseFramer
from tollhouse.gateway.wires import Wire


@pytest.mark.parametrize(("wire", "stream"), STREAMS)
def test_a_stream_is_assembled_as_the_official_sdk_does(wire: Wire, stream: bytes) -> None:
    data = [frame.data for frame in SseFramer(1 << 20).feed(stream)]
    events = [json.loads(text) for text in data if text not in (None, b"[DONE]")]
    ACCUMULATED[wire](read_stream(wire, [stream]), events)
