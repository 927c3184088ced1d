import datetime as dt
import shutil
from pathlib import Path

import dagster as dg
import pytest
from pipelines.conftest import AS_OF, settings_in  # type: ignore[import-not-found]

from pipelines.definitions import build
from pipelines.resources import run_config
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.run import run_steps
from tollhouse.settings import Settings
