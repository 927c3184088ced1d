import traceback
from pathlib import Path

import msgspec
import pytest
from configured import configured, gateway_file

from tollhouse.gateway.configuration.findings import ConfigurationError
from tollhouse.gateway.configuration.loading import load_configuration

GATEWAY = """\
    identity: {pepper: {env: PEPPER}}
    providers:
      openai: {kind: openai, credential: {env: OPENAI_KEY}}
      azure: {kind: azure_openai, base_url: https://a.openai.azure.com, credential: {file: secrets/azure}}
      claude: {kind: anthropic, credential: {file: secrets/claude}}
      google: {kind: gemini, credential: {env: OPENAI_KEY}}
      vllm: {kind: openai_compatible, base_url: http://127.0.0.1:9/v1, credential: {env: PLACEHOLDER}}
      ollama: {kind: openai_compatible, base_url: http://127.0.0.1:9/v1}
    endpoints: {e: {destinations: [{provider: openai}, {provider: azure, model: d}]}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEPPER", "canary-pepper-0123456789-0123456789")
    monkeypatch.setenv("OPENAI_KEY", "  canary-openai-key\n")
    monkeypatch.setenv("PLACEHOLDER", "EMPTY")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "azure").write_text("canary-azure-key-0123456789\n")
    (tmp_path / "secrets" / "claude").write_bytes(b"\ncanary-claude-key\r\n")
    return tmp_path


def test_each_kind_takes_its_credential_in_its_own_header(folder: Path) -> None:
    providers = configured(folder, GATEWAY).providers

    assert {name: provider.credential_header for name, provider in providers.items()} == {
        "openai": ("authorization", "Bearer canary-openai-key"),
        "azure": ("api-key", "canary-azure-key-0123456789"),
        "claude": ("x-api-key", "canary-claude-key"),
        "google": ("x-goog-api-key", "canary-openai-key"),
        "vllm": ("authorization", "Bearer EMPTY"),
        "ollama": None,
    }


def test_the_redactor_is_given_each_secret_once_the_longest_first_and_no_placeholder(folder: Path) -> None:
    assert configured(folder, GATEWAY).secrets == (
        b"canary-pepper-0123456789-0123456789",
        b"canary-azure-key-0123456789",
        b"canary-claude-key",
        b"canary-openai-key",
    )


def test_the_pepper_is_read_without_white_space(folder: Path) -> None:
    assert configured(folder, GATEWAY).pepper == b"canary-pepper-0123456789-0123456789"


def test_nothing_that_can_be_printed_holds_a_secret(folder: Path) -> None:
    configuration = configured(folder, GATEWAY)
    endpoint = configuration.endpoints["e"]
    printed = [
        repr(configuration),
        str(configuration),
        repr(configuration.document),
        repr(configuration.providers),
        repr(endpoint),
        repr(endpoint.primaries[0].record),
        msgspec.json.encode(configuration.public()).decode(),
        *(provider.url(provider.wires[0], "list_models") for provider in configuration.providers.values()),
    ]

    assert [text for text in printed if "canary" in text or "EMPTY" in text] == []


def test_another_credential_is_another_configuration_of_the_same_hash(folder: Path) -> None:
    file = gateway_file(folder, GATEWAY)
    before = load_configuration(file)
    (folder / "secrets" / "azure").write_text("canary-azure-key-rotated")
    after = load_configuration(file)

    assert before.hash == after.hash
    assert not before.is_same_as(after)


def test_the_files_that_hold_secrets_are_watched(folder: Path) -> None:
    watched = configured(folder, GATEWAY).origin.watched

    assert watched == (folder / "tollhouse.yml", folder / "secrets" / "azure", folder / "secrets" / "claude")


def test_a_secret_may_be_in_a_file_anywhere(folder: Path) -> None:
    gateway = GATEWAY.replace("secrets/azure", str(folder / "secrets" / "claude"))

    assert configured(folder, gateway).providers["azure"].credential_header == ("api-key", "canary-claude-key")


def test_an_error_holds_no_secret_that_could_be_read(folder: Path) -> None:
    gateway = GATEWAY + "    workers: 0\n    payloads: {mode: x}\n"
    (folder / "secrets" / "claude").write_text("canary claude key")

    with pytest.raises(ConfigurationError) as raised:
        configured(folder, gateway)
    printed = "".join(traceback.format_exception(raised.value)) + repr(raised.value.findings)

    assert len(raised.value.findings) == 3
    assert "canary" not in printed
