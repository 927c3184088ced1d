import asyncio
import os
import signal
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from configured import MINIMAL, gateway_file

from tollhouse.errors import SettingsError
from tollhouse.gateway.configuration.configuration import Configuration
from tollhouse.gateway.configuration.reload import ConfigurationKeeper

DEADLINE_SECONDS = 20
QUICK = 0.01
PEPPER = "0123456789abcdef0123456789abcdef"


def with_level(text: str = MINIMAL, *, level: str) -> str:
    return f"log_level: {level}\n{text}"


def replace_file(file: Path, gateway: str) -> None:
    """As an editor or a deployment does that writes beside and renames."""
    draft = gateway_file(file.parent / "draft", gateway)
    draft.replace(file)


@asynccontextmanager
async def kept(keeper: ConfigurationKeeper, interval: float = QUICK) -> AsyncGenerator[None]:
    task = asyncio.create_task(keeper.keep(interval))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not holds():
            await asyncio.sleep(QUICK)


def level_of(configuration: Configuration) -> str:
    return configuration.document.log_level


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "draft").mkdir()
    return gateway_file(tmp_path, MINIMAL)


def test_a_file_that_is_replaced_comes_into_force(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        seen: list[Configuration] = []
        keeper.on_change.append(seen.append)
        before = keeper.current
        async with kept(keeper):
            replace_file(file, with_level(level="debug"))
            await until(lambda: level_of(keeper.current) == "debug")

        assert seen == [keeper.current]
        assert (level_of(before), before.endpoint_for("e") is None) == ("info", False)
        assert (keeper.error, keeper.waiting_for_restart) == (None, ())

    asyncio.run(run())


def test_a_file_that_is_edited_in_place_comes_into_force(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        async with kept(keeper):
            gateway_file(file.parent, with_level(level="error"))
            await until(lambda: level_of(keeper.current) == "error")

    asyncio.run(run())


def test_a_fault_leaves_the_old_configuration_in_force_until_it_is_mended(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        before = keeper.current
        async with kept(keeper):
            replace_file(file, with_level(level="loud"))
            await until(lambda: keeper.error is not None)
            assert keeper.current is before
            assert f"{file}:2: gateway.log_level: found text 'loud'" in (keeper.error or "")
            replace_file(file, with_level(level="debug"))
            await until(lambda: keeper.error is None)
            assert level_of(keeper.current) == "debug"

    asyncio.run(run())


def test_a_file_that_is_gone_and_comes_back_is_read_again(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        before = keeper.current
        away = file.with_suffix(".away")
        async with kept(keeper):
            file.rename(away)
            await until(lambda: keeper.error is not None)
            assert "No such file" in (keeper.error or "")
            away.rename(file)
            await until(lambda: keeper.error is None)
            assert keeper.current is before

    asyncio.run(run())


def test_a_change_that_means_nothing_changes_nothing(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        before = keeper.current
        keeper.on_change.append(lambda _: pytest.fail("nothing has changed"))
        replace_file(file, f"# a comment\n{MINIMAL}")
        await keeper.look()
        await keeper.look()
        assert keeper.current is before

    asyncio.run(run())


def test_a_file_is_left_alone_while_it_is_being_written(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        for level in ("debug", "error", "warning"):
            replace_file(file, with_level(level=level))
            await keeper.look()
            assert level_of(keeper.current) == "info"
        await keeper.look()
        assert level_of(keeper.current) == "warning"

    asyncio.run(run())


def test_a_file_that_goes_back_to_what_it_was_is_not_read(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        away = file.with_suffix(".away")
        file.rename(away)
        await keeper.look()
        away.rename(file)
        await keeper.look()
        await keeper.look()
        assert keeper.error is None

    asyncio.run(run())


def test_a_nudge_reads_at_once(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        replace_file(file, with_level(level="debug"))
        keeper.nudge()
        await keeper.look()
        assert level_of(keeper.current) == "debug"

    asyncio.run(run())


def test_a_hangup_reads_at_once(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        async with kept(keeper, interval=3600):
            await asyncio.sleep(0)
            replace_file(file, with_level(level="debug"))
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda: level_of(keeper.current) == "debug")

    before = signal.getsignal(signal.SIGHUP)
    asyncio.run(run())
    assert signal.getsignal(signal.SIGHUP) == before


def test_it_also_runs_where_no_signal_can_be_handled(file: Path) -> None:
    found: list[str] = []

    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        async with kept(keeper):
            replace_file(file, with_level(level="debug"))
            await until(lambda: level_of(keeper.current) == "debug")
        found.append(level_of(keeper.current))

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join(DEADLINE_SECONDS)

    assert found == ["debug"]


def test_a_first_file_with_a_fault_is_refused(file: Path) -> None:
    gateway_file(file.parent, "workers: 0\n")

    with pytest.raises(SettingsError, match=r"gateway\.workers: found number 0"):
        ConfigurationKeeper(file)


WITH_KEY = """\
    providers: {p: {kind: openai, credential: {file: key}}}
    endpoints: {e: {destinations: [{provider: p}]}}
"""


def credential(keeper: ConfigurationKeeper) -> str:
    header = keeper.current.providers["p"].credential_header
    return header[1] if header else ""


def test_a_credential_that_is_rotated_comes_into_force(file: Path) -> None:
    (file.parent / "key").write_text("first-canary-key")
    gateway_file(file.parent, WITH_KEY)

    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        in_flight = keeper.current
        async with kept(keeper):
            (file.parent / "key").write_text("second-canary")
            await until(lambda: credential(keeper) == "Bearer second-canary")
            assert keeper.current.secrets == (b"second-canary",)
            assert in_flight.secrets == (b"first-canary-key",)
            (file.parent / "key").unlink()
            await until(lambda: keeper.error is not None)
            assert credential(keeper) == "Bearer second-canary"
            assert "canary" not in (keeper.error or "")
            (file.parent / "key").write_text("third-canary")
            await until(lambda: credential(keeper) == "Bearer third-canary")
            assert keeper.error is None

    asyncio.run(run())


def test_a_credential_that_comes_after_the_file_that_names_it_is_noticed(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        async with kept(keeper):
            replace_file(file, WITH_KEY)
            await until(lambda: keeper.error is not None)
            (file.parent / "key").write_text("late-canary-key")
            await until(lambda: keeper.error is None)
            assert credential(keeper) == "Bearer late-canary-key"

    asyncio.run(run())


RESTARTS = {
    "listen: {port: 9}": "gateway.listen",
    "admin: {port: 9}": "gateway.admin",
    "workers: 2": "gateway.workers",
    "transport: aiohttp": "gateway.transport",
    "identity: {pepper: {env: PEPPER}}": "gateway.identity",
    "tracing: {sampling_fraction: 0.5}": "gateway.tracing",
    "spool: {durability: strict}": "gateway.spool.durability",
}


@pytest.mark.parametrize(("line", "name"), RESTARTS.items())
def test_what_needs_a_restart_keeps_its_value_and_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch, line: str, name: str
) -> None:
    monkeypatch.setenv("PEPPER", PEPPER)

    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        running = keeper.current
        replace_file(file, with_level(f"{line}\n{MINIMAL}", level="debug"))
        keeper.nudge()
        await keeper.look()
        assert keeper.waiting_for_restart == (name,)
        assert level_of(keeper.current) == "debug"
        replace_file(file, f"{line}\n{MINIMAL}")
        keeper.nudge()
        await keeper.look()
        assert keeper.current.is_same_as(running)
        assert keeper.current.public() == running.public()
        replace_file(file, MINIMAL)
        keeper.nudge()
        await keeper.look()
        assert keeper.waiting_for_restart == ()

    asyncio.run(run())


def test_the_folders_and_a_rotated_pepper_need_a_restart_too(file: Path) -> None:
    (file.parent / "pepper").write_text(PEPPER)
    gateway_file(file.parent, f"identity: {{pepper: {{file: pepper}}}}\n{MINIMAL}")

    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        running = keeper.current
        (file.parent / "pepper").write_text(PEPPER[::-1])
        file.write_text(f"{file.read_text()}spool: {{path: other}}\nstate: elsewhere\n")
        keeper.nudge()
        await keeper.look()
        assert keeper.waiting_for_restart == ("gateway.identity", "spool.path", "state")
        assert (keeper.current.pepper, keeper.current.secrets) == (PEPPER.encode(), (PEPPER.encode(),))
        assert (keeper.current.spool_dir, keeper.current.state_dir) == (running.spool_dir, running.state_dir)

    asyncio.run(run())


def test_how_a_full_disk_is_met_needs_no_restart(file: Path) -> None:
    async def run() -> None:
        keeper = ConfigurationKeeper(file)
        replace_file(file, f"spool: {{on_full: drop}}\n{MINIMAL}")
        keeper.nudge()
        await keeper.look()
        assert keeper.current.document.spool.on_full == "drop"
        assert keeper.waiting_for_restart == ()

    asyncio.run(run())
