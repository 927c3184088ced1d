from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from configured import configured
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.gateway.configuration.document import Provider as Written
from tollhouse.gateway.configuration.provider import Provider, compile_provider
from tollhouse.gateway.wires import Operation, Wire

LOCAL = "http://127.0.0.1:9/v1"
HOSTILE = [
    "..",
    ".",
    "%2e%2e",
    "../../admin",
    "a/../../b",
    "a?key=b",
    "a#b",
    "a\r\nHost: evil",
    "//evil.com/",
    "\\..\\b",
    "@evil.com",
    "a:generateContent",
    "\x00",
    "ключ",
    "\ud800",
    "",
    " ",
    "a%2Fb",
    "{}",
    ";",
]


def compiled(kind: str, **more: object) -> Provider:
    return compile_provider("p", Written(kind=kind, **more), None)


OPENAI = compiled("openai")
CLAUDE = compiled("anthropic")
GEMINI = compiled("gemini")
AZURE = compiled("azure_openai", base_url="https://a.openai.azure.com/", api_version="2024-10-21")
AZURE_V1 = compiled("azure_openai", base_url="https://a.openai.azure.com")
VLLM = compiled("openai_compatible", base_url=f"{LOCAL}/", protocols=("anthropic_messages", "openai_chat"))
G = "https://generativelanguage.googleapis.com/v1beta/models"
A = "https://a.openai.azure.com/openai"


@pytest.mark.parametrize(
    ("provider", "wire", "operation", "url"),
    [
        (OPENAI, "openai_chat", "generate", "https://api.openai.com/v1/chat/completions"),
        (OPENAI, "openai_responses", "generate", "https://api.openai.com/v1/responses"),
        (OPENAI, "openai_responses", "get_response", "https://api.openai.com/v1/responses/x"),
        (OPENAI, "openai_responses", "delete_response", "https://api.openai.com/v1/responses/x"),
        (OPENAI, "openai_responses", "cancel_response", "https://api.openai.com/v1/responses/x/cancel"),
        (OPENAI, "openai_responses", "list_input_items", "https://api.openai.com/v1/responses/x/input_items"),
        (OPENAI, "openai_embeddings", "embed", "https://api.openai.com/v1/embeddings"),
        (OPENAI, "openai_chat", "list_models", "https://api.openai.com/v1/models"),
        (OPENAI, "openai_chat", "show_model", "https://api.openai.com/v1/models/x"),
        (CLAUDE, "anthropic_messages", "generate", "https://api.anthropic.com/v1/messages"),
        (CLAUDE, "anthropic_messages", "count_tokens", "https://api.anthropic.com/v1/messages/count_tokens"),
        (CLAUDE, "anthropic_messages", "show_model", "https://api.anthropic.com/v1/models/x"),
        (GEMINI, "gemini", "generate", f"{G}/x:generateContent"),
        (GEMINI, "gemini", "count_tokens", f"{G}/x:countTokens"),
        (GEMINI, "gemini", "embed", f"{G}/x:embedContent"),
        (GEMINI, "gemini", "list_models", G),
        (AZURE, "openai_chat", "generate", f"{A}/deployments/x/chat/completions?api-version=2024-10-21"),
        (AZURE, "openai_embeddings", "embed", f"{A}/deployments/x/embeddings?api-version=2024-10-21"),
        (AZURE, "openai_responses", "generate", f"{A}/responses?api-version=2024-10-21"),
        (AZURE, "openai_responses", "get_response", f"{A}/responses/x?api-version=2024-10-21"),
        (AZURE, "openai_chat", "list_models", f"{A}/models?api-version=2024-10-21"),
        (AZURE_V1, "openai_chat", "generate", f"{A}/v1/chat/completions"),
        (AZURE_V1, "openai_responses", "cancel_response", f"{A}/v1/responses/x/cancel"),
        (VLLM, "openai_chat", "generate", f"{LOCAL}/chat/completions"),
        (VLLM, "anthropic_messages", "count_tokens", f"{LOCAL}/messages/count_tokens"),
    ],
)
def test_an_operation_has_its_url(provider: Provider, wire: Wire, operation: Operation, url: str) -> None:
    assert provider.speaks(wire, operation)
    assert provider.url(wire, operation, "x") == url


def test_gemini_streams_as_events_or_as_an_array() -> None:
    assert GEMINI.url("gemini", "generate", "x", is_stream=True) == f"{G}/x:streamGenerateContent?alt=sse"
    assert GEMINI.url("gemini", "generate", "x", is_stream=True, style="json_array") == f"{G}/x:streamGenerateContent"


def test_gemini_embeds_one_or_many() -> None:
    assert GEMINI.url("gemini", "embed", "x", is_batch=True) == f"{G}/x:batchEmbedContents"


def test_other_protocols_stream_from_the_same_url() -> None:
    assert OPENAI.url("openai_chat", "generate", "x", is_stream=True) == OPENAI.url("openai_chat", "generate", "x")


