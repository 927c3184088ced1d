"""OpenAI Embeddings, which never stream."""

from typing import Any

import msgspec

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.observing.event_observer import EventObserver, WholeBody
from tollhouse.gateway.observing.json_text import raw_object, text_or_none
from tollhouse.gateway.wires import Wire


class _Body(WholeBody):
    id: Any = None
    model: Any = None
    usage: msgspec.Raw = msgspec.Raw()


_BODY = msgspec.json.Decoder(_Body)


class OpenaiEmbeddingsObserver(EventObserver):
    """The vectors themselves are skipped; events of a stream, which nobody sends, are kept raw."""

    __slots__ = ()

    wire: Wire = "openai_embeddings"

    def observe(self, frame: Frame) -> int:
        """Keep the event raw."""
        return self._keep(frame)

    def observe_body(self, body: bytes, status: int) -> None:
        """Take a whole unary body in the place of events."""
        seen = self.seen
        head = self._read_whole(body, status, _BODY, _Body)
        if head is not None:
            seen.usage = raw_object(head.usage)
            seen.response_id = text_or_none(head.id)
            seen.response_model = text_or_none(head.model)

    def assembled(self) -> bytes | None:
        """None: there is nothing to assemble."""
        return None
