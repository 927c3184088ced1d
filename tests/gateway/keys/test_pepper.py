"""The pepper under which virtual keys are hashed, and another one."""

from pathlib import Path

import pytest
from running_gateway import RunningGateway
from simulated_server import SimulatedServer

PEPPERS = {"one": "one pepper of more than thirty-two bytes", "two": "two peppers of more than thirty-two bytes"}


@pytest.mark.parametrize(
    ("own", "another"),
    [
        pytest.param({"env": "TOLLHOUSE_TEST_ONE"}, {"env": "TOLLHOUSE_TEST_TWO"}, id="env"),
        pytest.param({"file": "one"}, {"file": "two"}, id="file"),
    ],
)
@pytest.mark.changes("gateway.identity.pepper.env", "gateway.identity.pepper.file")
def test_a_gateway_starts_under_the_pepper_of_its_keys_only(
    tmp_path: Path,
    simulated: SimulatedServer,
    monkeypatch: pytest.MonkeyPatch,
    own: dict[str, str],
    another: dict[str, str],
) -> None:
    for name, pepper in PEPPERS.items():
        (tmp_path / name).write_text(pepper)
        monkeypatch.setenv(f"TOLLHOUSE_TEST_{name.upper()}", pepper)
    with RunningGateway(tmp_path, simulated.url, identity={"pepper": own}) as gateway:
        assert gateway.call("/v1/models").status == 200
        assert gateway.stop() == 0
        gateway.write_settings(identity={"pepper": another})
        with pytest.raises(AssertionError, match="were made under another pepper"):
            gateway.start()
