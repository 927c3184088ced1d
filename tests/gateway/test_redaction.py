"""Secrets never stay in what is logged, and nothing else is taken out."""

import base64
import hashlib
import json
import random
import string
import threading
import uuid
from pathlib import Path

import msgspec
import pytest
from gateway.observing.observed_streams import sse
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.gateway.redaction import Redactor, logged_headers, logged_query

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "recorded-http"

# Made here, of the right shape and of no use.
_B62 = (string.ascii_letters + string.digits) * 2
KEYS = {
    "anthropic_key": ["sk-ant-api03-" + _B62[:60] + "_-AA"],
    "openai_key": ["sk-proj-" + _B62[:40], "sk-" + _B62[:48], "sk-or-v1-" + "0af3" * 16, "sk-svcacct-" + _B62[:30]],
    "google_key": ["AIza" + "Sy" + _B62[:33], "AQ.Ab8" + _B62[:50]],
    "google_token": ["ya29." + _B62[:60]],
    "aws_key": ["AKIA" + "QRSTUVWXYZ234567", "ASIA" + "QRSTUVWXYZ234567"],
    "groq_key": ["gsk_" + _B62[:52]],
    "github_token": ["ghp_" + _B62[:36], "gho_" + _B62[:36], "github_pat_" + _B62[:22] + "_" + _B62[:59]],
    "slack_token": ["xoxb-" + "123456789012-" + _B62[:24], "xoxp-" + "123456789012-" + _B62[:24]],
    "huggingface_token": ["hf_" + _B62[:34]],
    "gitlab_token": ["glpat-" + _B62[:20]],
    "databricks_token": ["dapi" + "0af3" * 8],
    "gateway_key": ["th_" + "0123456789ab" + "_" + _B62[:43]],
    "jwt": ["eyJ" + _B62[:20] + ".eyJ" + _B62[:30] + "." + _B62[:43]],
}
CASES = [(kind, key) for kind, keys in KEYS.items() for key in keys]
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xf\n"
    + "ab/+" * 16
    + "\n-----END RSA PRIVATE KEY-----"
)
SECRET = b"canary-7f/\xc3\xa9+secret"
QUOTED = b'can"ary\\quoted-secret'

redactor = Redactor([SECRET, QUOTED, b"short", b"1234567890"])


def record(text: str, **members: object) -> bytes:
    return msgspec.json.encode({"record": "OUTCOME", "request_body": text, **members})


def redacted(text: str) -> tuple[str, int]:
    """What stays of a body, and the count in its record."""
    line, count = redactor.redact_line(record(text))
    value = json.loads(line)
    assert value.get("redaction_count", 0) == count
    return value["request_body"], count


@pytest.mark.parametrize(("kind", "key"), CASES)
def test_keys_of_every_provider_are_replaced(kind: str, key: str) -> None:
    for before, after in (("", ""), ("Bearer ", "."), ("key=", "\n"), ("a\n", "\nb"), ("\t", "\t"), ('{"k":"', '"}')):
        assert redacted(before + key + after) == (f"{before}[REDACTED:{kind}]{after}", 1)


@pytest.mark.parametrize(("kind", "key"), CASES)
def test_keys_are_found_at_any_depth_of_json(kind: str, key: str) -> None:
    text = "line\n" + key + "\n"
    for _ in range(3):
        text = json.dumps({"v": text})
    kept, count = redacted(text)
    assert count == 1
    for _ in range(3):
        kept = json.loads(kept)["v"]
    assert kept == f"line\n[REDACTED:{kind}]\n"


@pytest.mark.parametrize(("kind", "key"), CASES)
def test_a_key_in_the_middle_of_a_word_is_none(kind: str, key: str) -> None:
    assert redacted("x" + key) == ("x" + key, 0)
    assert redacted("_" + key) == ("_" + key, 0)


def test_a_private_key_is_replaced_with_its_line_ends() -> None:
    assert redacted(f"a\n{PEM}\nb") == ("a\n[REDACTED:private_key]\nb", 1)
    nested = json.dumps({"pem": PEM.replace("\n", "\r\n"), "b": 1})
    kept, count = redacted(nested)
    assert (json.loads(kept), count) == ({"pem": "[REDACTED:private_key]", "b": 1}, 1)


def test_a_private_key_that_was_cut_is_replaced_as_far_as_it_goes() -> None:
    assert redacted(f"a {PEM[:90]}") == ("a [REDACTED:private_key]", 1)


def test_the_name_of_a_private_key_is_none() -> None:
    text = "Put -----BEGIN PRIVATE KEY----- on the first line."
    assert redacted(text) == (text, 0)


