import json
import math

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tollhouse.errors import SourceError
from tollhouse.sources.strict_json import (
    MAX_DEPTH,
    NotJsonError,
    check_batch_sql,
    normalize,
    normalize_record,
    suspect_sql,
)

STRICT = [
    '{"a":1}',
    ' {"a" : [1, 2.5e-7, true, null, "\\ud83d\\ude00", "x\\/\\u0000"]}\n',
    '[{"a":1},{"a":2}]',
    '{"a":{"a":{"a":1}}}',
    '{"a":1,"A":2}',
    "null",
    '"x"',
    "123456789012345678",
    '{"a":1.7976931348623157e99,"b":-0}',
    "[" * MAX_DEPTH + "]" * MAX_DEPTH,
]
MENDED = [
    ('{"a":1,"a":2}', '{"a":2}'),
    ('{"a":1,"\\u0061":2}', '{"a":2}'),
    ('[{"b":{"a":1,"c":0,"a":[1]}}]', '[{"b":{"a":[1],"c":0}}]'),
    ('{"a":"x\\ud800y"}', '{"a":"x\ufffdy"}'),
    ('{"a":"\\udc00\\ud800"}', '{"a":"\ufffd\ufffd"}'),
    ('{"\\ud800":1,"\\ud801":2}', '{"\ufffd":2}'),
    ('{"a":NaN,"b":-Infinity}', '{"a":"NaN","b":"-Infinity"}'),
    ('{"a":1e400,"b":-1.5E+999}', '{"a":"1e400","b":"-1.5E+999"}'),
    ('{"a":9223372036854775807,"b":9223372036854775808}', '{"a":9223372036854775807,"b":"9223372036854775808"}'),
    ('{"a":' + "9" * 5000 + "}", '{"a":"' + "9" * 5000 + '"}'),
    ("[" + "9" * 400 + ".5]", '["' + "9" * 400 + '.5"]'),
    ("NaN", '"NaN"'),
    ('\ufeff{"a":1}', '{"a":1}'),
]
NOT_JSON = [
    ("", "empty"),
    (" \n", "empty"),
    ('{"a":1', "ends too early"),
    ('{"a":"b', "ends too early"),
    ('{"a":1,}', "property name"),
    ("[1,]", "Expecting value"),
    ("{'a':1}", "double quotes"),
    ("{a:1}", "double quotes"),
    ('{"a":1} // note', "Extra data"),
    ('{"a":1}{"a":2}', "Extra data"),
    ('{"a":"\t"}', "control character"),
    ('{"a":"\\x41"}', "escape"),
    ('{"a":01}', "delimiter"),
    ('{"a":+1}', "Expecting value"),
    ('{"a":nan}', "Expecting value"),
    ('{"a":inf}', "Expecting value"),
    ('{"a":True}', "Expecting value"),
    ("<html>", "Expecting value"),
    ("1],[2", "Extra data"),
    ("[" * 300 + "]" * 300, "deeper than 256"),
    ('{"a":' * 100_000 + "1" + "}" * 100_000, "deeper than 256"),
]


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        yield connection


def is_suspect(connection, text):
    return connection.execute(f"SELECT {suspect_sql('x')} FROM (SELECT $1::VARCHAR AS x)", [text]).fetchone()[0]


@pytest.mark.parametrize("text", STRICT)
def test_strict_json_is_not_suspect_and_stays_as_it_is(connection, text):
    assert is_suspect(connection, text) is False
    assert normalize(text).text == text
    assert not normalize(text).mends


@pytest.mark.parametrize(("text", "mended"), MENDED)
def test_what_engines_read_differently_is_suspect_and_mended(connection, text, mended):
    assert is_suspect(connection, text) is True
    assert normalize(text).text == mended
    assert is_suspect(connection, normalize(mended).text) in {False, "9223372036854775807" in mended}


