import gzip
import io
import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollhouse.sources import cutting, framing, litellm
from tollhouse.sources.framing import RECORD_SCHEMA, REJECTED_SCHEMA, FramingReport
from tollhouse.sources.litellm import Layout, detect_layout

SHARED = Path(__file__).parents[3] / "shared" / "data" / "gateway-logs" / "litellm"


def payload(number=1, **members):
    return {"id": f"chatcmpl-{number}", "call_type": "acompletion", "messages": [], **members}


def line(number=1, **members):
    return json.dumps(payload(number, **members)).encode()


def read(data, **options):
    """Frame ``data``; returns records, rejected (as rows) and the report, whose bytes add up."""
    report = FramingReport()
    batches = list(litellm.frame(io.BytesIO(data), report, **options))
    assert all(b.records.schema.equals(RECORD_SCHEMA) and b.rejected.schema.equals(REJECTED_SCHEMA) for b in batches)
    records = [row for b in batches for row in b.records.to_pylist()]
    rejected = [row for b in batches for row in b.rejected.to_pylist()]
    assert (len(records), len(rejected)) == (report.framed_records, report.rejected_records)
    assert sum(row["record_bytes"] for row in rejected) == report.rejected_bytes
    if not report.is_compressed:
        assert report.bytes_read == len(data) - report.read_from_byte
    return records, rejected, report


def reasons(rejected):
    return [row["reason"] for row in rejected]


def test_one_object_a_line_becomes_one_record_a_line():
    records, rejected, report = read(line(1) + b"\r\n\n  " + line(2, litellm_call_id="call") + b"\n")
    assert rejected == []
    assert [r["record_key"] for r in records] == ["chatcmpl-1", "call/chatcmpl-2"]
    assert [r["position"] for r in records] == [0, 1]
    assert {(r["record_kind"], r["format"]) for r in records} == {("standard_logging_payload", "litellm")}
    assert records[0]["raw_text"] == line(1).decode()
    assert records[0]["normalized_text"] is None
    assert records[0]["body_errors"] == []
    assert report.separator_bytes == 6


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_one_object_a_file_is_read_on_one_line_or_on_many(indent, bom):
    text = json.dumps(payload(metadata={"a": ["}", '"', {}]}), indent=indent).encode()
    records, rejected, report = read(bom + text)
    assert rejected == []
    assert records[0]["raw_text"] == text.decode()
    assert report.framed_bytes == len(text)


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_of_objects_is_read_element_by_element(indent):
    text = json.dumps([payload(1), 7, "a,b]", payload(2), [1]], indent=indent).encode()
    records, rejected, _ = read(b" " + text + b"\n")
    assert [r["record_key"] for r in records] == ["chatcmpl-1", "chatcmpl-2"]
    assert [r["position"] for r in records] == [0, 3]
    assert [r["raw_text"].split()[0] for r in rejected][:2] == ["7", '"a,b]"']
    assert all("not an object" in reason for reason in reasons(rejected))


def test_spread_objects_one_after_another_are_all_read():
    text = "\n".join(json.dumps(payload(n), indent=2) for n in range(3)).encode()
    records, rejected, _ = read(text)
    assert ([r["record_key"] for r in records], rejected) == (["chatcmpl-0", "chatcmpl-1", "chatcmpl-2"], [])


def test_a_file_whose_first_line_is_torn_is_still_read_line_by_line():
    records, rejected, _ = read(line(1)[:20] + b"\n" + line(2) + b"\n" + line(3))
    assert [r["record_key"] for r in records] == ["chatcmpl-2", "chatcmpl-3"]
    assert "ends too early" in rejected[0]["reason"]


def test_a_row_of_spend_logs_as_json_has_its_own_kind():
    row = {"request_id": "r1", "call_type": "acompletion", "metadata": '{"a":1,"a":2}', "messages": "{", "spend": 0.5}
    records, _, _ = read(json.dumps(row).encode())
    assert [(r["record_kind"], r["format"], r["record_key"]) for r in records] == [
        ("spend_logs", "litellm_spend_logs", "r1")
    ]
    assert json.loads(records[0]["normalized_text"])["metadata"] == '{"a":2}'
    assert records[0]["body_errors"] == ["messages"]


