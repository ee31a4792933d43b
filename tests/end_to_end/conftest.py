"""The product as processes, one set per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.stage import Stage
from lab.system import System


@pytest.fixture
def system(stage: Stage, redis_url: str, tmp_path: Path) -> Iterator[System]:
    """A system with no process running. A test starts what it needs, and everything ends with it."""
    made = System(stage, redis_url, tmp_path)
    yield made
    made.stop()
