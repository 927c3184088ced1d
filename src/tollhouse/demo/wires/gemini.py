"""Gemini's generateContent."""

import msgspec

from tollhouse.demo.dialogue import TOOLS, Dialogue, Json

FINISH_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "tool": "STOP"}
_ROLES = {"user": "user", "assistant": "model"}
_TOOLS: list[Json] = [{"functionDeclarations": [{"name": name} for name in TOOLS[:2]]}]


def request(said: Dialogue) -> Json:
    """Body of ``POST /v1beta/models/{model}:generateContent``; the model is in the path."""
    contents: list[Json] = [{"role": _ROLES[role], "parts": [{"text": text}]} for role, text in said.turns]
    if said.answered:
        tool = said.answered
        call = {"functionCall": {"name": tool.name, "args": tool.arguments}}
        result = {"functionResponse": {"name": tool.name, "response": {"output": tool.result}}}
        contents += [{"role": "model", "parts": [call]}, {"role": "user", "parts": [result]}]
    body: Json = {"contents": contents}
    if said.system:
        body["systemInstruction"] = {"parts": [{"text": said.system}]}
    body["generationConfig"] = {"maxOutputTokens": said.max_tokens}
    return body | {"tools": _TOOLS} if said.called or said.answered else body


def response(said: Dialogue, usage: msgspec.Raw | None) -> Json:
    """A ``GenerateContentResponse``."""
    parts: list[Json] = []
    if said.thinking:
        parts.append({"text": said.thinking, "thought": True})
    if said.answer:
        parts.append({"text": said.answer})
    if said.called:
        parts.append({"functionCall": {"name": said.called.name, "args": said.called.arguments}})
    candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if said.finish:
        candidate["finishReason"] = FINISH_REASONS[said.finish]
    body: Json = {"candidates": [candidate], "modelVersion": said.response_model, "responseId": said.response_id}
    return body | {"usageMetadata": usage} if usage else body


def error(status: int, code: str, message: str) -> Json:
    """Google's error object."""
    return {"error": {"code": status, "message": message, "status": code.upper()}}
