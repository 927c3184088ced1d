"""DuckDB connections, set up once: UTC, bounded memory, no extension download."""

import os
from pathlib import Path

import duckdb

from tollhouse.errors import LakeError
from tollhouse.settings import EngineSettings

# A partition is flushed when a thread holds this many rows of it: at 2.5 kB a row the default of 524,288 is 1.3 GB.
_FLUSH_ROWS = 8192


def connect(settings: EngineSettings, temporary: Path) -> duckdb.DuckDBPyConnection:
    """A new in-memory database that spills to ``temporary`` and reads what the process may read."""
    try:
        temporary.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LakeError(
            f"cannot make {temporary} for spilling: {error}", hint="set `state:` to a folder you own"
        ) from error
    connection = duckdb.connect(
        config={
            "threads": settings.threads or os.cpu_count() or 1,
            "memory_limit": settings.memory,
            "temp_directory": str(temporary),
            "preserve_insertion_order": False,
            "partitioned_write_flush_threshold": _FLUSH_ROWS,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    # Threads share a table by row groups: with the default of 122,880 rows a batch would be one thread's work.
    connection.execute("ATTACH ':memory:' AS work (ROW_GROUP_SIZE 16384)")
    connection.execute("USE work")
    return connection
