import io
import json
import logging
from collections.abc import Iterator

import pytest

from tollhouse.gateway.operations.logs import JsonLines, route_logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged; the loggers of the test run are as before afterwards."""
    names = (None, "uvicorn", "uvicorn.error", "uvicorn.access", "aiohttp", "asyncio", "opentelemetry", "urllib3")
    loggers = [logging.getLogger(name) for name in names]
    before = [(list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    yield io.StringIO()
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def lines(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_is_an_object_with_time_level_event_and_fields(written: io.StringIO) -> None:
    route_logs("info", stream=written)
    logging.getLogger("tollhouse.x").info("took %d", 3, extra={"invocation_id": "i1", "ms": 4})
    logging.getLogger("tollhouse.x").debug("unseen")
    (line,) = lines(written)
    assert str(line.pop("time")).endswith("+00:00")
    assert line == {"level": "info", "logger": "tollhouse.x", "event": "took 3", "invocation_id": "i1", "ms": 4}


def test_no_value_makes_a_line_of_its_own_or_reaches_a_terminal(written: io.StringIO) -> None:
    route_logs("info", stream=written)
    hostile = 'a\n{"level":"info"}\r\x1b[31m\x00\x7f\x9b31m\u2028b\udc80'
    logging.getLogger("tollhouse").warning(hostile, extra={"path": hostile})
    text = written.getvalue()
    assert text.count("\n") == 1
    assert all(character.isprintable() for character in text.rstrip("\n"))
    assert "{" in str(lines(written)[0]["path"])


def test_uvicorn_and_libraries_write_the_same_lines(written: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
    logging.getLogger("uvicorn").propagate = False
    route_logs("info", stream=written)
    logging.getLogger("uvicorn.error").info("Started server process [%s]", 1, extra={"color_message": "x"})
    logging.getLogger("urllib3").info("sent a header")
    logging.getLogger("opentelemetry.sdk").warning("cannot send")
    assert [(line["logger"], line["event"]) for line in lines(written)] == [
        ("uvicorn.error", "Started server process [1]"),
        ("opentelemetry.sdk", "cannot send"),
    ]


def test_an_exception_says_where_it_was_raised(written: io.StringIO) -> None:
    route_logs("info", stream=written)
    try:
        int("bad\nvalue")
    except ValueError:
        logging.getLogger("tollhouse").exception("it failed")
    (line,) = lines(written)
    assert line["error"] == "ValueError: invalid literal for int() with base 10: 'bad\\nvalue'"
    places = line["traceback"]
    assert isinstance(places, list)
    assert "test_logs.py" in places[-1]


def test_secrets_are_taken_out_once_the_redactor_is_known(written: io.StringIO) -> None:
    formatter = route_logs("info", stream=written)
    formatter.redact = lambda line: (line.replace(b"hunter2hunter2", b"[REDACTED]"), 1)
    logging.getLogger("tollhouse").error("key hunter2hunter2", extra={"url": "https://x/?k=hunter2hunter2"})
    assert "hunter2" not in written.getvalue()
    assert lines(written)[0]["event"] == "key [REDACTED]"


def test_long_values_are_cut(written: io.StringIO) -> None:
    route_logs("info", stream=written)
    logging.getLogger("tollhouse").info("x" * 100_000)
    assert len(written.getvalue()) < 5000


def test_arguments_that_do_not_fit_cost_no_line(written: io.StringIO) -> None:
    route_logs("info", stream=written)
    logging.getLogger("tollhouse").info("only %d", "one")
    assert lines(written)[0]["event"] == "only %d"


def test_a_field_that_is_no_json_is_shown_as_text(written: io.StringIO) -> None:
    assert isinstance(route_logs("info", stream=written), JsonLines)
    logging.getLogger("tollhouse").info("x", extra={"thing": {1, 2}, "other": object(), "pairs": {("a",): 1}})
    assert "object" in str(lines(written)[0]["other"])
