"""The rows that an import left out, as a CSV file to correct and import again."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from domain.errors import InvalidInput
from importing.candidates import LeftOut
from importing.files import STDIN
from importing.headers import REJECT_COLUMNS, quoted


def write_rejects(path: Path, named: Path | None, titles: Sequence[str], rows: Sequence[LeftOut]) -> Path:
    """Write rejected rows beside the imported file ``path``, or to ``named``. Returns the path. Raises ``InvalidInput``.

    Without ``named``, never overwrites a file: somebody may be correcting an earlier import's.
    """
    where = named or _default(path)
    if named is not None and path != STDIN and named.exists() and path.exists() and named.samefile(path):
        raise InvalidInput(
            "that is the file that is being imported", where="--rejects", fix="Name another file."
        )
    try:
        if named is None:
            where, handle = _new(where)
        else:
            handle = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        # Excel recognizes UTF-8 by its mark.
        with os.fdopen(handle, "w", encoding="utf-8-sig", errors="replace", newline="") as file:
            file.write(rejects_csv(titles, rows))
    except OSError as error:
        raise InvalidInput(
            f"the rows that are left out cannot be written ({error.strerror})",
            where=str(where),
            fix="Nothing was imported. Say where: --rejects FILE",
        ) from None
    return where


def rejects_csv(titles: Sequence[str], rows: Sequence[LeftOut]) -> str:
    """Return rejected rows as CSV that no spreadsheet takes for formulas. Importing it again restores each cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*REJECT_COLUMNS, *map(quoted, titles)])
    writer.writerows([row.why, row.line, *map(quoted, row.cells)] for row in rows)
    return out.getvalue()


def _default(path: Path) -> Path:
    return Path("people.rejects.csv") if path == STDIN else path.with_name(f"{path.stem}.rejects.csv")


def _new(path: Path) -> tuple[Path, int]:
    number = 1
    while True:
        where = path if number == 1 else path.with_name(f"{path.stem}-{number}.csv")
        try:
            return where, os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            number += 1
