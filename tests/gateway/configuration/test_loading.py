import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from configured import MINIMAL, configured, gateway_file, with_endpoints

from tollhouse.errors import SettingsError
from tollhouse.gateway.configuration.document import Gateway, Payloads
from tollhouse.gateway.configuration.endpoint import Payloads as EffectivePayloads
from tollhouse.gateway.configuration.endpoint import Timeouts
from tollhouse.gateway.configuration.findings import ConfigurationError
from tollhouse.gateway.configuration.loading import load_configuration
from tollhouse.gateway.configuration.reference import keys
from tollhouse.settings import load_settings
from tollhouse.settings_template import settings_template

PROJECT = Path(__file__).parents[3]
KEY = "sk-ant-api03-canary-0123456789abcdef"


def test_a_provider_and_an_endpoint_are_enough(tmp_path: Path) -> None:
    configuration = configured(tmp_path, MINIMAL)
    document = configuration.document

    assert (document.listen.host, document.listen.port, document.admin.port) == ("127.0.0.1", 8080, 8081)
    assert (document.workers, document.drain_seconds, document.transport) == (1, 30.0, "sockets")
    assert (document.limits.request_bytes, document.limits.decoded_ratio) == (33_554_432, 100)
    assert (document.spool.durability, document.spool.on_full) == ("interval", "reject")
    assert (document.permissions, document.identity.pepper, document.trusted_proxies) == (None, None, ())
    assert configuration.spool_dir == tmp_path / "spool"
    assert configuration.state_dir == tmp_path / ".tollhouse"


def test_an_endpoint_has_defaults_and_its_name_as_model(tmp_path: Path) -> None:
    endpoint = configured(tmp_path, MINIMAL).endpoints["e"]

    assert endpoint.models == ("e",)
    assert endpoint.timeouts == Timeouts(5.0, 120.0, 300.0, 900.0)
    assert (endpoint.retries.attempts, endpoint.retries.base_ms, endpoint.retries.max_ms) == (1, 250, 5000)
    assert (endpoint.cooldown.failures, endpoint.cooldown.seconds) == (3, 30.0)
    assert (endpoint.affinity, endpoint.disconnect, endpoint.fallbacks) == ("session", "cancel", ())
    assert endpoint.payloads == EffectivePayloads("on", 1.0, 10_485_760)


def test_an_endpoint_overrides_what_it_names_of_the_payloads(tmp_path: Path) -> None:
    gateway = """\
        payloads: {mode: sampled, sampling_fraction: 0.5, max_bytes: 7}
        providers: {p: {kind: openai_compatible, base_url: http://127.0.0.1:9}}
        endpoints:
          all: {destinations: [{provider: p}]}
          none: {destinations: [{provider: p}], payloads: {mode: off}}
          small: {destinations: [{provider: p}], payloads: {sampling_fraction: 0, max_bytes: 0}}
    """
    configuration = configured(tmp_path, gateway)
    found = {name: tuple(endpoint.payloads) for name, endpoint in configuration.endpoints.items()}

    assert configuration.document.payloads == Payloads(mode="sampled", sampling_fraction=0.5, max_bytes=7)
    assert found == {"all": ("sampled", 0.5, 7), "none": ("off", 0.5, 7), "small": ("sampled", 0.0, 0)}


def test_words_that_yaml_takes_for_something_else_stay_words(tmp_path: Path) -> None:
    gateway = """\
        payloads: {mode: on}
        providers: {a: {kind: azure_openai, base_url: https://a.openai.azure.com, api_version: 2024-10-21}}
        endpoints: {e: {destinations: [{provider: a}]}}
    """
    configuration = configured(tmp_path, gateway)

    assert configuration.document.payloads.mode == "on"
    assert configuration.providers["a"].api_version == "2024-10-21"


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    gateway = """\
        providers:
          p: &local {kind: openai_compatible, base_url: http://127.0.0.1:9, headers: {x-a: "1"}}
          q: {<<: *local, base_url: http://127.0.0.1:10}
          r: {<<: [{prices_as: openai}, *local]}
        endpoints:
          e: {destinations: &there [{provider: p}]}
          f: {destinations: *there}
    """
    providers = configured(tmp_path, gateway).providers

    assert {name: provider.base_url for name, provider in providers.items()} == {
        "p": "http://127.0.0.1:9",
        "q": "http://127.0.0.1:10",
        "r": "http://127.0.0.1:9",
    }
    assert providers["q"].headers == (("x-a", "1"),)
    assert (providers["q"].prices_as, providers["r"].prices_as) == ("q", "openai")