@pytest.mark.parametrize(("text", "reason"), NOT_JSON)
def test_what_is_not_json_is_suspect_and_refused_with_a_reason(connection, text, reason):
    assert is_suspect(connection, text) is True
    with pytest.raises(NotJsonError) as caught:
        normalize(text)
    assert reason in caught.value.reason


def test_null_is_not_suspect(connection):
    assert is_suspect(connection, None) is False


def test_one_bad_text_does_not_fail_its_batch(connection):
    texts = ['{"a":1}'] * 3000 + ["{"] + ['{"a":1}'] * 3000
    found = connection.execute(
        f"SELECT {suspect_sql('x')} FROM (SELECT unnest($1::VARCHAR[]) AS x)", [texts]
    ).fetchall()
    assert [n for n, (suspect,) in enumerate(found) if suspect] == [3000]


def test_bytes_that_are_not_utf8_name_the_byte_and_its_offset():
    with pytest.raises(NotJsonError, match="not UTF-8: byte 0xff at offset 6"):
        normalize(b'{"a":"\xff"}')


class _SuspectError(Exception):
    """The reference's verdict."""


def reference(text):
    """Say in plain Python whether a text is other than strict JSON that both engines read alike."""

    def members(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise _SuspectError
        return dict(pairs)

    def refuse(_):
        raise _SuspectError

    def number(digits):
        if math.isinf(float(digits)):
            raise _SuspectError

    def integer(digits):
        if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
            raise _SuspectError

    try:
        value = json.loads(
            text, object_pairs_hook=members, parse_constant=refuse, parse_float=number, parse_int=integer
        )
        json.dumps(value, ensure_ascii=False).encode()
    except (_SuspectError, ValueError):
        return True
    return False


keys = st.sampled_from(["a", "b", "\\u0061", "A", "", "\\ud800", "é"])
scalars = st.sampled_from(
    [
        "1",
        "-0",
        "1.5",
        "1e400",
        "1e99",
        "1E+400",
        "NaN",
        "nan",
        "-Infinity",
        "inf",
        "12345678901234567890",
        "01",
        "1.",
        "9223372036854775808",
        "0.1234567890123456789",
        "null",
        "true",
        "True",
        '"x, ]"',
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\ud83d\\ude00"',
        '"\t"',
        '"\\q"',
        '": NaN,"',
        "",
        "'a'",
        '"',
        "//",
        "\ufeff",
        '"\\u0000"',
        "123e123",
        "0e9999",
    ]
)
spaces = st.sampled_from(["", "", "", " ", "\n\t"])


def _object(members):
    return "{" + ",".join(f'{s}"{k}"{s}:{s}{v}{s}' for k, v, s in members) + "}"


texts = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(st.tuples(keys, inner, spaces), max_size=4).map(_object),
        st.tuples(st.lists(inner, max_size=4), spaces).map(lambda t: "[" + t[1] + f"{t[1]},{t[1]}".join(t[0]) + "]"),
    ),
    max_leaves=12,
)
cut_texts = st.tuples(texts, st.integers(0, 40), st.sampled_from(["", "", "", "]", "}", ",", " x"])).map(
    lambda t: t[0][: len(t[0]) - t[1] if t[1] > 30 else None] + t[2]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(texts, cut_texts), min_size=1, max_size=40))
def test_the_detector_misses_nothing_that_the_reference_finds(connection, batch):
    found = connection.execute(
        f"SELECT x, {suspect_sql('x')} FROM (SELECT unnest($1::VARCHAR[]) AS x)", [batch]
    ).fetchall()
    assert [text for text, suspect in found if reference(text) and not suspect] == []


@settings(max_examples=200, deadline=None)
@given(texts)
def test_a_mended_text_is_strict_and_mending_it_again_changes_nothing(text):
    try:
        mended = normalize(text)
    except NotJsonError:
        return
    assert not reference(mended.text)
    assert normalize(mended.text) == normalize(mended.text.encode())
    assert not normalize(mended.text).mends
    assert bool(mended.mends) == reference(text)


