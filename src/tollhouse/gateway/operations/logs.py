"""The gateway's own log lines: one JSON object a line on standard error, uvicorn's and libraries' among them."""

import contextlib
import datetime as dt
import logging
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any, Literal, TextIO

import msgspec

LogLevel = Literal["debug", "info", "warning", "error"]
RedactLine = Callable[[bytes], tuple[bytes, int]]

_LONGEST = 4096
# What the encoder leaves as it is and a terminal or a reader of lines does not: DEL, C1 and Unicode's line ends.
_CONTROLS = re.compile("[\x7f-\x9f\u2028\u2029]")
# Their chatter at lower levels says what they send and to whom.
_QUIET = ("aiohttp", "asyncio", "opentelemetry", "urllib3")
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_encoder = msgspec.json.Encoder(enc_hook=str)


class JsonLines(logging.Formatter):
    """``time``, ``level``, ``logger``, ``event``, then the fields given as ``extra``. ``redact`` may be set later."""

    redact: RedactLine | None = None

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _shortened(_message(record)),
        }
        fields |= {name: _shortened(value) for name, value in vars(record).items() if name not in _KNOWN}
        if record.exc_info and record.exc_info[0] is not None:
            fields["error"] = _shortened("".join(traceback.format_exception_only(record.exc_info[1])).strip())
            fields["traceback"] = _places(record.exc_info[1])
        line = _encode(fields)
        if self.redact is not None:
            line, _ = self.redact(line)
        return _CONTROLS.sub(_escaped, line.decode())


def route_logs(level: LogLevel, redact: RedactLine | None = None, stream: TextIO | None = None) -> JsonLines:
    """Make all loggers of the process write JSON lines of at least ``level``, and return the formatter.

    Takes the place of whatever handled them before.
    """
    formatter = JsonLines()
    formatter.redact = redact
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for other in list(root.handlers):
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        # The request log says all of a call; uvicorn writes its own line wherever this logger reaches a handler.
        logger.propagate = name != "uvicorn.access"
        logger.setLevel(logging.NOTSET)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    return formatter


def _message(record: logging.LogRecord) -> str:
    """A message that does not fit its arguments must not cost the line."""
    with contextlib.suppress(TypeError, ValueError):
        return record.getMessage()
    return str(record.msg)


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value)} characters)"
    return value


def _places(error: BaseException | None) -> list[str]:
    """Where it was raised, without the values of a message."""
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _encode(fields: dict[str, Any]) -> bytes:
    try:
        return _encoder.encode(fields)
    except (TypeError, ValueError, UnicodeEncodeError):  # lone surrogates, keys that are no text
        return _encoder.encode({name: ascii(value) for name, value in fields.items()})


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