def test_a_csv_of_spend_logs_becomes_one_json_object_a_row():
    data = (
        b'\xef\xbb\xbfrequest_id,"call_type",spend,prompt_tokens,metadata,user\r\n'
        b'r1,acompletion,0.00022500000000000002,10,"{""a"": ""x\ny""}",\r\n'
        b"r2,acompletion,seven,-7,{},Zo\xc3\xab\n"
        b"r3,acompletion\n"
        b'r4,a"b"c,1,1,"{}"x,u\n'
        b"r5,acompletion,1e3,'7',,u"
    )
    records, rejected, _ = read(data)
    assert [json.loads(r["raw_text"]) for r in records] == [
        {"request_id": "r1", "call_type": "acompletion", "spend": 0.00022500000000000002, "prompt_tokens": 10}
        | {"metadata": '{"a": "x\ny"}', "user": None},
        {"request_id": "r2", "call_type": "acompletion", "spend": "seven", "prompt_tokens": -7}
        | {"metadata": "{}", "user": "Zoë"},
        {"request_id": "r5", "call_type": "acompletion", "spend": 1000.0, "prompt_tokens": "'7'"}
        | {"metadata": None, "user": "u"},
    ]
    assert '"spend":0.00022500000000000002' in records[0]["raw_text"]
    assert records[0]["body_errors"] == ["metadata"]
    assert [r["position"] for r in records] == [0, 1, 4]
    assert reasons(rejected) == [
        "a row of 2 fields under a header of 6",
        """not a row of CSV: ',' expected after '"'""",
    ]
    assert rejected[0]["raw_text"] == "r3,acompletion"


def test_a_csv_that_ends_inside_a_quoted_field_has_a_torn_row():
    data = b'request_id,call_type\nr1,a\nr2,"a\nb'
    records, rejected, _ = read(data)
    assert [r["record_key"] for r in records] == ["r1"]
    assert reasons(rejected) == ["torn: the file ends inside this record"]
    assert read(data, is_complete=False)[2].bytes_left == len(b'r2,"a\nb')


def test_gzip_is_found_by_its_first_bytes_whatever_the_layout():
    packed = gzip.compress(line(1) + b"\n") + gzip.compress(line(2))
    records, _, report = read(packed)
    assert [r["record_key"] for r in records] == ["chatcmpl-1", "chatcmpl-2"]
    assert report.is_compressed
    assert report.bytes_read == len(line(1)) + 1 + len(line(2))


def test_torn_gzip_gives_what_was_whole_and_says_that_the_rest_is_lost():
    packed = gzip.compress(b"\n".join(line(n, noise=sha256(bytes([n])).hexdigest()) for n in range(200)))
    records, rejected, _ = read(packed[: len(packed) // 2])
    assert 0 < len(records) < 200
    assert reasons(rejected)[-1] == "gzip is torn: the file ends inside it"
    assert reasons(read(packed[:-8] + b"\x00" * 8)[1])[-1].startswith("gzip is damaged")


@pytest.mark.parametrize(
    "data", [b"", b"\n", b" \r\n\t\n", b"\xef\xbb\xbf", b"[]", b"[ ]\n", b"request_id,call_type\n"]
)
def test_an_object_without_records_is_fine(data):
    records, rejected, report = read(data)
    assert (records, rejected, report.separator_bytes) == ([], [], len(data))


def test_binary_and_torn_lines_are_rejected_with_their_bytes_and_reading_goes_on():
    data = line(1) + b"\n\x00\xff\xfe\n" + line(2)[:-5] + b"\nplain text\n" + line(3) + b"\n"
    records, rejected, _ = read(data)
    assert [r["position"] for r in records] == [0, 4]
    assert [(r["position"], r["raw_text"], r["is_base64"]) for r in rejected] == [
        (len(line(1)) + 1, "AP/+", True),
        (len(line(1)) + 5, line(2)[:-5].decode(), False),
        (len(line(1)) + len(line(2)) + 1, "plain text", False),
    ]
    assert reasons(rejected)[0] == "not UTF-8: byte 0xff at offset 1"
    assert "Expecting value" in reasons(rejected)[2]


def test_a_torn_last_line_is_rejected_or_left_for_later_while_the_file_grows():
    data = line(1) + b"\n" + line(2)[:-9]
    records, rejected, _ = read(data)
    assert len(records) == 1
    assert reasons(rejected)[0].startswith("torn: the file ends inside this record (")
    records, rejected, report = read(data, is_complete=False)
    assert (len(records), rejected, report.bytes_left) == (1, [], len(line(2)) - 9)
    whole = line(1) + b"\n" + line(2) + b"\n"
    records, _, report = read(whole, from_byte=report.bytes_read - report.bytes_left, first_position=1)
    assert [(r["position"], r["record_key"]) for r in records] == [(1, "chatcmpl-2")]
    assert report.read_from_byte == len(line(1)) + 1


def test_a_whole_last_line_without_an_end_is_a_record():
    records, _, report = read(line(1) + b"\n" + line(2), is_complete=False)
    assert (len(records), report.bytes_left) == (2, 0)


def test_a_torn_object_or_array_is_rejected_or_left():
    for data in [json.dumps(payload(), indent=2).encode()[:-5], b"[" + line(1)[:-5]]:
        assert reasons(read(data)[1]) == ["torn: the file ends inside this record"]
        assert read(data, is_complete=False)[2].bytes_left > 0


def test_only_objects_of_one_record_a_line_are_read_on_others_whole():
    records, _, report = read(b"[" + line(1) + b"," + line(2) + b"]", from_byte=10, first_position=1)
    assert ([r["position"] for r in records], report.read_from_byte) == ([0, 1], 0)


@pytest.mark.parametrize(
    ("call_id", "native", "key"),
    [
        ("call", "resp", "call/resp"),
        ("call", "call", "call"),
        (None, "resp", "resp"),
        ("None", " resp ", "resp"),
        ("call", "None", "call"),
        ("call", "", "call"),
        (None, 7, "7"),
    ],
)
def test_a_record_is_known_by_its_call_and_its_response(call_id, native, key):
    assert litellm.record_key(call_id, native, "{}") == key


@pytest.mark.parametrize("native", [None, "", " None", "null", True, {}])
def test_a_record_without_a_key_of_its_own_is_known_by_its_text(native):
    (record,) = read(json.dumps(payload(id=native)).encode())[0]
    assert record["record_key"] == sha256(record["raw_text"].encode()).hexdigest()


def test_the_same_call_twice_has_the_same_key():
    records, _, _ = read(line(1) + b"\n" + line(1))
    assert records[0]["record_key"] == records[1]["record_key"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"foo":1,"bar":2}', "found foo, bar"),
        (b"{}", "found no members"),
        (b'{"id":"a"}', "expected id and call_type (StandardLoggingPayload) or request_id (SpendLogs)"),
        (b"[1]\n", "not an object"),
        (b"null", "not an object"),
        (b'{"id":"1","table_name":"t","object_id":"o","action":"created"}', "an audit log of LiteLLM, not a call"),
    ],
)
def test_what_is_no_call_of_litellm_says_what_was_found(text, reason):
    (rejected,) = read(text)[1]
    assert reason in rejected["reason"]


