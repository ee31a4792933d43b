"""Plant each bug into a copy, and see in which run the nemesis catches it.

``python -m lab.exam [--together 2] [--record FILE] [WORD …]``: the words select the bugs whose names contain all of them. The
exit code is 0 if every bug was caught in at most ten runs. All of them take hours on two cores. With ``--record``, outcomes are kept by
version, and an exam that was broken off goes on where it was.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from lab.exam.bugs import BUGS
from lab.exam.planting import Bug, planted

ROOT = Path(__file__).parents[2]
RUNS, SECONDS = 10, 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """``caught_in``: the run, counted from 1; None = never. ``by``: the broken invariants."""

    bug: Bug
    caught_in: int | None
    by: tuple[str, ...]
    seconds: float


def plant(bug: Bug, folder: Path) -> None:
    """Copy the product and the tests to ``folder`` and change the copy."""
    for name in _git("ls-files", "-co", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for name, source in planted(bug.changes, folder).items():
        (folder / name).write_text(source)


def examine(bug: Bug, seed: int) -> Outcome:
    """Run the nemesis up to ten times, until a run breaks."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="exam-") as folder:
        copy = Path(folder) / "copy"
        plant(bug, copy)
        done = subprocess.run(
            [
                sys.executable, "-W", "ignore", "-m", "lab.nemesis", "--runs", str(RUNS), "--seconds", str(SECONDS),
                "--seed", str(seed), "--until-broken", "--folder", str(Path(folder) / "runs"),
            ],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    judged = re.findall(r"^seed \d+: (\w+)", done.stdout, re.MULTILINE)
    by = tuple(re.findall(r"^BROKEN (.*?):", done.stdout, re.MULTILINE))
    if not judged or "NOT JUDGED" in done.stdout:
        by = (f"not judged: {done.stdout[-300:]} {done.stderr[-300:]}",)
    caught = judged.index("BROKEN") + 1 if "BROKEN" in judged else None
    return Outcome(bug, caught, by, time.monotonic() - began)


def version() -> str:
    """Return the commit that is examined. Raises ``SystemExit`` if files differ from it: nobody could say what was examined."""
    changed = _git("status", "--porcelain").strip()
    if changed:
        raise SystemExit(f"Commit these first, so that the record names what was examined:\n{changed}")
    return _git("rev-parse", "HEAD").strip()


class Record:
    """Outcomes in a file, one line of JSON each, of any version. ``None``: nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._version = version() if path else ""

    def known(self) -> dict[str, int | None]:
        """Return bug -> the run that caught it, or None if it was missed, in this version."""
        lines = self._path.read_text().splitlines() if self._path and self._path.exists() else []
        found = [json.loads(line) for line in lines]
        return {each["bug"]: each["caught_in"] for each in found if each["version"] == self._version}

    def keep(self, outcome: Outcome) -> None:
        """Add one."""
        if self._path is None:
            return
        line = {
            "version": self._version,
            "bug": outcome.bug.name,
            "caught_in": outcome.caught_in,
            "by": outcome.by,
            "seconds": round(outcome.seconds),
        }
        with self._path.open("a") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def main() -> int:
    """Examine the bugs, print the outcomes, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab.exam", description=__doc__)
    parser.add_argument("words", nargs="*", help="only bugs whose names hold all of these")
    parser.add_argument("--together", type=int, default=1, help="bugs at a time")
    parser.add_argument("--seed", type=int, default=1, help="of each bug's first run")
    parser.add_argument(
        "--record", type=Path, help="keep outcomes here, and leave out what is known of this version"
    )
    options = parser.parse_args()
    record = Record(options.record)
    known = record.known()
    chosen = [bug for bug in BUGS if all(word in bug.name for word in options.words)]
    left = [bug for bug in chosen if bug.name not in known]
    print(
        f"{len(chosen)} bugs, {len(chosen) - len(left)} of them examined before, up to {RUNS} runs of {SECONDS} s each\n\n"
        "| bug | caught in run | by |\n|---|---|---|",
        flush=True,
    )
    missed = sum(known.get(bug.name, 0) is None for bug in chosen)
    with ThreadPoolExecutor(options.together) as pool:
        for future in as_completed([pool.submit(examine, bug, options.seed) for bug in left]):
            outcome = future.result()
            record.keep(outcome)
            missed += outcome.caught_in is None
            print(
                f"| {outcome.bug.name} | {outcome.caught_in or '**missed**'} | {'; '.join(outcome.by)} |",
                flush=True,
            )
    print(f"\n{len(chosen) - missed} of {len(chosen)} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