@pytest.mark.parametrize("name", ["api-key", "api_key", "AZURE_OPENAI_API_KEY", "apiKey", "Ocp-Apim api-key"])
def test_an_azure_key_is_one_beside_a_name_that_says_so(name: str) -> None:
    key = "0af3" * 8
    assert redacted(f'{{"{name}": "{key}"}}') == (f'{{"{name}": "[REDACTED:azure_key]"}}', 1)
    assert redacted(f"{name}={key}\n") == (f"{name}=[REDACTED:azure_key]\n", 1)
    assert redacted(f"{name} is the MD5 {key}")[1] == 0


def test_given_secrets_are_replaced_in_every_form_that_json_gives_them() -> None:
    for secret in (SECRET.decode(), QUOTED.decode()):
        for is_ascii in (True, False):
            text = f"a {secret} b"
            for _ in range(3):
                kept, count = redacted(text)
                assert (kept.count("[REDACTED:secret]"), count) == (1, 1)
                assert "canary" not in kept
                text = json.dumps(text, ensure_ascii=is_ascii)
    assert redacted("canary-7f\\/é+secret") == ("[REDACTED:secret]", 1)


def test_secrets_that_would_hit_what_is_none_are_not_looked_for() -> None:
    assert redactor.redact_line(b'{"n":1234567890,"t":"short"}') == (b'{"n":1234567890,"t":"short"}', 0)
    assert Redactor([]).redact_line(b"{}") == (b"{}", 0)


def test_a_secret_never_begins_inside_an_escape() -> None:
    narrow = Redactor([b"nightfall-1", b"00e9-canary"])
    for text in ("\nightfall-1", "\x00e9-canary"):
        line = record(text)
        assert narrow.redact_line(line) == (line, 0)
    assert narrow.redact_line(record("\nnightfall-1"))[1] == 1
    assert narrow.redact_line(record("\\nightfall-1"))[1] == 1
    tabbed = record("\t" + KEYS["gateway_key"][0][1:])
    assert redactor.redact_line(tabbed) == (tabbed, 0)


def test_matches_that_overlap_count_once() -> None:
    key = KEYS["openai_key"][0]
    both = Redactor([key.encode()[10:30], key.encode()])
    line, count = both.redact_line(record(f"a {key} b"))
    assert (json.loads(line)["request_body"].count("[REDACTED:"), count) == (1, 1)
    assert key[10:20] not in line.decode()


def test_the_count_is_the_last_member_or_raises_the_one_that_is_there() -> None:
    key = KEYS["groq_key"][0]
    line, _ = redactor.redact_line(record(f"{key} {key}"))
    assert line.endswith(b',"redaction_count":2}')
    inside = '"redaction_count":7 '
    line, count = redactor.redact_line(record(inside + key, usage={"redaction_count": 3}, redaction_count=3, tail="x"))
    assert count == 1
    value = json.loads(line)
    assert (value["redaction_count"], value["usage"]) == (4, {"redaction_count": 3})
    assert value["request_body"] == inside + "[REDACTED:groq_key]"
    assert line.count(b'"redaction_count":') == 2
    assert json.loads(redactor.redact_line(record(key) + b"\n")[0])["redaction_count"] == 1


def test_ordinary_identifiers_and_binary_texts_are_no_secrets() -> None:
    dice = random.Random(7)
    texts = [
        *(str(uuid.UUID(int=dice.getrandbits(128))) for _ in range(500)),
        *(hashlib.sha256(dice.randbytes(8)).hexdigest() for _ in range(500)),
        *(hashlib.md5(dice.randbytes(8)).hexdigest() for _ in range(500)),
        *(base64.b64encode(dice.randbytes(3000)).decode() for _ in range(100)),
        *(base64.urlsafe_b64encode(dice.randbytes(3000)).decode() for _ in range(100)),
        "sk-SK sk-learn-based-classification-pipeline task-sk-1 disk-usage-of-every-partition risk-averse",
        "chatcmpl-E4Rjs6IxaJVge9Ntk5keJsaeDy6vS resp_0850765c843cca5300699cc47d93c0819089a181f5feeff8eb",
        "toolu_01MwXaweAHve88x6s3Fc8x6Q call_abcdefghijklmnopqrstuvwx msg_01Js8aWE7YbmiaUPneGiCskE",
        "my_th_0123456789ab_x AKIA AKIALOWERcase12345 ghp_short xoxo-kisses hf_hub_download(repo_id) eyJhbGciOi",
    ]
    line = record("\n".join(texts))
    assert redactor.redact_line(line) == (line, 0)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers of ../shared/data are not here")
def test_nothing_in_recorded_traffic_is_taken_for_a_secret() -> None:
    for file in RECORDED.glob("*/*.yaml"):
        line = record(file.read_text())
        assert redactor.redact_line(line) == (line, 0), file.name


@given(
    st.lists(
        st.sampled_from([key for _, key in CASES] + [PEM, SECRET.decode(), QUOTED.decode(), "\\", '"', "\n", "n", "é"])
    )
)
def test_a_record_stays_json_whatever_is_taken_out(pieces: list[str]) -> None:
    body = json.dumps({"t": "".join(pieces)})
    line, count = redactor.redact_line(record(body, raw_events=body))
    value = json.loads(line)
    assert value.get("redaction_count", 0) == count
    assert set(value) <= {"record", "request_body", "raw_events", "redaction_count"}


