"""OpenAI embeddings, in the base64 encoding that its SDKs ask for."""

import msgspec

from tollhouse.demo.dialogue import Dialogue, Json

FINISH_REASONS = {"stop": None, "length": None, "tool": None}


def request(said: Dialogue) -> Json:
    """Body of ``POST /v1/embeddings``: one text a turn."""
    return {"model": said.model, "input": [text for _, text in said.turns], "encoding_format": "base64"}


def response(said: Dialogue, usage: msgspec.Raw | None) -> Json:
    """A list with one (short) vector for each text, in base64."""
    data = [{"object": "embedding", "index": index, "embedding": said.sealed} for index in range(len(said.turns))]
    return {"object": "list", "data": data, "model": said.response_model, "usage": usage}
