"""``tollhouse sql``: one query, its rows on the terminal or in a file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from tollhouse.errors import QueryError, StorageError

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = ("table", "csv", "json", "parquet")


@click.command("sql", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("query")
@click.option("--dialect", type=click.Choice(["databricks", "duckdb"]), default="databricks", show_default=True)
@click.option("--format", "kind", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.pass_obj
def sql(config: str | None, query: str, dialect: str, kind: str, output: Path | None) -> None:
    """Run one SELECT over the lake's tables and views; '-' reads it from standard input.

    \b
    tollhouse sql "SELECT requester, sum(total_tokens) FROM system.ai_gateway.usage GROUP BY 1"
    """
    from tollhouse.lake.lakehouse import Lakehouse
    from tollhouse.sql.door import Door

    if kind == "parquet" and output is None:
        raise QueryError("--format parquet needs a file", hint="add --output rows.parquet")
    text = sys.stdin.read() if query == "-" else query
    with Lakehouse.open(config) as lake, Door(lake).stream(text, dialect=dialect) as rows:
        _write(rows, kind, output)


def _write(rows: "pa.RecordBatchReader", kind: str, output: Path | None) -> None:
    from tollhouse.sql.printing import write_parquet, write_rows

    stdout: TextIO = sys.stdout
    try:
        if output is None:
            write_rows(rows, kind, stdout)
        elif kind == "parquet":
            write_parquet(rows, output)
        else:
            with output.open("w", encoding="utf-8", newline="") as file:
                write_rows(rows, kind, file)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(f"cannot write {output}: {error}") from error
