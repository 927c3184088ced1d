import subprocess
import sys
from pathlib import Path

import pytest

from tollhouse.errors import SettingsError, StorageError
from tollhouse.gateway.identity.errors import IdentityError
from tollhouse.gateway.identity.pepper import configured_pepper, load_pepper, pepper_path
from tollhouse.settings import load_settings

LOAD = """
import sys
from pathlib import Path
from tollhouse.gateway.identity.pepper import load_pepper
sys.stdin.readline()
print(load_pepper(Path(sys.argv[1])).hex())
"""


def test_the_first_use_makes_a_pepper_that_only_its_owner_may_read(tmp_path: Path) -> None:
    pepper = load_pepper(tmp_path)

    assert len(pepper) == 64
    assert pepper_path(tmp_path).stat().st_mode & 0o777 == 0o600
    assert load_pepper(tmp_path) == pepper
    assert list((tmp_path / "gateway").iterdir()) == [pepper_path(tmp_path)]


def test_two_folders_have_two_peppers(tmp_path: Path) -> None:
    assert load_pepper(tmp_path / "a") != load_pepper(tmp_path / "b")


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOAD, str(tmp_path)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = {process.communicate(timeout=60)[0] for process in started}

    assert said == {f"{load_pepper(tmp_path).hex()}\n"}


def test_an_explicit_pepper_wins_and_makes_no_file(tmp_path: Path) -> None:
    assert load_pepper(tmp_path, b" 0123456789abcdef0123456789abcdef\n") == b"0123456789abcdef0123456789abcdef"
    assert not pepper_path(tmp_path).exists()


def test_a_copy_of_the_file_is_the_same_pepper(tmp_path: Path) -> None:
    pepper = load_pepper(tmp_path)

    assert load_pepper(tmp_path / "elsewhere", pepper_path(tmp_path).read_bytes()) == pepper


def test_a_short_pepper_is_refused(tmp_path: Path) -> None:
    pepper_path(tmp_path).parent.mkdir()
    pepper_path(tmp_path).write_bytes(b"short\n")

    with pytest.raises(IdentityError, match=r"gateway/pepper holds 5 bytes; a pepper has 32 or more"):
        load_pepper(tmp_path)
    with pytest.raises(IdentityError, match="the pepper that the configuration names holds 0 bytes"):
        load_pepper(tmp_path, b"")


def test_a_state_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")

    with pytest.raises(StorageError, match=r"cannot make or read .*state/gateway/pepper"):
        load_pepper(tmp_path / "state")


def _configured(tmp_path: Path, text: str) -> bytes | None:
    file = tmp_path / "tollhouse.yml"
    file.write_text(text)
    return configured_pepper(load_settings(str(file)))


@pytest.mark.parametrize(
    "text", ["lake: here\n", "gateway: {}\n", "gateway: {identity: {}}\n", "gateway: {identity: 3}\n"]
)
def test_settings_that_name_no_pepper_give_none(tmp_path: Path, text: str) -> None:
    assert _configured(tmp_path, text) is None


def test_settings_name_a_file_beside_them_or_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("TH_PEPPER", "from the variable")

    assert _configured(tmp_path, "gateway: {identity: {pepper: {file: secret}}}\n") == b"from the file"
    assert _configured(tmp_path, "gateway: {identity: {pepper: {env: TH_PEPPER}}}\n") == b"from the variable"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{env: TH_ABSENT}", "TH_ABSENT, which is not set"),
        ("{file: absent}", "a file that cannot be read"),
        ("canary-secret", "never the secret itself"),
        ("{env: A, file: b}", "both env and file"),
    ],
)
def test_a_pepper_that_cannot_be_read_is_named_without_its_text(tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(SettingsError, match=r"gateway\.identity\.pepper: ") as caught:
        _configured(tmp_path, f"gateway: {{identity: {{pepper: {source}}}}}\n")

    assert said in str(caught.value)
    assert "canary" not in str(caught.value)
