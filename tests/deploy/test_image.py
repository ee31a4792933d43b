"""The Dockerfile's layout, used without this checkout: does it have everything that runs in it?"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from base64 import b64encode
from pathlib import Path

import pytest
import sqlalchemy

from actions import keys
from lab.factories import KEY

ROOT = Path(__file__).parents[2]
_COPY = re.compile(r"^COPY (?!--from)(.+) (\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the image's /venv/bin and /app, as the Dockerfile's first stage makes them (its WORKDIR becomes /app)."""
    root = tmp_path_factory.mktemp("image")
    (root / "app").mkdir()
    (root / "venv/bin").mkdir(parents=True)
    for sources, destination in _COPY.findall((ROOT / "deploy/Dockerfile").read_text()):
        target = root / destination.strip("/") if destination.startswith("/") else root / "app" / destination
        if destination.endswith("/"):
            target.mkdir(exist_ok=True)
        for source in (ROOT / each for each in sources.split()):
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            elif target.is_dir():
                shutil.copy(source, target)
            else:
                shutil.copy(source, target.parent)
    return root


SETTINGS = {
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEYS": b64encode(KEY).decode(),
    "MICROSOFT_CLIENT_ID": "client",
    "MICROSOFT_CLIENT_SECRET": "secret",
    "PUBLIC_URL": "https://onbehalf.example.com",
}


def run_in(image: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the image's code and the libraries, but nothing of this checkout: ``-S`` reads no .pth file."""
    libraries = str(Path(sqlalchemy.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-S", *command],
        check=False,
        cwd=image / "app",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{image / 'app'}:{libraries}", **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_command_that_operators_and_the_release_use_is_in_the_image(image: Path) -> None:
    script = image / "venv/bin/onbehalf"
    assert os.access(script, os.X_OK)
    done = run_in(image, str(script), "--help")
    assert done.returncode == 0, done.stderr
    assert "migrate" in done.stdout


def test_the_image_says_which_version_it_is(image: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    done = run_in(image, str(image / "venv/bin/onbehalf"), "--version")
    assert done.stdout == f"onbehalf {version}\n", done.stderr


def test_the_release_brings_a_database_up_to_date_from_the_images_files(
    image: Path, database_url: str
) -> None:
    done = run_in(image, str(image / "venv/bin/onbehalf"), "migrate", DATABASE_URL=database_url, **SETTINGS)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import sys, workers.main; print(workers.main.__file__, file=sys.__stdout__)",  # it logs whatever is printed
        "import scheduler.__main__; print(scheduler.__main__.__file__)",
        "import inbox.__main__; print(inbox.__main__.__file__)",
        "import web.main; web.main.make_app(); from web import runbook; assert runbook.parts(); print(web.main.__file__)",
    ],
)
def test_every_process_finds_all_it_is_made_of_in_the_image(
    image: Path, code: str, database_url: str
) -> None:
    own = {**keys.of_web((KEY,)), "SECRET_KEYS": ""} if "web" in code else {}
    done = run_in(image, "-c", code, DATABASE_URL=database_url, **{**SETTINGS, **own})
    assert done.stdout.startswith(str(image)), done.stderr


def test_what_is_made_for_a_machine_without_servers_says_so_in_an_image(image: Path) -> None:
    done = run_in(image, str(image / "venv/bin/onbehalf"), "run")
    assert done.returncode == 3, done.stderr
    assert "make run" in done.stderr
    assert "Traceback" not in done.stderr
