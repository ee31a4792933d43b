"""What `make` installs, when, and how it says so."""

import io
import os
import re
import shutil
import subprocess
import time
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lab import install

ROOT = Path(__file__).parents[2]
WHOLE, RUNS, IMAGE = (
    ROOT / each for each in ("requirements.lock", "lab/requirements.lock", "deploy/requirements.lock")
)
RUN, REST, START = "install.py lab/requirements.lock", "install.py requirements.lock", "onbehalf run"


def pins(lock: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Return version and hashes by package."""
    text = re.sub(r" *#.*", "", lock.read_text()).replace("\\\n", " ")
    found = re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)(.*)$", text, re.MULTILINE)
    return {name: (version, frozenset(re.findall(r"sha256:\w+", rest))) for name, version, rest in found}


@pytest.mark.parametrize("lock", [RUNS, IMAGE])
def test_smaller_locks_are_part_of_the_whole_one(lock: Path) -> None:
    whole, part = pins(WHOLE), pins(lock)
    assert len(part) > 50
    assert {name: whole.get(name) for name in part} == part
    assert "://" not in lock.read_text()


def needed(extras: tuple[str, ...]) -> set[str]:
    """Return the packages that the product with these extras comes to here."""
    found: set[str] = set()
    waiting = [("onbehalf", extras)]
    declared = {"onbehalf": [Requirement(each) for each in _declared(extras)]}
    while waiting:
        name, wanted = waiting.pop()
        for each in declared.get(name) or map(Requirement, metadata.requires(name) or []):
            named = canonicalize_name(each.name)
            if any(each.marker is None or each.marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
                if named not in found:
                    waiting.append((named, tuple(each.extras)))
                found.add(named)
    return found


def _declared(extras: tuple[str, ...]) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [
        *project["dependencies"],
        *(line for extra in extras for line in project["optional-dependencies"][extra]),
    ]


def test_make_run_gets_what_running_needs_and_nothing_else() -> None:
    lock = set(pins(RUNS))
    missing = needed(("embedded", "emulator")) - lock
    assert not missing
    assert not lock & {
        "pytest",
        "mypy",
        "playwright",
        "celery",
        "kubernetes-validate",
        "schemathesis",
        "ruff",
    }


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment is not made yet, in a folder with a space."""
    folder = tmp_path / "my checkout"
    for name in ("lab", "tests/node"):
        (folder / name).mkdir(parents=True)
    for name in (
        "Makefile",
        "requirements.lock",
        "lab/requirements.lock",
        "pyproject.toml",
        "tests/node/package-lock.json",
    ):
        shutil.copy(ROOT / name, folder / name)
    return folder


def would(checkout: Path, target: str) -> list[str]:
    """Return which of the steps `make` would take, in order."""
    done = subprocess.run(
        ["make", "-n", target], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout
    return [
        step
        for line in done.splitlines()
        for step in ("venv --clear", RUN, REST, START, "-m pytest")
        if step in line
    ]


def made(checkout: Path, *stamps: str) -> None:
    (checkout / ".venv").mkdir(exist_ok=True)
    for stamp in stamps:
        (checkout / ".venv" / stamp).touch()
        time.sleep(0.01)


def newer(path: Path) -> None:
    later = time.time() + 60
    os.utime(path, (later, later))


def test_running_installs_the_small_lock_once_and_tests_add_the_rest(checkout: Path) -> None:
    assert would(checkout, "run") == ["venv --clear", RUN, START]
    made(checkout, ".runnable")
    assert would(checkout, "run") == [START]
    assert would(checkout, "test") == [REST, "-m pytest"]
    made(checkout, ".ready")
    assert would(checkout, "test") == ["-m pytest"]


@pytest.mark.parametrize("changed", ["requirements.lock", "lab/requirements.lock", "pyproject.toml"])
def test_a_changed_lock_makes_the_environment_anew(checkout: Path, changed: str) -> None:
    made(checkout, ".runnable", ".ready")
    newer(checkout / changed)
    assert would(checkout, "run") == ["venv --clear", RUN, START]
    assert would(checkout, "test") == ["venv --clear", RUN, REST, "-m pytest"]


PIP = [
    "Collecting aiohttp==3.14.5 (from -r lab/requirements.lock (line 1))\n",
    "  Using cached aiohttp-3.14.5-cp311-cp311-manylinux.whl (1.7 MB)\n",
    "Requirement already satisfied: idna==3.11 in ./lib\n",
    "Installing collected packages: aiohttp, yarl\n",
    "Successfully installed aiohttp-3.14.5 yarl-1.20\n",
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_somebody_at_a_terminal_sees_each_package() -> None:
    screen = Terminal()
    install.show(PIP, 109, screen)
    assert [each.removeprefix("\x1b[K").strip() for each in screen.getvalue().split("\r")[1:]] == [
        "Getting packages: 1 of 109 at most, aiohttp",
        "Getting packages: 2 of 109 at most, idna",
        "Installing 2 packages",
        "Packages are installed.",
    ]


def test_a_log_gets_few_lines() -> None:
    log = io.StringIO()
    install.show([PIP[0]] * 50, 109, log)
    assert len(log.getvalue().splitlines()) == 3


def test_what_pip_cannot_install_is_said_with_its_words(tmp_path: Path) -> None:
    lock, log = tmp_path / "a lock", io.StringIO()
    lock.write_text("without-a-hash==1\n")
    assert install.main([str(lock)], log) != 0
    assert "pip could not install everything" in log.getvalue()
