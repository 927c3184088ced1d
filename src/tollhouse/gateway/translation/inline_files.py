"""Pictures and files as OpenAI's protocols carry them: ``data:`` URLs, plain base64 with a file name, other URLs."""

import base64
import binascii
import mimetypes
from typing import NamedTuple

from tollhouse.gateway.translation.conversation import Document, Image
from tollhouse.gateway.translation.halves import UntranslatableError

_MARK = ";base64,"
_USUAL_FILE = "application/pdf"


class Inline(NamedTuple):
    """What a ``data:`` URL holds: its media type and its base64 text."""

    media_type: str
    data: str


def read_data_url(url: str, where: str) -> Inline | None:
    """The content of a ``data:`` URL, None for another text. Raises UntranslatableError where it is not base64."""
    if url[:5].lower() != "data:":
        return None
    head, mark, data = url[5:].partition(_MARK)
    if not mark:
        raise UntranslatableError(where, "expected data:<media type>;base64,<data>")
    return Inline(head.partition(";")[0] or "text/plain", data)


def data_url(media_type: str | None, data: str) -> str:
    """The ``data:`` URL of base64 text."""
    return f"data:{media_type or 'application/octet-stream'}{_MARK}{data}"


def read_image(url: str, detail: str | None, where: str) -> Image:
    """The picture at a URL, which may be a ``data:`` URL; the detail ``auto`` is what is given anyway."""
    detail = None if detail == "auto" else detail
    inline = read_data_url(url, where)
    if inline is None:
        return Image(url=url, detail=detail)
    return Image(media_type=inline.media_type, data=inline.data, detail=detail)


def image_url(image: Image) -> str:
    """The URL of a picture."""
    return image.url if image.url is not None else data_url(image.media_type, image.data or "")


def read_document(file_data: str, filename: str | None, where: str) -> Document:
    """A file that a request holds; without a ``data:`` URL its name tells its media type, else it is a PDF."""
    inline = read_data_url(file_data, where)
    if inline is None:
        guessed = mimetypes.guess_type(filename or "")[0]
        inline = Inline(guessed or _USUAL_FILE, file_data)
    return Document(media_type=inline.media_type, data=inline.data, filename=filename)


def plain_text(document: Document) -> str | None:
    """The text of a text document, which models read best as such; None for any other."""
    if not (document.media_type or "").startswith("text/"):
        return None
    try:
        return base64.b64decode(document.data or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