def test_a_fault_in_a_merged_key_has_the_line_where_it_stands(tmp_path: Path) -> None:
    gateway = """\
        providers:
          p: &local
            kind: openai_compatible
            base_url: http://127.0.0.1:9/?x
          q: {<<: *local}
        endpoints: {e: {destinations: [{provider: p}]}}
    """
    with pytest.raises(ConfigurationError) as raised:
        configured(tmp_path, gateway)

    assert [(finding.line, finding.path[2]) for finding in raised.value.findings] == [(5, "p"), (5, "q")]


def test_an_unknown_alias_and_an_endless_one_are_faults(tmp_path: Path) -> None:
    for gateway in ("providers: *nobody\n", "providers: &endless {p: *endless}\n"):
        with pytest.raises(ConfigurationError, match=r"tollhouse\.yml:2: "):
            configured(tmp_path, gateway)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"lake: lake\n", b"gateway:\n", b"gateway: {}\n", b"- 1\n"])
def test_a_file_without_a_gateway_is_a_fault(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "tollhouse.yml"
    file.write_bytes(content)

    with pytest.raises(ConfigurationError, match=r":[123]: gateway(\.providers)?: found "):
        load_configuration(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"gateway: [\n", r":\d: the file: found no YAML \(did not find expected node content\); allowed: YAML"),
        (
            b"a: 1\ngateway: 'sk-canary-0123456789abcdef\n",
            ":[23]: the file: found no YAML .found unexpected end of stream",
        ),
        (b"a: 1\n\tb: 2\n", r":2: the file: found no YAML \(found a tab character that violates indentation\)"),
        (b"a: 1\n--- 2\n", r":2: the file: found no YAML \(but found another document\)"),
        (b"a: \x00\n", ":1: the file: found control characters; allowed: YAML"),
        (b"a: 1\nb: \xff\n", ":2: the file: found bytes that are not UTF-8; allowed: text in UTF-8"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_line_and_not_quoted(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "tollhouse.yml"
    file.write_bytes(content)

    with pytest.raises(ConfigurationError, match=message) as raised:
        load_configuration(file)
    assert "canary" not in str(raised.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read the settings file .*/none\.yml: No such file"):
        load_configuration(tmp_path / "none.yml")


def test_a_byte_order_mark_is_nothing(tmp_path: Path) -> None:
    file = gateway_file(tmp_path, MINIMAL)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert load_configuration(file).endpoint_for("e") is not None


def test_the_other_settings_are_checked_with_their_lines(tmp_path: Path) -> None:
    file = gateway_file(tmp_path, MINIMAL)
    file.write_text(file.read_text() + "spool: {path: 1}\nretention:\n  days: 3\n")

    with pytest.raises(ConfigurationError) as raised:
        load_configuration(file)
    assert str(raised.value).splitlines()[:2] == [
        f"{file}:4: spool.path: found number 1; allowed: text",
        f"{file}:6: retention.days: found an unknown key; allowed: silver_days or vacuum_hours",
    ]


def test_folders_come_from_the_other_settings(tmp_path: Path) -> None:
    file = gateway_file(tmp_path, MINIMAL)
    file.write_text(file.read_text() + "spool: {path: log}\nstate: /var/tollhouse\n")
    configuration = load_configuration(file)

    assert (configuration.spool_dir, configuration.state_dir) == (tmp_path / "log", Path("/var/tollhouse"))


def test_the_lake_reads_the_same_file_without_looking_at_the_gateway(tmp_path: Path) -> None:
    file = gateway_file(tmp_path, "nonsense: [1, 2]\n")

    assert load_settings(str(file)).gateway == {"nonsense": [1, 2]}


def test_a_hash_is_of_what_is_in_force_and_not_of_how_it_is_written(tmp_path: Path) -> None:
    written = configured(tmp_path, MINIMAL)
    spelled = configured(tmp_path, "# a comment\nworkers: 1\nlisten: {port: 8080}\n" + MINIMAL)
    changed = configured(tmp_path, "workers: 2\n" + MINIMAL)

    assert written.hash == spelled.hash != changed.hash
    assert re.fullmatch("[0-9a-f]{16}", written.hash)
    assert written.is_same_as(spelled)
    assert not written.is_same_as(changed)


def test_every_process_computes_the_same_hash(tmp_path: Path) -> None:
    configuration = configured(tmp_path, MINIMAL)
    code = (
        "import sys; from tollhouse.gateway.configuration.loading import load_configuration;"
        "print(load_configuration(sys.argv[1]).hash)"
    )
    command = [sys.executable, "-c", code, str(configuration.file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"})

    assert done.stdout.strip() == configuration.hash


def test_the_order_of_endpoints_is_a_part_of_the_configuration(tmp_path: Path) -> None:
    one = "a: {models: ['x*'], destinations: [{provider: p}]}\n"
    other = "b: {models: ['*x'], destinations: [{provider: p}]}\n"

    assert not with_endpoints(tmp_path, one + other).is_same_as(with_endpoints(tmp_path, other + one))


def test_what_is_published_has_the_defaults_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_KEY", KEY)
    gateway = """\
        providers: {a: {kind: anthropic, credential: {env: CLAUDE_KEY}}}
        endpoints: {e: {destinations: [{provider: a, model: x/claude}], payloads: {max_bytes: 5}}}
    """
    public = configured(tmp_path, gateway).public()

    assert public["providers"]["a"]["base_url"] == "https://api.anthropic.com/v1"
    assert public["providers"]["a"]["protocols"] == ["anthropic_messages"]
    assert public["providers"]["a"]["prices_as"] == "anthropic"
    assert public["providers"]["a"]["credential"] == {"env": "CLAUDE_KEY", "file": None}
    assert public["endpoints"]["e"]["models"] == ["e"]
    assert public["endpoints"]["e"]["destinations"][0]["name"] == "a-claude"
    assert public["endpoints"]["e"]["payloads"] == {"mode": "on", "sampling_fraction": 1.0, "max_bytes": 5}
    assert set(public) == set(Gateway.__struct_fields__)


def test_what_is_published_can_be_read_as_the_same_configuration(tmp_path: Path) -> None:
    configuration = configured(tmp_path, MINIMAL)
    file = tmp_path / "again.yml"
    file.write_text(yaml.safe_dump({"gateway": configuration.public()}, sort_keys=False))

    assert load_configuration(file).hash == configuration.hash


def test_the_example_of_the_documentation_is_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "openai").write_text("sk-0123456789abcdef")
    (example,) = re.findall(r"```yaml\n(.*?)```", (PROJECT / "docs/gateway-configuration.md").read_text(), re.DOTALL)
    file = tmp_path / "tollhouse.yml"
    file.write_text(example)
    configuration = load_configuration(file)

    assert configuration.visible_models(["data-science"]) == ["assistant"]
    assert [target.name for target in configuration.endpoints["claude"].fallbacks] == ["openai-gpt-5.5"]


def test_the_example_of_the_settings_template_is_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    commented = settings_template().partition("#   gateway:\n")[2].partition("gateway: {}\n")[0]
    file = tmp_path / "tollhouse.yml"
    file.write_text("gateway:\n" + "".join(f"{line[4:]}\n" for line in commented.splitlines()))

    assert set(load_configuration(file).endpoints) == {"claude", "gpt"}


def test_every_key_stands_in_the_documentation() -> None:
    page = (PROJECT / "docs" / "gateway-configuration.md").read_text()
    missing = [key for key in keys() if f"| `{key.rpartition('.')[2]}` |" not in page]

    assert missing == []
    assert len(keys()) == len(set(keys())) == 60
