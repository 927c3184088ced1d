"""A gateway as processes of its own, as a user starts it, and what it wrote into its spool."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import yaml

from tollhouse.gateway.identity.pepper import configured_pepper, load_pepper
from tollhouse.gateway.identity.schema import store_path
from tollhouse.gateway.identity.store import IdentityStore
from tollhouse.settings import load_settings

GREETING = "Serving the gateway at "
PATIENCE_SECONDS = 30.0
PROVIDER_KEY = "sk-simulated-0123456789abcdefghijklmnop"
_CODE = "import sys; from tollhouse.cli import main; sys.exit(main(sys.argv[1:]))"


class Answer(NamedTuple):
    """An HTTP response; header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def providers(url: str) -> dict[str, Any]:
    """A provider of each kind, all of them the simulated server at ``url``."""
    credential = {"env": "TOLLHOUSE_TEST_PROVIDER_KEY"}
    return {
        "openai": {"kind": "openai", "base_url": f"{url}/v1", "credential": credential},
        "responses": {
            "kind": "openai",
            "base_url": f"{url}/v1",
            "credential": credential,
            "protocols": ["openai_responses"],
        },
        "anthropic": {"kind": "anthropic", "base_url": f"{url}/v1", "credential": credential},
        "gemini": {"kind": "gemini", "base_url": f"{url}/v1beta", "credential": credential},
    }


def endpoints() -> dict[str, Any]:
    """One endpoint a kind of provider; their models begin with gpt-, resp-, claude-, gemini-, text-embedding-."""
    return {
        "gpt": {"models": ["gpt-*"], "destinations": [{"provider": "openai"}]},
        "resp": {"models": ["resp-*"], "destinations": [{"provider": "responses"}]},
        "claude": {"models": ["claude-*"], "destinations": [{"provider": "anthropic"}]},
        "gemini": {"models": ["gemini-*"], "destinations": [{"provider": "gemini"}]},
        "embeddings": {"models": ["text-embedding-*"], "destinations": [{"provider": "openai"}]},
    }