BODIES = ["request_body", "metadata.inner"]


def record(**members):
    return json.dumps(members)


RECORDS = [
    (record(request_body='{"a":1}', n=1), None, []),
    (record(request_body=None), None, []),
    (record(request_body={"a": 1}, metadata="text"), None, []),
    (record(request_body='{"a":1,"a":2}', n=1), {"request_body": '{"a":2}', "n": 1}, []),
    (record(request_body='{"a":"\\ud800"}'), {"request_body": '{"a":"\ufffd"}'}, []),
    (record(metadata={"inner": "[NaN]"}), {"metadata": {"inner": '["NaN"]'}}, []),
    (record(request_body="hello"), None, ["request_body"]),
    (record(request_body=""), None, ["request_body"]),
    (record(request_body="{", metadata={"inner": "{}"}), None, ["request_body"]),
    (record(request_body="aGk=", request_body_encoding="base64"), None, ["request_body"]),
    (record(request_body="1234", request_body_encoding="base64"), None, ["request_body"]),
    (record(request_body='{"a":1}', request_body_encoding="utf-8"), None, []),
    ('{"request_body":"{}","n":1,"n":2}', {"request_body": "{}", "n": 2}, []),
    ('{"request_body":"\\ud800","n":1}', {"request_body": "\ufffd", "n": 1}, ["request_body"]),
]


@pytest.mark.parametrize(("text", "normalized", "errors"), RECORDS)
def test_a_record_is_mended_with_the_bodies_inside_it(connection, text, normalized, errors):
    mended, found = normalize_record(text, BODIES)
    assert (json.loads(mended) if mended else None, found) == (normalized, errors)
    query = f"SELECT {check_batch_sql('x', BODIES)} FROM (SELECT $1::VARCHAR AS x)"
    assert connection.execute(query, [text]).fetchone()[0] or (mended is None and not errors)


def _escaped(text):
    """Write a JSON string with every character of the basic plane as an escape, as no sane writer does."""
    return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in text) + '"'


writers = st.sampled_from([json.dumps, lambda text: json.dumps(text, ensure_ascii=False), _escaped])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(texts, texts, writers, spaces), min_size=1, max_size=30))
def test_no_body_inside_a_record_is_missed(connection, drawn):
    batch = [
        f'{{"request_body":{s}{write(first)},"metadata":{{"inner":{s}{write(second)}}}}}'
        for first, second, write, s in drawn
    ]
    query = f"SELECT {check_batch_sql('x', BODIES)} FROM (SELECT unnest($1::VARCHAR[]) AS x)"
    found = [suspect for (suspect,) in connection.execute(query, [batch]).fetchall()]
    expected = [reference(first) or reference(second) for first, second, _, _ in drawn]
    assert [d for d, e, f in zip(drawn, expected, found, strict=True) if e and not f] == []


def test_a_record_that_is_not_json_is_suspect_and_refused(connection):
    query = f"SELECT {check_batch_sql('x', BODIES)} FROM (SELECT unnest(['{{', '{{}}', NULL]) AS x)"
    assert connection.execute(query).fetchall() == [(True,), (False,), (False,)]
    with pytest.raises(NotJsonError, match="ends too early"):
        normalize_record("{", BODIES)


def test_a_strict_record_with_strict_bodies_is_not_suspect(connection):
    text = record(request_body='{"a":[1,2]}', metadata={"inner": "[]"})
    query = f"SELECT {check_batch_sql('x', BODIES)} FROM (SELECT $1::VARCHAR AS x)"
    assert connection.execute(query, [text]).fetchone() == (False,)


def test_a_body_path_that_is_not_dotted_names_is_refused():
    with pytest.raises(SourceError, match="not a dotted path"):
        check_batch_sql("x", ["a'b"])
