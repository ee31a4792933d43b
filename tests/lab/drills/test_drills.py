"""Drills as an operator runs them, on a system started only for them."""

import json
import subprocess
import sys
from pathlib import Path

from lab.drills.scenarios import SCENARIOS

ROOT = Path(__file__).parents[3]


def drill(folder: Path, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "cli", "drill", *names],
        cwd=folder,
        env={
            "PYTHONPATH": str(ROOT),
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(folder),
            "COLUMNS": "200",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_drills_tell_what_was_done_and_judge_it(tmp_path: Path) -> None:
    done = drill(
        tmp_path,
        "revoke",
        "sent-without-answer",
        "--json",
        # Somebody's servers, as after sourcing an env file. A system started for the drill must not touch them.
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/theirs",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = json.loads(done.stdout)
    assert [(each["name"], each["holds"]) for each in verdicts] == [
        ("revoke", True),
        ("sent-without-answer", True),
    ]
    assert all(len(each["findings"]) >= 12 for each in verdicts)
    for expected in (
        "takes the permission back",
        "ended your permission to send from",
        "holds   nothing leaves after a no: 1 withdrawals",
        "holds   what was taken was found: 12 of 12",
        "2 of 2 drills: every invariant held.",
    ):
        assert expected in done.stderr
    assert "BROKEN" not in done.stderr
    left_over = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert left_over.stdout.strip() == ""


def test_holds_and_drains_lose_and_double_nothing(tmp_path: Path) -> None:
    done = drill(tmp_path, "hold", "drain")
    assert done.returncode == 0, done.stdout + done.stderr
    for expected in (
        "holds   everything goes on: 72 emails",
        "holds   nothing leaves after a no: 2 withdrawals",
        "holds   workers that stop hand everything back: 0",
        "2 of 2 drills: every invariant held.",
    ):
        assert expected in done.stdout


def test_an_unknown_drill_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    done = drill(tmp_path, "earthquake")
    assert done.returncode == 2
    assert "there is no drill 'earthquake'" in done.stderr
    assert "redis-emptied" in done.stderr


def test_help_names_every_drill_and_each_says_what_it_does(tmp_path: Path) -> None:
    helped = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "cli", "drill", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert [name for name in SCENARIOS if name not in helped.stdout] == []
    assert all((scenario.__doc__ or "").strip().endswith(".") for scenario in SCENARIOS.values())
