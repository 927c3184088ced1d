from pathlib import Path

import pytest
from pipelines_tests.lakes import AS_OF

from tollhouse.demo.spooling import write_spool