def test_events_are_redacted_in_place() -> None:
    key = KEYS["openai_key"][0]
    assert redactor.redact_events(sse({"x": key}, {"y": "b"})) == (sse({"x": "[REDACTED:openai_key]"}, {"y": "b"}), 1)
    assert redactor.redact_events(b"") == (b"", 0)


@pytest.mark.parametrize("cut", range(1, 40, 6))
def test_a_secret_in_pieces_takes_all_raw_events_with_it(cut: int) -> None:
    key = KEYS["openai_key"][0]
    pieces = [{"type": "news", "delta": {"x": [text]}} for text in ("a " + key[:cut], key[cut:])]
    assert redactor.redact_events(sse(*pieces)) == (b"[REDACTED:events]", 1)
    array = b"[" + b",\n".join(msgspec.json.encode(piece) for piece in pieces) + b"]"
    assert redactor.redact_events(array) == (b"[REDACTED:events]", 1)
    assert redactor.redact_events(sse(b"{a " + key[:cut].encode(), key[cut:].encode())) == (b"[REDACTED:events]", 1)


def test_events_without_secrets_stay_as_they_are() -> None:
    for raw in (sse({"x": "a"}, {"y": ["b", 1, None]}), b"garbage", b'[{"a":1},', sse(b"[" * 5000)):
        assert redactor.redact_events(raw) == (raw, 0)


def test_bytes_are_redacted_before_base64_hides_them() -> None:
    assert redactor.redact_bytes(b"\xff " + SECRET + b" \xfe") == (b"\xff [REDACTED:secret] \xfe", 1)


def test_threads_share_a_redactor() -> None:
    line = record("x" * 200_000 + " " + KEYS["groq_key"][0])
    counts: list[int] = []

    def work() -> None:
        counts.extend(redactor.redact_line(line)[1] for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1] * 200


def test_credential_headers_are_replaced_and_counted() -> None:
    headers = [
        (b"host", b"gw"),
        (b"authorization", b"Bearer other"),
        (b"X-Api-Key", b"k"),
        (b"api-key", b"k"),
        (b"x-goog-api-key", b"k"),
        (b"cookie", b"a=b"),
        (b"set-cookie", b"a=b"),
        (b"proxy-authorization", b"Basic eA=="),
        (b"x-amz-security-token", b"t"),
        (b"x-my-secret", b"s"),
        (b"x-db-password", b"p"),
        (b"x-tollhouse-key", b"p"),
        (b"anthropic-beta", b"a"),
        (b"anthropic-beta", b"b"),
        (b"x-note", "é".encode("latin-1")),
        (b"x-max-tokens", b"5"),
    ]
    logged, count = logged_headers(headers)
    assert count == 11
    assert {name: value for name, value in logged.items() if value != "[REDACTED]"} == {
        "host": "gw",
        "anthropic-beta": "a, b",
        "x-note": "é",
        "x-max-tokens": "5",
    }
    assert len(logged) == 15


def test_the_header_with_the_callers_own_key_is_left_out_and_not_counted() -> None:
    key = KEYS["gateway_key"][0].encode()
    headers = [(b"authorization", b"Bearer " + key), (b"x-api-key", b"sk-other"), (b"accept", b"*/*")]
    assert logged_headers(headers, key) == ({"x-api-key": "[REDACTED]", "accept": "*/*"}, 1)


@pytest.mark.parametrize(
    ("query", "logged", "count"),
    [
        (b"", None, 0),
        (b"alt=sse", "alt=sse", 0),
        (b"key=AIzaX&alt=sse", "key=[REDACTED]&alt=sse", 1),
        (b"%6Bey=x&API_KEY=y&access_token=z", "%6Bey=[REDACTED]&API_KEY=[REDACTED]&access_token=[REDACTED]", 3),
        (
            b"sig=a&signature=b&password=c&X-Amz-Signature=d",
            "sig=[REDACTED]&signature=[REDACTED]&password=[REDACTED]&X-Amz-Signature=[REDACTED]",
            4,
        ),
        (b"key=&token&pageSize=5&pageToken=n", "key=&token&pageSize=5&pageToken=[REDACTED]", 1),
        (b"a=\xff&b=%00", "a=ÿ&b=%00", 0),
    ],
)
def test_credentials_in_a_query_are_replaced(query: bytes, logged: str | None, count: int) -> None:
    assert logged_query(query) == (logged, count)


def test_the_callers_own_key_in_the_query_is_replaced_and_not_counted() -> None:
    assert logged_query(b"key=th%5Fmine&token=x", b"th_mine") == ("key=[REDACTED]&token=[REDACTED]", 1)