@pytest.mark.parametrize(
    ("provider", "wire", "operation"),
    [
        (OPENAI, "anthropic_messages", "generate"),
        (OPENAI, "openai_chat", "embed"),
        (CLAUDE, "openai_chat", "generate"),
        (VLLM, "openai_responses", "generate"),
        (GEMINI, "gemini", "get_response"),
    ],
)
def test_what_a_provider_does_not_speak_has_no_url(provider: Provider, wire: Wire, operation: Operation) -> None:
    assert not provider.speaks(wire, operation)
    with pytest.raises(KeyError):
        provider.url(wire, operation, "x")


def test_a_translated_call_uses_the_first_protocol_that_generates() -> None:
    embedder = compiled("openai_compatible", base_url=LOCAL, protocols=("openai_embeddings",))
    first = compiled("openai", protocols=("openai_embeddings", "openai_responses", "openai_chat"))

    assert (OPENAI.translated_wire, VLLM.translated_wire, GEMINI.translated_wire) == (
        "openai_chat",
        "anthropic_messages",
        "gemini",
    )
    assert (embedder.translated_wire, first.translated_wire) == (None, "openai_responses")


def path_is_whole(provider: Provider, wire: Wire, operation: Operation, subject: str) -> None:
    plain, hostile = (urlsplit(provider.url(wire, operation, name)) for name in ("x", subject))
    segments = hostile.path.split("/")

    assert (hostile.scheme, hostile.netloc, hostile.query, hostile.fragment) == (
        plain.scheme,
        plain.netloc,
        plain.query,
        "",
    )
    assert len(segments) == len(plain.path.split("/"))
    assert not {unquote(segment) for segment in segments} & {".", "..", "/"}
    assert "" not in segments[1:]
    assert hostile.geturl().isascii()
    assert hostile.geturl().isprintable()
    assert " " not in hostile.geturl()


CASES: list[tuple[Provider, Wire, Operation]] = [
    (GEMINI, "gemini", "generate"),
    (GEMINI, "gemini", "show_model"),
    (AZURE, "openai_chat", "generate"),
    (OPENAI, "openai_responses", "get_response"),
    (OPENAI, "openai_responses", "cancel_response"),
    (CLAUDE, "anthropic_messages", "show_model"),
]


@pytest.mark.parametrize("subject", HOSTILE, ids=ascii)
@pytest.mark.parametrize(("provider", "wire", "operation"), CASES)
def test_a_clients_text_stays_one_segment(provider: Provider, wire: Wire, operation: Operation, subject: str) -> None:
    path_is_whole(provider, wire, operation, subject)


@given(subject=st.text(alphabet=st.characters()), case=st.sampled_from(CASES))
def test_any_text_stays_one_segment(subject: str, case: tuple[Provider, Wire, Operation]) -> None:
    path_is_whole(*case, subject)


@pytest.mark.parametrize(
    ("query", "passed"),
    [
        ("", ""),
        ("beta=true", "beta=true"),
        ("key=canary", ""),
        ("a=1&key=canary&b=2", "a=1&b=2"),
        ("KEY=canary&%6bey=canary&k%65y=canary&$key=canary", ""),
        ("access_token=canary&oauth_token=canary&api_key=canary&+key=canary", ""),
        ("alt=proto&$alt=json&callback=f", ""),
        ("api-version=evil", ""),
        ("a=%2F&&b", "a=%2F&b"),
        ("a=b#c", "a=b%23c"),
        ("a=b\r\nx: y", "a=b%0D%0Ax:%20y"),
        ("a=ü", "a=%C3%BC"),
    ],
)
def test_a_clients_query_passes_without_credentials(query: str, passed: str) -> None:
    url = CLAUDE.url("anthropic_messages", "generate", query=query)

    assert url == "https://api.anthropic.com/v1/messages" + (f"?{passed}" if passed else "")


def test_a_query_is_joined_to_what_the_gateway_asks_itself() -> None:
    assert GEMINI.url("gemini", "generate", "x", is_stream=True, query="a=1").endswith("?a=1&alt=sse")
    assert AZURE.url("openai_chat", "generate", "x", query="api-version=1&a=1").endswith("?api-version=2024-10-21&a=1")


def test_an_endpoints_model_goes_into_azures_path(tmp_path: Path) -> None:
    gateway = """\
        providers: {a: {kind: azure_openai, base_url: https://a.openai.azure.com, api_version: preview}}
        endpoints: {gpt: {destinations: [{provider: a, model: my/gpt}]}}
    """
    (target,) = configured(tmp_path, gateway).endpoints["gpt"].primaries

    assert target.name == "a-gpt"
    assert target.provider.url("openai_chat", "generate", target.model or "") == (
        f"{A}/deployments/my%2Fgpt/chat/completions?api-version=preview"
    )
