"""Vectors for texts: the same text has the same one."""

import math
import struct
from typing import Any, Literal

import msgspec
from crc32c import crc32c

from tollhouse.simulated.asked import decoded
from tollhouse.simulated.chance import mixed
from tollhouse.simulated.refusals import RefusedError
from tollhouse.simulated.reply import CONTENT, Event, Reply
from tollhouse.simulated.tokens import Tokens, tokens_of
from tollhouse.simulated.wires.gemini.spelling import in_camel_case
from tollhouse.simulated.wires.usage import usage_json

_DIMENSIONS = 256
_MOST = 4096
_TABLE = 8192
_encode = msgspec.json.encode


class _Embed(msgspec.Struct):
    input: str | list[str | int | list[int]]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


class _Part(msgspec.Struct):
    text: str = ""


class _Content(msgspec.Struct):
    parts: list[_Part] = []


class _GeminiEmbed(msgspec.Struct, rename="camel"):
    content: _Content
    output_dimensionality: int | None = None


class _GeminiBatch(msgspec.Struct):
    requests: list[_GeminiEmbed]


_OPENAI = msgspec.json.Decoder(_Embed)
_GEMINI = msgspec.json.Decoder(_GeminiEmbed)
_BATCH = msgspec.json.Decoder(_GeminiBatch)


class Embedder:
    """Vectors of length one, from ``seed``."""

    def __init__(self, seed: int) -> None:
        self._numbers = [mixed(seed, place) / 2**63 - 1 for place in range(_TABLE)]

    def openai(self, body: bytes, model: str, shape: str | None) -> Reply:
        """The reply to an embeddings request; ``model`` is the deployment where the path names one."""
        asked = decoded(_OPENAI, body)
        texts = _texts(asked.input)
        vectors = [self._vector(text, asked.dimensions) for text, _ in texts]
        is_base64 = asked.encoding_format == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": _packed(vector) if is_base64 else vector}
            for index, vector in enumerate(vectors)
        ]
        tokens = Tokens(input=sum(cost for _, cost in texts))
        usage = usage_json("openai_embeddings", tokens, shape)
        made: dict[str, Any] = {"object": "list", "data": data, "model": model}
        if usage is not None:
            made["usage"] = msgspec.Raw(usage)
        return Reply(status=200, events=[Event(_encode(made), CONTENT, usage)], tokens=tokens)

    def gemini(self, body: bytes, *, is_batch: bool) -> Reply:
        """The reply to embedContent or batchEmbedContents, which say no usage."""
        body = in_camel_case(body)
        asked = decoded(_BATCH, body).requests if is_batch else [decoded(_GEMINI, body)]
        texts = ["".join(part.text for part in one.content.parts) for one in asked]
        values = [
            {"values": self._vector(text.encode(), one.output_dimensionality)}
            for text, one in zip(texts, asked, strict=True)
        ]
        made = {"embeddings": values} if is_batch else {"embedding": values[0]}
        tokens = Tokens(input=sum(map(tokens_of, texts)))
        return Reply(status=200, events=[Event(_encode(made), CONTENT)], tokens=tokens)

    def _vector(self, text: bytes, dimensions: int | None) -> list[float]:
        size = _DIMENSIONS if dimensions is None else dimensions
        if not 1 <= size <= _MOST:
            raise RefusedError(400, f"dimensions must be between 1 and {_MOST}, not {size}.", param="dimensions")
        first = crc32c(text) % (_TABLE - size)
        numbers = self._numbers[first : first + size]
        length = math.sqrt(sum(number * number for number in numbers))
        return [number / length for number in numbers]


def _texts(given: str | list[Any]) -> list[tuple[bytes, int]]:
    """Each input's bytes and tokens; a list of numbers is one input of that many tokens."""
    if not given:
        raise RefusedError(400, "'$.input' is invalid: it is empty.", param="input")
    inputs = [given] if isinstance(given, str) or isinstance(given[0], int) else given
    return [(one.encode(), tokens_of(one)) if isinstance(one, str) else (_encode(one), len(one)) for one in inputs]


def _packed(vector: list[float]) -> bytes:
    return struct.pack(f"<{len(vector)}f", *vector)
