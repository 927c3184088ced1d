import datetime as dt
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from tollhouse.cli import cli
from tollhouse.demo import live_sdks
from tollhouse.demo.live import kinds
from tollhouse.demo.live_calls import KINDS
from tollhouse.demo.live_settings import PROVIDER_KEY_FILE, write_gateway
from tollhouse.demo.staging import demo_settings, stage
from tollhouse.gateway.configuration.loading import load_configuration
from tollhouse.settings import FILE_NAME

TOLLHOUSE = Path(sys.executable).parent / "tollhouse"
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def test_live_calls_are_sent_once_and_their_rows_equal_the_providers_ledger(tmp_path: Path) -> None:
    demo = [TOLLHOUSE, "demo", str(tmp_path / "demo"), "--calls", "50", "--days", "1", "--live", "100"]
    first = subprocess.run(demo, capture_output=True, text=True, check=False)

    assert (first.returncode, first.stderr) == (0, "")
    assert "Sent 100 live calls with openai, anthropic and google-genai" in first.stdout
    assert "100 calls sent = 100 rows in the lake, 2 of them refused" in first.stdout
    # 98 reach a provider, 4 of them twice.
    assert "provider:  102 calls, " in first.stdout
    assert "lake:      102 attempts, " in first.stdout

    again = subprocess.run(demo, capture_output=True, text=True, check=True).stdout

    assert "live calls" not in again.partition("── Who")[0]
    assert again.partition("── Who")[2] == first.stdout.partition("── Who")[2]


def test_a_hundred_calls_hold_every_kind_by_its_share() -> None:
    counted = Counter(kinds(100))

    assert sum(kind.share for kind in KINDS) == 100
    assert all(counted[kind] == kind.share for kind in KINDS)


def test_the_gateways_section_takes_the_place_of_an_earlier_one_and_can_be_served(tmp_path: Path) -> None:
    stage(tmp_path, 5, 1, NOON)
    settings_file = tmp_path / FILE_NAME
    write_gateway(settings_file, "http://127.0.0.1:9")
    write_gateway(settings_file, "http://127.0.0.1:10")

    configuration = load_configuration(settings_file)
    assert yaml.safe_load(settings_file.read_text())["engine"]["name"] == demo_settings(tmp_path).engine.name
    assert {provider["base_url"] for provider in demo_settings(tmp_path).gateway["providers"].values()} == {
        "http://127.0.0.1:10/v1",
        "http://127.0.0.1:10/v1beta",
        "http://127.0.0.1:10/behave/status=429/v1",
    }
    assert configuration.endpoint_for("claude-sonnet") is not None
    assert (tmp_path / PROVIDER_KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_without_the_sdks_one_line_says_so_and_the_demo_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(live_sdks._MODULES, "openai", "no_such_module_of_openai")
    folder = tmp_path / "demo"
    done = CliRunner().invoke(cli, ["demo", str(folder), "--calls", "5", "--days", "1"])

    assert done.exit_code == 0
    assert done.output.startswith("No live calls: openai not installed")
    assert "→ equal" in done.output
    assert not demo_settings(folder).gateway
