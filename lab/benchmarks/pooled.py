"""(m) The pipeline behind PgBouncer in transaction mode, beside the same pipeline on its own connections."""

import shutil
import subprocess

from lab.benchmarks.bed import Bed
from lab.benchmarks.peers import Row
from lab.benchmarks.throughput import middle, pipeline
from lab.pooler import PROGRAM, pooler


def pooled(bed: Bed, *, quick: bool) -> list[Row]:
    """Both in alternation, one worker process each. PgBouncer has as many server sessions as the process has connections.

    Nothing is prepared behind it, so Postgres parses and plans each statement anew.
    """
    if shutil.which(PROGRAM) is None:
        return [{"name": "PgBouncer is not installed"}]
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )[0]
    mailboxes, turns = (40, 1) if quick else (300, 3)
    direct, through = [], []
    for turn in range(turns):
        direct.append(pipeline(bed, 1, mailboxes))
        with pooler(
            bed.stage.runtime.settings.database_url, bed.folder / f"pooler{turn}", sessions=16
        ) as url:
            row = pipeline(bed, 1, mailboxes, DATABASE_URL=url)
        row["name"] = f"behind {version}"
        row["of_direct"] = row["emails_per_second"] / direct[-1]["emails_per_second"]
        through.append(row)
    return [middle(direct), middle(through)]