BAD_RECORDS = [
    b'{"id":"1","call_type":"a","x":1,"x":2}',
    b'{"id":"2","call_type":"a","x":"\\ud800"}',
    b'{"id":"3","call_type":"a","x":NaN}',
    b'{"id":"4","call_type":"a","x":1e400}',
    b'{"id":"5","call_type":"a","response":"redacted-by-litellm"}',
    b'{"id":"6","call_type":"a","prompt_tokens":-7}',
    b'{"id":"7","call_type":"a","prompt_tokens":"seven"}',
    b'{"id":"8","call_type":"a",}',
    b'{"id":"9","call_type":"a","x":' + b"[" * 500 + b"]" * 500 + b"}",
    b'{"id":"10","id":"11","call_type":"a"}',
]


@pytest.mark.parametrize("copies", [1, 20])
def test_bad_json_is_mended_or_rejected_alike_in_small_and_large_batches(copies):
    records, rejected, _ = read(b"\n".join(BAD_RECORDS * copies))
    by_key = {r["record_key"]: r for r in records}
    assert sorted(by_key, key=int) == ["1", "2", "3", "4", "5", "6", "7", "11"]
    assert {k for k, r in by_key.items() if r["normalized_text"]} == {"1", "2", "3", "4", "11"}
    assert {k for k, r in by_key.items() if r["body_errors"]} == {"5"}
    assert json.loads(by_key["2"]["normalized_text"])["x"] == "\ufffd"
    assert len(rejected) == 2 * copies
    assert "deeper than 256" in reasons(rejected)[1]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_record_of_20_mib_is_framed(indent):
    data = json.dumps(payload(response={"text": "x" * 20 * 2**20}), indent=indent).encode()
    records, rejected, report = read(data)
    assert (len(records), rejected, report.framed_bytes) == (1, [], len(data))


