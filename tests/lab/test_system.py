"""The judge of processes sees every unexpected error."""

import sys
from pathlib import Path

import pytest
import structlog

from lab.system import Processes
from observability import configure_logging


def test_an_unexpected_error_is_seen_in_the_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = Processes({}, tmp_path)
    assert processes.tracebacks() == []
    with (tmp_path / "worker.log").open("w") as log:
        monkeypatch.setattr(sys, "stderr", log)
        configure_logging("auto", "info")  # as in a process whose logs go to a file
        try:
            int("unexpected")
        except ValueError:
            structlog.get_logger().exception("actor_failed")
    assert processes.tracebacks() != []
