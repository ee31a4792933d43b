"""Logs contain what is known to be harmless, and nothing that looks like a secret, wherever it comes from."""

import ast
import asyncio
import io
import json
import logging
import os
import re
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
import structlog

from observability import ALLOWED, configure_logging, log_whatever_ends_a_process

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyaXRhIn0.c2lnbmF0dXJl"
REFRESH = "0.AXoAbcdefghijklmnopqrstuvwxyz0123456789"
SECRETS = ["rita@acme.example", JWT, REFRESH, f"Bearer {JWT}", "postgresql://user:hush@db/onbehalf"]

Written = Callable[[], list[dict[str, object]]]


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
        assert "[redacted]" in json.dumps(line) or "exception" in line
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
        logger().info("message_ignored", dispatch_no=3)
    (line,) = written()
    assert (line["delivery_id"], line["actor"], line["dispatch_no"]) == (str(UUID(int=7)), "send_step", 3)
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


@pytest.mark.usefixtures("written")
def test_every_line_says_which_process_wrote_it_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    configure_logging("json", "info", process="worker")
    logger().info("email_sent")
    logging.getLogger("a.library").warning("it said so")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["process"], line["host"], line["pid"]) for line in lines] == [
        ("worker", socket.gethostname(), os.getpid())
    ] * 2


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


def failing(value: str) -> None:
    raise LookupError(f"there is no {value}")


def test_of_an_exception_there_is_its_type_and_where_it_was_raised_and_not_what_it_says(
    written: Written,
) -> None:
    try:
        try:
            failing("Anna's salary of 91000")
        except LookupError as error:
            raise RuntimeError("pregnant") from error
    except RuntimeError:
        logger().exception("job_failed", job="x")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\nAnna")
    for line in written():
        said = str(line["exception"])
        assert said.startswith("RuntimeError\n  tests/test_observability.py:")
        assert "because of\nLookupError\n" in said
        assert said.endswith(" failing")
        assert not {"Anna", "91000", "pregnant"} & set(re.findall(r"\w+", json.dumps(line)))


def several() -> None:
    raise ExceptionGroup("secret", [ValueError("secret"), KeyError("secret")])


def test_a_recursion_is_a_short_line_and_a_group_names_its_parts(written: Written) -> None:
    def again(n: int) -> int:
        return again(n + 1)

    try:
        again(0)
    except RecursionError:
        logger().exception("job_failed")
    try:
        several()
    except ExceptionGroup:
        logger().exception("job_failed")
    recursion, group = (str(line["exception"]) for line in written())
    assert len(recursion) < 6000
    assert re.search(r"… \d+ more", recursion)
    assert "one of\nValueError\none of\nKeyError" in group
    assert "secret" not in group


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("name", ["uvicorn", "uvicorn.error", "dramatiq", "anybody"])
def test_a_library_with_a_handler_of_its_own_goes_the_same_way(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    own, out = io.StringIO(), io.StringIO()
    library = logging.getLogger(name)
    library.addHandler(logging.StreamHandler(own))
    library.propagate = False
    monkeypatch.setattr(sys, "stderr", out)
    configure_logging("json", "info")
    library.error("Key (email)=('anna@example.org') exists\nDETAIL: Anna")
    assert own.getvalue() == ""
    line = json.loads(out.getvalue())
    assert (line["event"], line["logger"]) == ("Key (email)=('…') exists", name)


def test_what_nobody_catches_is_one_line_too(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(module, name, getattr(module, name))
    log_whatever_ends_a_process()
    logging.captureWarnings(False)
    thread = threading.Thread(target=failing, args=("secret",))
    thread.start()
    thread.join()
    try:
        failing("secret")
    except LookupError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    events = [(line["event"], line["error"], "secret" in json.dumps(line)) for line in written()]
    assert events == [("thread_failed", "LookupError", False), ("process_failed", "LookupError", False)]


def test_an_asyncio_task_that_failed_unseen_is_not_quoted(written: Written) -> None:
    async def whole() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(failing, "secret")
        await asyncio.sleep(0)

    asyncio.run(whole())
    (line,) = written()
    assert line["event"] == "Exception in callback failing"
    assert "secret" not in json.dumps(line)


LEVELS = {
    "debug",
    "info",
    "warning",
    "error",
    "exception",
    "critical",
    "bind_contextvars",
    "bound_contextvars",
}
OF_EVERY_LINE = {
    "event", "level", "timestamp", "logger", "exc_info", "exception", "process", "host", "pid",
    "trace_id",
}  # fmt: skip


def logged_keys() -> dict[str, str]:
    """Every key that the product logs or binds, with one place where it does."""
    root = Path(__file__).parents[1]
    folders = (
        "actions",
        "app",
        "commands",
        "db",
        "deploy",
        "importing",
        "inbox",
        "scheduler",
        "transports",
        "web",
        "workers",
    )
    found = {}
    for path in [*root.glob("*.py"), *(path for folder in folders for path in (root / folder).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
            ):
                for keyword in node.keywords:
                    if keyword.arg is not None:
                        found[keyword.arg] = f"{path.relative_to(root)}:{node.lineno}"
    return found


def test_what_is_logged_is_allowed_and_what_is_allowed_is_logged() -> None:
    logged = logged_keys()
    dropped = {key: place for key, place in logged.items() if key not in ALLOWED}
    assert dropped == {}
    assert set(logged) | OF_EVERY_LINE == ALLOWED
