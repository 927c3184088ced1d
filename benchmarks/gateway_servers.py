"""The gateways that are measured: Tollhouse as a user would start it, and LiteLLM's proxy that logs bodies too."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from gateway_processes import Process
from processes import ROOT

from tollhouse.gateway.identity.pepper import configured_pepper, load_pepper
from tollhouse.gateway.identity.schema import store_path
from tollhouse.gateway.identity.store import IdentityStore
from tollhouse.settings import load_settings

CHAT_PATH, MESSAGES_PATH = "/v1/chat/completions", "/v1/messages"
AGENT_MODEL = "claude-benchmark"
_READY = r"Serving the gateway at (http://\S+:(\d+)), admin at (http://\S+)\n"
_PROVIDER_KEY = "sk-benchmark-0123456789abcdefghijklmnop"
_PROGRAM = "import sys; from tollhouse.cli import main; sys.exit(main(sys.argv[1:]))"
_LITELLM_LOG = '''
import json
from litellm.integrations.custom_logger import CustomLogger

class BodyLog(CustomLogger):
    """Each call as one JSON line, bodies among it, as LiteLLM's own loggers get it."""

    def __init__(self):
        super().__init__()
        self.file = open("calls.jsonl", "a", buffering=1)

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.file.write(json.dumps(kwargs["standard_logging_object"], default=str) + "\\n")

