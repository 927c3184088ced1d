"""One small lake that many tests may read; none may write to it."""

import datetime as dt

import pytest
from demo_lake import DemoLake

from tollhouse.demo.spooling import write_spool
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.run import run_steps
from tollhouse.settings import FILE_NAME, load_settings
from tollhouse.settings_template import write_settings

DEMO_END = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def demo_lake(tmp_path_factory: pytest.TempPathFactory) -> DemoLake:
    root = tmp_path_factory.mktemp("demo_lake")
    write_settings(root / FILE_NAME)
    settings = load_settings(str(root / FILE_NAME))
    ledger = write_spool(settings.spool_dir, end=DEMO_END, calls=600, days=3, seed=7)
    with Lakehouse(settings) as lake:
        list(run_steps(lake, DEMO_END + dt.timedelta(days=1)))
    return DemoLake(root, settings, ledger)
