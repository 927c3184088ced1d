from collections.abc import Sequence
from pathlib import Path

import pytest
from configured import configured

from tollhouse.gateway.configuration.configuration import Configuration

GATEWAY = """\
    providers: {p: {kind: openai_compatible, base_url: http://127.0.0.1:9}}
    endpoints:
      gpt: {models: [gpt-5, "gpt-*"], destinations: [{provider: p, model: gpt-5-mini}]}
      claude: {models: [claude-opus, claude-haiku], destinations: [{provider: p}]}
"""
PERMISSIONS = """\
    permissions:
      - {groups: [data], endpoints: [gpt], models: ["gpt-5*"]}
      - {groups: [data, law], endpoints: ["c*"], models: [claude-opus]}
      - {groups: ["*"], models: [claude-haiku]}
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return configured(tmp_path, GATEWAY + PERMISSIONS)


@pytest.mark.parametrize(
    ("groups", "endpoint", "model", "may"),
    [
        (["data"], "gpt", "gpt-5", True),
        (["data"], "gpt", "gpt-5.5", True),
        (["data"], "gpt", "gpt-4", False),
        (["data"], "claude", "gpt-5", False),
        (["law"], "gpt", "gpt-5", False),
        (["law"], "claude", "claude-opus", True),
        (["other", "law"], "claude", "claude-opus", True),
        (["other"], "claude", "claude-opus", False),
        ([], "claude", "claude-opus", False),
        ([], "claude", "claude-haiku", True),
        (["*"], "gpt", "gpt-5", False),
        (["Data"], "gpt", "gpt-5", False),
    ],
)
def test_with_a_list_what_it_does_not_give_is_refused(
    configuration: Configuration, groups: Sequence[str], endpoint: str, model: str, may: bool
) -> None:
    for _ in range(2):
        assert configuration.may_use(groups, endpoint, model) is may
        assert configuration.may_use(tuple(groups), endpoint, model) is may


def test_without_a_list_everybody_may_use_everything(tmp_path: Path) -> None:
    assert configured(tmp_path, GATEWAY).may_use([], "gpt", "gpt-4")


def test_with_an_empty_list_nobody_may_use_anything(tmp_path: Path) -> None:
    configuration = configured(tmp_path, GATEWAY + "    permissions: []\n")

    assert not configuration.may_use(["data"], "gpt", "gpt-5")
    assert configuration.visible_models(["data"]) == []


def test_a_list_of_models_holds_what_one_may_use(configuration: Configuration) -> None:
    assert configuration.visible_models(["data"]) == ["gpt-5", "gpt-5-mini", "claude-opus", "claude-haiku"]
    assert configuration.visible_models(["law"]) == ["claude-opus", "claude-haiku"]
    assert configuration.visible_models([]) == ["claude-haiku"]


def test_clients_cannot_make_it_remember_without_end(configuration: Configuration) -> None:
    for number in range(10_000):
        assert configuration.may_use(["data"], "gpt", f"gpt-5-{number}")
    assert configuration.may_use(["data"], "gpt", "gpt-5" + "x" * 1_000_000)
    answers = configuration._permissions._answers

    assert len(answers) <= 4096
    assert max(len(model) for _, _, model in answers) <= 256


@pytest.mark.parametrize(
    ("address", "is_trusted"),
    [
        ("10.1.2.3", True),
        ("192.168.0.7", True),
        ("192.168.0.8", False),
        ("11.0.0.1", False),
        ("fd00::1", True),
        ("fe80::1", False),
        ("", False),
        ("unix:", False),
    ],
)
def test_only_configured_proxies_are_trusted(tmp_path: Path, address: str, is_trusted: bool) -> None:
    proxies = "    trusted_proxies: [10.0.0.0/8, 192.168.0.7, 'fd00::/8']\n"

    assert configured(tmp_path, GATEWAY + proxies).trusts_proxy(address) is is_trusted
    assert not configured(tmp_path, GATEWAY).trusts_proxy(address)