body_log = BodyLog()
'''
_BARE_ECHO = """
async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    fields = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"x" * 1000})
"""


@dataclass
class Tollhouse:
    """Keys, permissions, metrics, redaction and full payloads on. ``folder`` is made by ``start``."""

    folder: Path
    upstream_port: int
    transport: str = "sockets"
    durability: str = "interval"
    workers: int = 1
    document: dict[str, Any] = field(default_factory=dict)

    def start(self) -> Process:
        """The running gateway; ``port``, ``key`` and ``key_id`` are known from then on."""
        self.folder.mkdir(parents=True)
        self.document = self._document()
        self.write()
        with self.store() as store:
            store.set_team("benchmarks")
            store.set_principal("load", principal_type="SERVICE_PRINCIPAL", teams=["benchmarks"], groups=["engineers"])
            self.key, self.key_id = self._make_key(store)
        process = Process(
            [sys.executable, "-c", _PROGRAM, "--config", str(self.settings_file), "serve", "gateway"],
            self.folder / "gateway.log",
            _READY,
            {"TOLLHOUSE_BENCHMARK_KEY": _PROVIDER_KEY},
        )
        self.port = int(process.greeting[2])
        # The greeting says that the sockets are bound; workers may still be starting.
        process.await_ok(f"{process.greeting[3]}/readyz")
        return process

    @property
    def settings_file(self) -> Path:
        return self.folder / "tollhouse.yml"

    @property
    def headers(self) -> dict[str, str]:
        return headers(self.key)

    def write(self) -> None:
        """The settings file, in one rename."""
        draft = self.folder / "tollhouse.yml.new"
        draft.write_text(yaml.safe_dump({"gateway": self.document}, sort_keys=False))
        draft.replace(self.settings_file)

    def store(self) -> IdentityStore:
        settings = load_settings(str(self.settings_file))
        return IdentityStore(
            store_path(settings.state_dir), load_pepper(settings.state_dir, configured_pepper(settings))
        )

    def _make_key(self, store: IdentityStore) -> tuple[str, str]:
        fresh = store.create_key("load")
        return fresh.text, fresh.key_id

    def _document(self) -> dict[str, Any]:
        credential = {"env": "TOLLHOUSE_BENCHMARK_KEY"}
        url = f"http://127.0.0.1:{self.upstream_port}/v1"
        return {
            "listen": {"port": 0},
            "admin": {"port": 0},
            "workers": self.workers,
            "transport": self.transport,
            "spool": {"durability": self.durability},
            "providers": {
                "openai": {"kind": "openai", "base_url": url, "credential": credential},
                "anthropic": {"kind": "anthropic", "base_url": url, "credential": credential},
            },
            "endpoints": {
                "chat": {
                    "models": ["unary", "burst-*", "paced-*", "held"],
                    "destinations": [{"provider": "openai"}],
                },
                "agent": {
                    "models": [AGENT_MODEL],
                    "destinations": [{"provider": "anthropic", "model": "unary"}],
                },
            },
            "permissions": [{"groups": ["engineers"], "endpoints": ["*"]}],
        }


def headers(key: str) -> dict[str, str]:
    """What an official client sends."""
    return {
        "authorization": f"Bearer {key}",
        "accept": "application/json",
        "user-agent": "OpenAI/Python 3.54.0",
        "x-stainless-lang": "python",
        "x-stainless-retry-count": "0",
        "anthropic-version": "2023-06-01",
    }


@dataclass
class BareEcho:
    """uvicorn with an application that reads the body and answers 1 kB: below it no gateway on uvicorn can go."""

    folder: Path

    def start(self) -> Process:
        self.folder.mkdir(parents=True)
        self.port = _free_port()
        (self.folder / "bare_echo.py").write_text(_BARE_ECHO)
        options = ("--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning")
        command = [sys.executable, "-m", "uvicorn", "bare_echo:application", "--port", str(self.port), *options]
        process = Process(command, self.folder / "echo.log", "")
        process.await_ok(f"http://127.0.0.1:{self.port}/")
        return process


@dataclass
class LiteLLM:
    """Its proxy with a master key, no database, and a callback that writes each call's JSON to a file."""

    folder: Path
    upstream_port: int
    program: Path

    def start(self) -> Process:
        self.folder.mkdir(parents=True)
        self.key = f"sk-{secrets.token_urlsafe(32)}"
        parameters = {"api_base": f"http://127.0.0.1:{self.upstream_port}/v1", "api_key": _PROVIDER_KEY}
        models = ("unary", "burst-100")
        known = [{"model_name": name, "litellm_params": {"model": f"openai/{name}", **parameters}} for name in models]
        config = {"model_list": known, "litellm_settings": {"callbacks": ["body_log.body_log"]}}
        (self.folder / "body_log.py").write_text(_LITELLM_LOG)
        file = self.folder / "config.yaml"
        file.write_text(yaml.safe_dump(config))
        self.port = _free_port()
        command = [str(self.program), "--config", str(file), "--host", "127.0.0.1", "--port", str(self.port)]
        environment = {"LITELLM_MASTER_KEY": self.key, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        options = ("--num_workers", "1", "--telemetry", "False")
        process = Process([*command, *options], self.folder / "litellm.log", "", environment)
        process.await_ok(f"http://127.0.0.1:{self.port}/health/liveliness")
        return process

    @property
    def headers(self) -> dict[str, str]:
        return headers(self.key)

    @property
    def logged_calls(self) -> int:
        log = self.folder / "calls.jsonl"
        return log.read_bytes().count(b"\n") if log.exists() else 0


def install_litellm(folder: Path) -> Path | str:
    """LiteLLM's program in an environment of its own below ``folder``, or why there is none."""
    program = folder / "litellm" / "bin" / "litellm"
    if program.exists():
        return program
    uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    if not Path(uv).exists():
        return "uv is not installed"
    environment = {**os.environ, "VIRTUAL_ENV": str(program.parent.parent)}
    for arguments in (
        ["venv", "--python", sys.executable, str(program.parent.parent)],
        ["pip", "install", "litellm[proxy]"],
    ):
        done = subprocess.run([uv, *arguments, "--quiet"], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(program.parent.parent, ignore_errors=True)
            return (done.stderr.strip().splitlines() or ["uv failed"])[-1]
    return program if program.exists() else "litellm[proxy] has no program litellm"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
