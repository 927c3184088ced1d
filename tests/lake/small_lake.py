"""A small lake of a test's own: settings, spool, another gateway's logs, and what is in its tables."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tollhouse.ids import uuid7
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.run import StepReport, run_steps
from tollhouse.settings import FILE_NAME, Settings, load_settings
from tollhouse.spool.records import (
    Admit,
    Attempt,
    CallOutcome,
    Destination,
    Event,
    GuardrailVerdict,
    Identity,
    SpoolRecord,
)
from tollhouse.spool.writer import SpoolWriter

END = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
AS_OF = dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC)
SPOOL_ID = "5b1f7a3e-0000-4000-8000-00000000000a"
# A copied lake knows its files by the folder that they were read in.
_PLACE = r"regexp_replace(object_path, '^.*/(spool|logs)/', '\1/')"
PROJECT = Path(__file__).parents[2]
# A buffer of DuckDB's JSON reader is 256 MiB for each file that it has open.
ENGINE = {"memory": "4GB", "threads": 2}


@dataclass(frozen=True)
class SmallLake:
    """A folder with a settings file; the tables are made by the first run."""

    root: Path

    @property
    def settings(self) -> Settings:
        return load_settings(str(self.root / FILE_NAME))

    def configure(self, **settings: Any) -> "SmallLake":
        """Writes the settings file, these settings over those it has."""
        file = self.root / FILE_NAME
        known = yaml.safe_load(file.read_text()) if file.exists() else {"engine": ENGINE}
        file.write_text(yaml.safe_dump(known | settings))
        return self

    def open(self) -> Lakehouse:
        return Lakehouse(self.settings)

    def run(self, as_of: dt.datetime = AS_OF, job: str | None = None) -> list[StepReport]:
        with self.open() as lake:
            return list(run_steps(lake, as_of, job=job))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A query of DuckDB's dialect in which {silver.invocations} and the like stand for tables."""
        with self.open() as lake:
            for table in lake.tables():
                query = query.replace(f"{{{table}}}", lake.relation(table))
            return lake.connection.execute(query).fetchall()

    def versions(self) -> dict[str, int]:
        """The newest Delta version of each table that has been made, from the names in its log alone."""
        logs = sorted((self.root / "lake").glob("*/*/_delta_log"))
        return {
            f"{log.parts[-3]}.{log.parts[-2]}": max((int(f.stem) for f in log.glob("*[0-9].json")), default=-1)
            for log in logs
        }

    def contents(self, *, without: Sequence[str] = ()) -> dict[str, list[str]]:
        """All rows of all tables as sorted texts, without the folder of log files; ``without`` names columns."""
        with self.open() as lake:
            return {table: self._rows_of(lake, table, without) for table in lake.tables()}

    def _rows_of(self, lake: Lakehouse, table: str, without: Sequence[str]) -> list[str]:
        names = [column.name for column in lake.contract(table).columns if column.name not in without]
        columns = ", ".join(f'"{name}"' if name != "object_path" else _PLACE for name in names)
        found = lake.connection.execute(f"SELECT {columns} FROM {lake.relation(table)}").fetchall()
        return sorted(map(repr, found))

    def write(self, records: Iterable[SpoolRecord], at: dt.datetime = END) -> None:
        """One sealed segment with the records."""
        with SpoolWriter(self.root / "spool", durability="os", clock=lambda: at, spool_id=SPOOL_ID) as writer:
            for record in records:
                writer.append(record)

    def log(self, name: str, payloads: Iterable[dict[str, Any]]) -> None:
        """A file of LiteLLM's in the source ``proxy``, long settled."""
        file = self.root / "logs" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(json.dumps(payload) + "\n" for payload in payloads))
        os.utime(file, (AS_OF.timestamp() - 3600 * 24 * 365,) * 2)
        self.configure(sources=[{"name": "proxy", "format": "litellm", "path": "logs"}])

    def copy(self, root: Path) -> "SmallLake":
        """The same lake at another place; its log files stay where they are."""
        shutil.copytree(self.root, root, symlinks=True)
        lake = SmallLake(root)
        settings = self.settings
        sources = [{"name": s.name, "format": s.format, "path": str(settings.path(s.path))} for s in settings.sources]
        return lake.configure(sources=sources)

    def own_project(self) -> Path:
        """Copies models and SQL beside the settings file, for a test that changes them."""
        for name in ("models", "sql"):
            shutil.copytree(PROJECT / name, self.root / name)
        return self.root

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """``tollhouse --config FILE ARGUMENTS`` as a process of its own."""
        command = [sys.executable, "-m", "tollhouse", "--config", str(self.root / FILE_NAME), *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def text(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _call(number: int, at: dt.datetime, **fields: Any) -> dict[str, Any]:
    return {
        "recorded_at": text(at),
        "invocation_id": uuid7(int(at.timestamp() * 1000), number),
        "request_id": f"request-{number}",
        "event_time": text(at),
        "requester": "ada@example.com",
        "team": "search",
        "cost_center": "cc-1",
        "endpoint_name": "chat",
        "api_type": "openai/v1/chat/completions",
        **fields,
    }


OPENAI = {
    "destination_name": "gpt",
    "destination_type": "EXTERNAL_FOUNDATION_MODEL",
    "destination_model": "gpt-4o",
    "provider": "openai",
}
NOON = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)


def admit(number: int, at: dt.datetime = NOON, *, minutes: float = 10, **fields: Any) -> Admit:
    """A call that was admitted, with a deadline of so many minutes."""
    deadline = text(at + dt.timedelta(minutes=minutes))
    return Admit(**_call(number, at, deadline=deadline, destination=Destination(**OPENAI), **fields))


def outcome(
    number: int, at: dt.datetime = NOON, *, tokens: tuple[int, int] = (1000, 100), **fields: Any
) -> CallOutcome:
    """A completed call of OpenAI's gpt-4o with that many tokens in and out."""
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    attempt = Attempt(
        attempt_number=1,
        action="INITIAL_ATTEMPT",
        start_time=text(at),
        latency_ms=500,
        status_code=200,
        usage=_raw(usage),
        usage_format="openai_chat",
        **(OPENAI | fields.pop("served_by", {})),
    )
    body = {"messages": [{"role": "user", "content": f"question {number}"}]}
    answer = {"choices": [{"message": {"role": "assistant", "content": f"answer {number}"}}]}
    bodies = {"request_body": json.dumps(body), "response_body": json.dumps(answer)}
    return CallOutcome(
        outcome="completed",
        status_code=200,
        attempts=[attempt],
        latency_ms=600,
        **_call(number, at, **(bodies | fields)),
    )


def _raw(value: object) -> Any:
    return msgspec.Raw(json.dumps(value).encode())


def payload(number: int, at: dt.datetime = NOON, **members: Any) -> dict[str, Any]:
    """A StandardLoggingPayload."""
    return {
        "id": f"chatcmpl-{number}",
        "call_type": "acompletion",
        "status": "success",
        "custom_llm_provider": "openai",
        "model": "gpt-4o",
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "total_tokens": 110,
        "startTime": at.timestamp(),
        "endTime": at.timestamp() + 1,
        "messages": [{"role": "user", "content": f"question {number}"}],
        "response": {"choices": [{"message": {"role": "assistant", "content": f"answer {number}"}}]},
        "metadata": {"user_api_key_user_id": "ada@example.com"},
        **members,
    }


def identity(principal: str, *, team: str) -> Identity:
    """The state of a principal for a month."""
    return Identity(
        recorded_at=text(NOON),
        principal=principal,
        principal_type="USER",
        valid_from=text(NOON - dt.timedelta(days=30)),
        change="created",
        teams=[team],
    )


def verdict(number: int, at: dt.datetime = NOON) -> Event:
    """A verdict that masked something in the call of that number."""
    return Event(
        recorded_at=text(at),
        event_id=f"check-{number}",
        event_type="guardrail",
        event_time=text(at),
        invocation_id=admit(number, at).invocation_id,
        guardrail=GuardrailVerdict(guardrail_name="pii", phase="input", mode="enforce", verdict="mask"),
    )


def spend_log(number: int, at: dt.datetime = NOON) -> dict[str, Any]:
    """A row of LiteLLM's SpendLogs."""
    return {
        "request_id": f"spend-{number}",
        "call_type": "acompletion",
        "api_key": "hash",
        "spend": 0.001,
        "total_tokens": 110,
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "startTime": text(at),
        "endTime": text(at + dt.timedelta(seconds=1)),
        "model": "gpt-4o",
        "custom_llm_provider": "openai",
        "user": "ada@example.com",
        "metadata": "{}",
        "request_tags": "[]",
        "messages": "{}",
        "response": "{}",
    }
