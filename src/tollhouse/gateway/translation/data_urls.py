"""``data:`` URLs, in which OpenAI's protocols carry pictures and files."""

from typing import NamedTuple

from tollhouse.gateway.translation.halves import UntranslatableError

_MARK = ";base64,"


class Inline(NamedTuple):
    """What a ``data:`` URL holds: its media type and its base64 text."""

    media_type: str
    data: str


def read_data_url(url: str, where: str) -> Inline | None:
    """The content of a ``data:`` URL, None for another URL. Raises UntranslatableError where it is not base64."""
    if url[:5].lower() != "data:":
        return None
    head, mark, data = url[5:].partition(_MARK)
    if not mark:
        raise UntranslatableError(where, "expected data:<media type>;base64,<data>")
    return Inline(head.partition(";")[0] or "text/plain", data)


def data_url(media_type: str | None, data: str) -> str:
    """The ``data:`` URL of base64 text."""
    return f"data:{media_type or 'application/octet-stream'}{_MARK}{data}"
