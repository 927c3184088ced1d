import datetime as dt
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from demo_lake import DemoLake

import tollhouse.cli
from tollhouse.cli import main
from tollhouse.commands.run import step_line
from tollhouse.demo.answers import QUESTIONS
from tollhouse.demo.spooling import write_records
from tollhouse.demo.staging import is_same, stage, staged
from tollhouse.ids import uuid7
from tollhouse.lake.engine import Written
from tollhouse.lake.locks import table_lock
from tollhouse.lake.run import StepReport
from tollhouse.settings import Settings, load_settings
from tollhouse.spool.records import Admit

TOLLHOUSE = Path(sys.executable).parent / "tollhouse"
Run = Callable[..., tuple[int, str, str]]
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def admit(number: int) -> Admit:
    """A call of that noon that never ends."""
    moment = "2026-03-01T12:00:00.000000Z"
    name = uuid7(int(NOON.timestamp() * 1000), number)
    return Admit(
        recorded_at=moment,
        invocation_id=name,
        request_id=f"request-{number}",
        event_time=moment,
        requester="ana@example.com",
        endpoint_name="claude",
        deadline="2026-03-01T12:10:00.000000Z",
    )


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in this process: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with no settings in reach."""
    monkeypatch.delenv("TOLLHOUSE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_loads_no_engine_and_no_verb() -> None:
    code = (
        "import sys; from tollhouse.cli import main; code = main(['--help']); "
        "print(code, *sorted(name for name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split()[1:])

    assert done.stderr.startswith("0 ")
    assert loaded.isdisjoint({"duckdb", "dagster", "polars", "pyarrow", "deltalake", "sqlglot", "rich", "yaml"})
    assert not [name for name in loaded if name.startswith("tollhouse.commands.")]


@pytest.mark.parametrize("verb", ["run", "sql", "maintain", "demo", "doctor"])
def test_a_verbs_help_loads_no_engine(verb: str) -> None:
    code = (
        f"import sys; from tollhouse.cli import main; main(['{verb}', '--help']); "
        "print(*{'duckdb', 'dagster', 'polars', 'deltalake'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == ""


def test_wrong_usage_ends_with_two_and_says_how_to_ask(run: Run) -> None:
    assert run("nope")[::2] == (
        2,
        "Usage: tollhouse [OPTIONS] COMMAND [ARGS]...\nTry 'tollhouse --help' for help.\n\n"
        "Error: No such command 'nope'.\n",
    )


def test_an_error_ends_with_one_and_a_paragraph_without_traceback(run: Run, folder: Path) -> None:
    code, _, err = run("--config", "missing.yml", "run")

    assert code == 1
    assert err == f"Error: no settings file at {folder.resolve() / 'missing.yml'}, named by --config\n"


def test_debug_shows_the_traceback_of_an_error(run: Run, folder: Path) -> None:
    code, _, err = run("--debug", "--config", "missing.yml", "run")

    assert code == 1
    assert "Traceback (most recent call last)" in err
    assert "Error: no settings file at" in err


def test_a_settings_file_with_an_unknown_setting_is_an_error_that_names_it(run: Run, folder: Path) -> None:
    (folder / "tollhouse.yml").write_text("lakes: here\n")
    code, _, err = run("doctor")

    assert code == 1
    assert "tollhouse.yml: Object contains unknown field `lakes`" in err
    assert "docs/settings.md" in err


def test_an_error_that_is_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setitem(tollhouse.cli.VERBS, "nonesuch", "A verb without a module.")

    with pytest.raises(ModuleNotFoundError, match=r"tollhouse\.commands\.nonesuch"):
        main(["nonesuch"])


def test_an_interrupt_ends_with_130_and_no_traceback(folder: Path) -> None:
    with table_lock(folder / ".tollhouse" / "locks", "bronze"):
        waiting = subprocess.Popen([TOLLHOUSE, "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with waiting:
            assert waiting.stdout is not None
            assert waiting.stderr is not None
            assert waiting.stdout.readline().startswith("step")
            waiting.send_signal(signal.SIGINT)
            assert waiting.wait(timeout=60) == 130
            assert waiting.stderr.read().strip() == ""


def test_a_reader_that_has_had_enough_is_no_error(demo_lake: DemoLake) -> None:
    query = "SELECT r.raw_text FROM bronze.raw_records AS r"
    command = shlex.join([str(TOLLHOUSE), "--config", demo_lake.settings_file, "sql", "--format", "csv", query])
    done = subprocess.run(["bash", "-c", f"{command} | head -n 1"], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("raw_text\n", "")


def test_init_writes_a_project_that_runs(run: Run, folder: Path) -> None:
    assert run("init", "mine")[0] == 0
    assert load_settings("mine/tollhouse.yml") == msgspec.structs.replace(
        Settings(), root=str(folder.resolve() / "mine"), file=str(folder.resolve() / "mine" / "tollhouse.yml")
    )

    code, out, _ = run("--config", "mine/tollhouse.yml", "run", "--as-of", "2026-03-01")

    assert code == 0
    assert re.search(r"^gold.reconciliation +0 +0 ", out, re.MULTILINE)
    assert (folder / "mine" / "lake" / "silver" / "invocations").is_dir()


def test_init_overwrites_nothing(run: Run, folder: Path) -> None:
    (folder / "models").mkdir()
    (folder / "tollhouse.yml").write_text("lake: precious\n")
    code, _, err = run("init")

    assert code == 1
    assert "already holds models, tollhouse.yml, which would be overwritten" in err
    assert (folder / "tollhouse.yml").read_text() == "lake: precious\n"
    assert not (folder / "sql").exists()


def test_run_does_the_steps_of_one_job_only(run: Run, folder: Path) -> None:
    _, out, _ = run("run", "--job", "ingest")

    assert [line.split()[0] for line in out.splitlines()[:3]] == ["step", "bronze", "Next:"]


def test_run_refuses_a_time_that_is_none(run: Run, folder: Path) -> None:
    code, _, err = run("run", "--as-of", "yesterday")

    assert code == 2
    assert "'yesterday' is not an ISO 8601 time such as 2026-03-01T12:00Z" in err


def test_run_lists_the_calls_that_a_dead_gateway_left_open(run: Run, folder: Path) -> None:
    (folder / "tollhouse.yml").write_text("{}\n")
    open_calls = [admit(number) for number in range(7)]
    write_records(folder / "spool", ((0, call) for call in open_calls), at=NOON, workers=1)
    code, out, _ = run("run", "--as-of", "2026-03-02T12:00Z")

    assert code == 0
    assert "7 calls are newly in doubt (admitted, never ended): " in out
    assert all(call.invocation_id in out for call in open_calls[:5])
    assert ", …" in out
    for command in re.findall(r"tollhouse ((?:sql|doctor).*)", out):
        assert run(*shlex.split(command))[0] == 0, command
    assert "newly in doubt" not in run("run", "--as-of", "2026-03-03T12:00Z")[1]


def test_run_names_the_rebuild_that_a_changed_model_needs(run: Run, folder: Path) -> None:
    run("init", ".")
    write_records(folder / "spool", ((0, admit(number)) for number in range(3)), at=NOON, workers=1)
    run("run", "--as-of", "2026-03-02T12:00Z")
    model = folder / "models" / "gold" / "costs.sql"
    model.write_text("-- changed\n" + model.read_text())
    write_records(folder / "spool", [(0, admit(9))], at=NOON, workers=1)
    code, _, err = run("run", "--as-of", "2026-03-02T13:00Z")

    assert code == 0
    assert "Warning: 1 dates of gold.costs, 2026-03-01 to 2026-03-01, were made by an older model." in err
    (command,) = re.findall(r"maintain rebuild gold.costs .*", err)
    assert run(*command.split())[0] == 0
    assert "Warning" not in run("run", "--as-of", "2026-03-02T14:00Z")[2]


def test_doctor_finds_a_sound_lake_sound(run: Run, demo_lake: DemoLake) -> None:
    code, out, err = run("--config", demo_lake.settings_file, "doctor")

    assert (code, err) == (0, "")
    assert "PROBLEM" not in out
    assert "records of the sources are all accounted for" in out
    assert out.endswith("Everything is as it should be.\n")


def test_doctor_names_a_missing_source_and_a_foreign_engine(run: Run, folder: Path) -> None:
    (folder / "lake" / "_tollhouse").mkdir(parents=True)
    (folder / "lake" / "_tollhouse" / "lake.json").write_text('{"engine": "spark", "format": 1}')
    (folder / "tollhouse.yml").write_text("sources: [{name: proxy, format: litellm, path: nowhere}]\n")
    code, out, _ = run("doctor")

    assert code == 1
    assert f"proxy: there is nothing at {folder.resolve() / 'nowhere'}" in out
    assert "belongs to the spark engine" in out
    assert out.endswith("Problems found: 2\n")


def test_doctor_names_a_table_that_it_would_misread(run: Run, folder: Path) -> None:
    (folder / "tollhouse.yml").write_text("{}\n")
    run("run", "--as-of", "2026-03-02")
    log = folder / "lake" / "gold" / "costs" / "_delta_log"
    protocol = {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"],
        "writerFeatures": ["deletionVectors"],
    }
    newest = max(int(path.stem) for path in log.glob("*.json"))
    (log / f"{newest + 1:020d}.json").write_text(json.dumps({"protocol": protocol}) + "\n")
    code, out, _ = run("doctor")

    assert code == 1
    assert re.search(r"PROBLEM +gold\.costs .*deletionVectors", out)


def test_doctor_says_who_is_at_work(run: Run, folder: Path) -> None:
    with table_lock(folder / ".tollhouse" / "locks", "gold.costs"):
        assert "held now: gold.costs (a run is at work)" in run("doctor")[1]
    assert "none held" in run("doctor")[1]


def test_maintain_refuses_a_table_that_does_not_exist(run: Run, folder: Path) -> None:
    for verb in ("compact", "vacuum", "rebuild"):
        code, _, err = run("maintain", verb, "gold.nope")
        assert (code, "there is no table 'gold.nope'; there are bronze.raw_records" in err) == (1, True)


def test_vacuum_refuses_what_would_delete_the_files_of_a_running_writer(run: Run, folder: Path) -> None:
    code, _, err = run("maintain", "vacuum", "--retention-hours", "1")

    assert code == 1
    assert "use 168 hours or more" in err


def test_ingest_names_the_formats(run: Run, folder: Path) -> None:
    (folder / "log.json").write_text("{}")
    code, _, err = run("ingest", "log.json", "--format", "nope")

    assert code == 1
    assert "there is no log format 'nope'" in err
    assert "litellm" in err


def test_the_demo_answers_adds_up_and_prints_commands_that_run(folder: Path) -> None:
    demo = [TOLLHOUSE, "demo", "--calls", "300", "--days", "2", "--live", "0"]
    first = subprocess.run(demo, capture_output=True, text=True, check=False)

    assert (first.returncode, first.stderr) == (0, "")
    for question in QUESTIONS:
        assert question.text in first.stdout
    assert "→ equal" in first.stdout
    commands = [line.strip() for line in first.stdout.partition("What next?")[2].splitlines()[2:]]
    assert len(commands) == 5
    for command in commands:
        ending = " --help" if command.endswith("serve pipelines") else ""
        done = subprocess.run(["bash", "-c", command + ending], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), command

    again = subprocess.run(demo, capture_output=True, text=True, check=True).stdout

    assert again.startswith("demo/ holds this demo already")
    assert again.partition("── Who")[2] == first.stdout.partition("── Who")[2]


def test_the_demo_replaces_another_one_only_when_told(run: Run, folder: Path) -> None:
    stage(folder / "demo", 50, 1, NOON)
    code, _, err = run("demo", "--calls", "60", "--days", "1")

    assert code == 1
    assert "holds a demo of 50 calls over 1 days, not 60 over 1\n  → add --fresh" in err


def test_the_demo_leaves_a_folder_alone_that_is_not_its_own(run: Run, folder: Path) -> None:
    (folder / "demo").mkdir()
    (folder / "demo" / "thesis.txt").write_text("mine")
    code, _, err = run("demo", "--fresh")

    assert code == 1
    assert "is not empty and holds no demo" in err
    assert [path.name for path in (folder / "demo").iterdir()] == ["thesis.txt"]


def test_a_demo_that_was_killed_while_it_was_written_is_begun_anew(folder: Path) -> None:
    whole = stage(folder / "demo", 50, 1, NOON)
    half = msgspec.structs.replace(whole, totals=None)
    (folder / "demo" / "demo.json").write_bytes(msgspec.json.encode(half))

    assert staged(folder / "demo") == half
    assert not is_same(half, 50, 1)
    assert stage(folder / "demo", 50, 1, NOON) == whole


def test_a_step_is_shown_in_columns() -> None:
    report = StepReport("gold.costs", Written(rows=12_345, rejected=6), 7.891)

    assert step_line(report) == "gold.costs                         12,345         6     7.89"


def test_a_terminal_gets_a_bar_and_a_line_for_each_step(folder: Path) -> None:
    script = ["script", "--quiet", "--return", "--command", f"{TOLLHOUSE} run --job ingest", "/dev/null"]
    if shutil.which("script") is None:
        pytest.skip("the program script, which makes a terminal, is not installed")
    done = subprocess.run(script, capture_output=True, text=True, check=True)

    assert re.search(r"bronze +0 rows in \d\.\d\d s", done.stdout)
    assert "━" in done.stdout


def test_a_demo_whose_job_fails_says_why_and_what_to_do(folder: Path) -> None:
    stage(folder / "demo", 50, 1, NOON)
    (folder / "demo" / "lake" / "_tollhouse").mkdir(parents=True)
    (folder / "demo" / "lake" / "_tollhouse" / "lake.json").write_text('{"engine": "spark", "format": 1}')
    demo = [TOLLHOUSE, "demo", "--calls", "50", "--days", "1", "--live", "0"]
    done = subprocess.run(demo, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: the job all failed: ")
    assert "belongs to the spark engine" in done.stderr
    assert "Traceback" not in done.stderr
