"""Logs hold what is known to be harmless, and nothing that looks like a secret, wherever it comes from."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
import structlog

from observability import configure_logging

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyaXRhIn0.c2lnbmF0dXJl"
REFRESH = "0.AXoAbcdefghijklmnopqrstuvwxyz0123456789"
SECRETS = ["rita@acme.example", JWT, REFRESH, f"Bearer {JWT}", "postgresql://user:hush@db/onbehalf"]

Written = Callable[[], list[dict[str, object]]]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    root, structured = logging.getLogger(), structlog.get_config()
    before = root.handlers[:], root.level
    configure_logging("json", "info")
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    structlog.configure(**structured)


def logger() -> structlog.stdlib.BoundLogger:
    made: structlog.stdlib.BoundLogger = structlog.get_logger("workers.test")
    return made


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_replaced(written: Written, secret: str) -> None:
    logger().warning("attempt_failed", error=f"it said {secret}.", reason=ValueError(secret), code=[secret])
    logging.getLogger("a.library").warning("it said %s", secret)
    try:
        int(secret)
    except ValueError:
        logger().exception("job_failed", job="x")
    lines = written()
    assert len(lines) == 3
    for line in lines:
        assert "[redacted]" in json.dumps(line)
        assert "hush" not in json.dumps(line)
        assert secret.removeprefix("Bearer ") not in json.dumps(line)


def test_a_key_that_is_not_known_to_be_harmless_is_dropped_and_counted(written: Written) -> None:
    logger().info("email_sent", body="Dear Anna", to="anna", known_by="answer")
    (line,) = written()
    assert line["redacted_keys"] == 2
    assert line["known_by"] == "answer"
    assert "Anna" not in json.dumps(line)


def test_bound_ids_are_in_every_line(written: Written) -> None:
    with structlog.contextvars.bound_contextvars(delivery_id=UUID(int=7), actor="send_step"):
        logger().info("bell_ignored", dispatch_no=3)
    (line,) = written()
    assert (line["delivery_id"], line["actor"], line["dispatch_no"]) == (str(UUID(int=7)), "send_step", 3)
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_a_log_that_nobody_reads_any_more_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, written: Written
) -> None:
    class Broken(io.StringIO):
        def write(self, _line: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Broken())
    configure_logging("json", "info")
    logger().info("email_sent")
    logging.getLogger("a.library").warning("it said so")