def test_a_record_beyond_the_limit_is_rejected_without_its_text(monkeypatch):
    monkeypatch.setattr(cutting, "MAX_RECORD_BYTES", 3 * 2**20)
    large = line(2, response="x" * 4 * 2**20)
    records, rejected, _ = read(line(1) + b"\n" + large + b"\n" + line(3))
    assert [r["record_key"] for r in records] == ["chatcmpl-1", "chatcmpl-3"]
    assert [(r["record_bytes"], r["raw_text"]) for r in rejected] == [(len(large) + 1, None)]
    assert "the most that a record may have" in rejected[0]["reason"]
    records, rejected, _ = read(b"[" + line(1) + b"," + large + b"," + line(3) + b"]")
    assert [r["record_key"] for r in records] == ["chatcmpl-1"]
    assert "what follows it was not read" in rejected[0]["reason"]
    assert read(b"request_id,x\nr1,y\nr2,'" + b"z" * 4 * 2**20)[2].rejected_records == 1


def test_batches_are_bounded_and_numbered_through(monkeypatch):
    monkeypatch.setattr(framing, "BATCH_BYTES", 1000)
    report = FramingReport()
    batches = list(litellm.frame(io.BytesIO(b"\n".join(line(n) for n in range(100))), report))
    assert len(batches) > 5
    assert max(b.records.num_rows for b in batches) < 20
    assert [p for b in batches for p in b.records["position"].to_pylist()] == list(range(100))


@pytest.mark.parametrize(
    ("head", "layout"),
    [
        (b'{"id":1}', Layout.LINES),
        (b'{"id":1}\n{"id":2}', Layout.LINES),
        (b'{\n  "id": 1\n}', Layout.VALUES),
        (b'{"id": 1,\n "b": 2}', Layout.VALUES),
        (b'{"id": \n{"id":2}', Layout.LINES),
        (b"\xef\xbb\xbf\n [{", Layout.ARRAY),
        (b'"request_id","spend"\n', Layout.CSV),
        (b"hello, request_id?", Layout.LINES),
        (b"", Layout.LINES),
    ],
)
def test_the_layout_is_told_from_the_content(head, layout):
    assert detect_layout(head) is layout


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not beside this checkout")
def test_real_records_of_litellm_are_framed():
    for name, kind in [("standard_logging_payload", "standard_logging_payload"), ("spend_logs_row", "spend_logs")]:
        records, rejected, _ = read((SHARED / f"{name}.json").read_bytes())
        assert [(r["record_kind"], r["normalized_text"], r["body_errors"]) for r in records] == [(kind, None, [])]
        assert rejected == []


chunks = st.sampled_from(
    [
        line(1),
        line(2)[:-7],
        b"\n",
        b"\r\n",
        b" ",
        b",",
        b"[",
        b"]",
        b"{",
        b"}",
        b'"',
        b"\\",
        b"7",
        b"\xff\x00",
        b"\xef\xbb\xbf",
        b"request_id,call_type",
        b'r1,"a\nb"',
        b'{"request_id":"x"}',
        b'{\n"id":1,\n"call_type":2\n}',
    ]
)
objects = st.lists(chunks, max_size=12).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(objects, st.booleans(), st.integers(1, 50))
def test_every_byte_is_framed_rejected_a_separator_or_left(data, is_complete, chunk_bytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "CHUNK_BYTES", chunk_bytes)
        patch.setattr(litellm, "_HEAD_BYTES", 64)
        _, rejected, report = read(data, is_complete=is_complete)
    assert is_complete is False or report.bytes_left == 0
    for row in rejected:
        if not row["is_base64"] and row["raw_text"]:
            assert data[row["position"] :].startswith(row["raw_text"].encode())


kinds = st.sampled_from(["good", "mended", "foreign", "garbage", "binary"])
LINE_OF = {
    "good": line(1),
    "mended": b'{"id":"1","call_type":"a","x":1,"x":2}',
    "foreign": b'{"foo":1}',
    "garbage": b"{oops",
    "binary": b"\xff\xfe",
}


@settings(max_examples=60, deadline=None)
@given(st.lists(kinds, max_size=150), st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
def test_every_line_is_a_record_or_rejected(names, end):
    data = b"".join(LINE_OF[name] + end for name in names)
    records, rejected, report = read(data)
    assert len(records) == sum(name in {"good", "mended"} for name in names)
    assert len(rejected) == len(names) - len(records)
    assert report.separator_bytes == len(end) * len(names)
    assert sorted(r["position"] for r in records) == [n for n, name in enumerate(names) if name in {"good", "mended"}]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=8), max_size=3), max_size=8), st.integers(1, 64))
def test_an_array_holds_as_many_records_as_elements_however_it_is_read(extras, chunk_bytes):
    elements = [payload(n, metadata=extra) for n, extra in enumerate(extras)]
    data = json.dumps(elements, indent=chunk_bytes % 3 or None).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "CHUNK_BYTES", chunk_bytes)
        records, rejected, _ = read(data)
    assert rejected == []
    assert [json.loads(r["raw_text"]) for r in records] == elements
