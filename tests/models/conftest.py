from collections.abc import Iterator

import pytest
from models.runner import ModelRunner


@pytest.fixture(scope="module")
def models() -> Iterator[ModelRunner]:
    runner = ModelRunner()
    yield runner
    runner.close()