class RunningGateway:
    """``with RunningGateway(tmp_path, simulated.url) as gateway:`` runs one on free ports until the block ends.

    ``changes`` are members of ``gateway:`` in the place of the usual ones. ``key`` is a virtual key of the service
    principal ``tester`` (team ``quality``, group ``engineers``).
    """

    def __init__(
        self, folder: Path, upstream: str, environment: Mapping[str, str] | None = None, **changes: Any
    ) -> None:
        self.folder = folder
        self.settings_file = folder / "tollhouse.yml"
        self.document: dict[str, Any] = {
            "listen": {"port": 0},
            "admin": {"port": 0},
            "drain_seconds": 5,
            "providers": providers(upstream),
            "endpoints": endpoints(),
            **changes,
        }
        self._environment = {**os.environ, "TOLLHOUSE_TEST_PROVIDER_KEY": PROVIDER_KEY, **(environment or {})}
        self.url = self.admin_url = ""
        self.key = ""

    def write_settings(self, **changes: Any) -> None:
        """The settings file, in one rename, with ``changes`` to what it holds now."""
        self.document |= changes
        draft = self.folder / "tollhouse.yml.new"
        draft.write_text(yaml.safe_dump({"gateway": self.document}, sort_keys=False))
        draft.replace(self.settings_file)

    def store(self) -> IdentityStore:
        """The identity store, to be changed as ``tollhouse keys`` would."""
        settings = load_settings(str(self.settings_file))
        pepper = load_pepper(settings.state_dir, configured_pepper(settings))
        return IdentityStore(store_path(settings.state_dir), pepper)

    def make_key(self, principal: str = "tester", *, group: str = "engineers", team: str = "quality") -> str:
        """A new virtual key; its principal and team are made where there are none."""
        with self.store() as store:
            if team not in {found.name for found in store.teams()}:
                store.set_team(team, cost_center="CC-1")
            if principal not in {found.name for found in store.principals()}:
                store.set_principal(principal, principal_type="SERVICE_PRINCIPAL", teams=[team], groups=[group])
            return store.create_key(principal).text

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write_settings()
        self.key = self.make_key()
        self.start()
        return self

    def start(self) -> None:
        """Start the process and wait until it takes calls."""
        command = [sys.executable, "-c", _CODE, "--config", str(self.settings_file), "serve", "gateway"]
        self.log = (self.folder / "gateway.log").open("ab")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, text=True, env=self._environment, start_new_session=True
        )
        assert self.process.stdout is not None
        greeting = self.process.stdout.readline()
        if not greeting.startswith(GREETING):
            self.__exit__()
            raise AssertionError(f"the gateway did not start: {greeting!r} {(self.folder / 'gateway.log').read_text()}")
        self.url, _, self.admin_url = greeting.removeprefix(GREETING).strip().partition(", admin at ")
        self.await_effect(lambda: self.admin("/readyz").status == 200, "the gateway takes calls")

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """SIGTERM, and its exit code; whatever is left of its processes is killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
            raise
        finally:
            self.log.close()
        return self.process.returncode

    def workers(self) -> list[int]:
        """Process ids of the workers; the one process where there is only one."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        named = [int(pid) for pid in children if b"spawn_main" in _command_of(pid)]
        return named or [self.process.pid]

    def call(
        self,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        method: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """One HTTP call with the key as a bearer token; ``key=""`` sends none. Error statuses are answers too."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {"content-type": "application/json", **(headers or {})}
        token = self.key if key is None else key
        if token:
            sent["authorization"] = f"Bearer {token}"
        if path.startswith(("/v1/messages", "/ai-gateway/anthropic")):
            sent.setdefault("anthropic-version", "2023-06-01")
        return fetch(self.url + path, data, sent, method)

    def admin(self, path: str) -> Answer:
        """A GET of the admin's port."""
        try:
            return fetch(self.admin_url + path)
        except OSError:
            return Answer(0, {}, b"")

    def records(self, kind: str, containing: str = "") -> list[dict[str, Any]]:
        """All records of a kind in the spool, open segments too, in the order of their writing within each slot.

        ``containing``: only lines with that text, which spares the reading of all others.
        """
        found: list[dict[str, Any]] = []
        for path in sorted((self.folder / "spool").glob("slot-*/*.jsonl")):
            for line in _bytes_of(path).split(b"\n"):
                is_wanted = line.endswith(b"}") and containing.encode() in line
                record = json.loads(line) if is_wanted else {}
                if record.get("record") == kind and "sequence" in record:
                    found.append({**record, "slot": path.parent.name})
        return found

    def rows(self, count: int | None = None) -> list[dict[str, Any]]:
        """The OUTCOME records by their time; waits until there are ``count`` of them."""
        if count is not None:
            self.await_effect(lambda: len(self.records("OUTCOME")) >= count, f"{count} rows")
        return sorted(self.records("OUTCOME"), key=lambda row: row["event_time"])

    @staticmethod
    def await_effect(has_come: Callable[[], bool], what: str) -> None:
        """Return once ``has_come``; AssertionError where it does not within half a minute."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not has_come():
            if time.monotonic() > deadline:
                raise AssertionError(f"did not come: {what}")
            time.sleep(0.01)


def _command_of(pid: str) -> bytes:
    """The command line of a process; empty where it has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _bytes_of(path: Path) -> bytes:
    """The bytes of a segment, whose name changes when it is sealed."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return path.with_name(path.name.replace(".open", "")).read_bytes()


def fetch(
    url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None, method: str | None = None
) -> Answer:
    """One HTTP request; error statuses are answers too."""
    request = urllib.request.Request(url, data, dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
            return Answer(response.status, _lower(response.headers.items()), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _lower(error.headers.items()), error.read())


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}
