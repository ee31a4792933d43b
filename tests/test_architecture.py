"""What keeps the code simple: its rules, read from the sources."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from domain.jobs import QUEUES

ROOT = Path(__file__).parents[1]
PACKAGES = [
    "actions",
    "app",
    "commands",
    "db",
    "deploy",
    "domain",
    "lab/emulator",
    "importing",
    "inbox",
    "scheduler",
    "transports",
    "web",
    "workers",
]
PRODUCT = [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))] + [
    ROOT / name
    for name in ("cli.py", "config.py", "config_urls.py", "counters.py", "observability.py", "tracing.py")
]
MODULES = [path for path in PRODUCT if "versions" not in path.parts]
NAMED = {str(path.relative_to(ROOT)): path for path in MODULES}


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def test_a_module_is_no_longer_than_a_reader_keeps_in_mind() -> None:
    # The tables of the database are one list.
    lines = {name: len(path.read_text().splitlines()) for name, path in NAMED.items()}
    assert {name: n for name, n in lines.items() if n > (400 if name.endswith("models.py") else 320)} == {}


def test_a_module_says_what_it_is_for() -> None:
    texts = {name: path.read_text() for name, path in NAMED.items()}
    assert [
        each for each, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))
    ] == []


def test_there_is_one_commit() -> None:
    committing = {str(path.relative_to(ROOT)) for path in MODULES if "commit" in calls(path)}
    assert committing <= {"db/core/session.py", "db/migrations/env.py"}


def test_no_error_is_caught_and_ignored() -> None:
    assert [
        f"{name}:{node.lineno}"
        for name, path in NAMED.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and _takes_all(node) and _does_nothing(node)
    ] == []


def _takes_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException")
    )


def _does_nothing(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(line, ast.Pass) for line in handler.body)


def test_every_job_has_its_actor_and_every_queue_its_worker() -> None:
    from domain import jobs
    from workers import (
        actor,
        check_mailbox,
        fan_out,
        notify_owner,
        pause_sequence,
        reconcile_delivery,
        send_step,
    )

    kinds = [each for each in vars(jobs).values() if isinstance(each, type) and hasattr(each, "actor")]
    declared = {name: queue for name, (queue, _) in actor._BODIES.items()}
    assert {vars(kind)["actor"]: vars(kind)["queue"] for kind in kinds} == declared
    assert {send_step, fan_out, notify_owner, pause_sequence, reconcile_delivery, check_mailbox}
    served = set(re.findall(r"--queues ([\w ]+?)(?: --|$)", (ROOT / "Procfile").read_text(), re.MULTILINE))
    assert {queue for each in served for queue in each.split()} == set(QUEUES)


def test_only_app_opens_servers_and_providers() -> None:
    opened = {"Broker", "Database", "Entra", "GraphProvider", "Limiter"}
    elsewhere = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        if path.relative_to(ROOT).parts[0] not in ("app", "lab")  # the emulator has an Entra of its own
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in opened
    ]
    assert elsewhere == []


def test_the_product_asks_others_by_two_http_clients() -> None:
    """aiohttp, and requests, which MSAL brings. The lab does not count, because it is not part of what runs."""
    used = {
        name.partition(".")[0]
        for path in MODULES
        if path.relative_to(ROOT).parts[0] not in ("deploy", "lab")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        )
    }
    assert used & {"aiohttp", "httpx", "requests", "urllib3"} == {"aiohttp", "requests"}


def test_the_lock_file_has_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in re.sub(r"#.*", "", lock)
    assert "--index-url" not in lock
    pinned = re.findall(r"^[A-Za-z0-9._-]+(?:\[[^]]*\])?==", lock, re.MULTILINE)
    assert len(pinned) > 50
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_no_link_is_kept() -> None:
    # A link leads somewhere else on every machine. One of a tool's folder once took the folder's place on all of them.
    listed = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line for line in listed.stdout.splitlines() if line.startswith("120000")] == []
