"""``python -m lab.nemesis --runs 8 --seconds 45 --seed 1``: run, one line per run.

A failing seed can be run again alone.

The exit code is 0 if every invariant held in every run. A failing run leaves its logs and journal in its folder.
"""

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path

from lab.drills.finding import lines
from lab.nemesis.run import Result, run
from lab.nemesis.troubles import TROUBLES


def main() -> int:
    """Read the command line, run, report."""
    parser = argparse.ArgumentParser(prog="python -m lab.nemesis", description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="how many, with seeds counting up")
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    parser.add_argument("--seconds", type=float, default=45, help="of trouble, in each run")
    parser.add_argument("--together", type=int, default=1, help="runs at a time")
    parser.add_argument("--folder", type=Path, help="for what failing runs leave; a temporary one by default")
    parser.add_argument("--summary", type=Path, help="append one line of JSON per run to this file")
    parser.add_argument(
        "--until-broken", action="store_true", help="stop at the first run in which something broke"
    )
    parser.add_argument(
        "--only", nargs="+", choices=sorted(TROUBLES), default=[], help="no other troubles than these"
    )
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="nemesis-"))
    seeds = range(options.seed, options.seed + options.runs)
    print(f"{options.runs} runs of {options.seconds:.0f} s, seeds {seeds.start} to {seeds[-1]}", flush=True)
    broken = 0
    began = time.monotonic()
    with ProcessPoolExecutor(max_workers=options.together, max_tasks_per_child=1) as pool:
        waiting = list(seeds)
        running: dict[Future[Result], int] = {}
        while waiting or running:
            while waiting and len(running) < options.together and not (broken and options.until_broken):
                seed = waiting.pop(0)
                job = pool.submit(
                    run,
                    seed,
                    options.seconds,
                    folder / str(seed),
                    tuple(options.only),
                    hurried=options.until_broken,
                )
                running[job] = seed
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                seed = running.pop(future)
                broken += not report(seed, future, folder, options)
    took = time.monotonic() - began
    print(
        f"{options.runs} runs in {took / 60:.1f} min: {broken} broken" + (f"; see {folder}" if broken else "")
    )
    return 1 if broken else 0


def report(seed: int, future: Future[Result], folder: Path, options: argparse.Namespace) -> bool:
    """Print one line for a run that held, all findings for one that did not. Returns whether it held."""
    again = f"again: python -m lab.nemesis --seed {seed} --seconds {options.seconds:.0f}{_only(options)}; journal: {folder / str(seed)}"
    try:
        result = future.result()
    except Exception as error:  # noqa: BLE001 - a run that could not be judged is reported, and the others go on
        print(f"seed {seed}: NOT JUDGED; {type(error).__name__}: {str(error)[:300]}\n{again}", flush=True)
        return False
    print(
        f"seed {seed}: {'holds' if result.holds else 'BROKEN'}; {result.emails} emails, {result.withdrawals} withdrawals,"
        f" {sum(result.strikes.values())} troubles, quiet after {result.quiet_after:.0f} s, Redis at most {result.deepest}",
        flush=True,
    )
    if not result.holds:
        print("\n".join([*lines(result.findings), again]), flush=True)
    if options.summary is not None:
        line = {
            "seed": seed,
            "seconds": result.seconds,
            "emails": result.emails,
            "withdrawals": result.withdrawals,
            "troubles": dict(result.strikes),
            "quiet_after": round(result.quiet_after, 1),
            "deepest": result.deepest,
            "broken": [each.name for each in result.findings if not each.holds],
            "figures": {each.name: each.figure for each in result.findings},
        }
        with options.summary.open("a") as file:
            file.write(json.dumps(line) + "\n")
    return result.holds


def _only(options: argparse.Namespace) -> str:
    return f" --only {' '.join(options.only)}" if options.only else ""


if __name__ == "__main__":
    sys.exit(main())
