"""A file's problems, each with line, column and fix, collected before anything is written."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.errors import InvalidInput

MAX_LISTED = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """``line`` and ``column`` count from 1; 0 = the whole file."""

    line: int
    column: int
    what: str
    fix: str = ""

    def text(self, file: str) -> str:
        """Return ``FILE:LINE:COLUMN: what. fix``."""
        place = f"{file}:{self.line}:{self.column}" if self.line else file
        return f"{place}: {self.what.rstrip('.')}.{' ' + self.fix if self.fix else ''}"


class ImportRejected(InvalidInput):
    """Nothing in the file was imported. ``problems`` are in file order."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = sorted(problems, key=lambda each: (each.line, each.column))
        lines = [each.text(file) for each in self.problems[:MAX_LISTED]]
        if len(self.problems) > MAX_LISTED:
            lines.append(f"… and {len(self.problems) - MAX_LISTED} more problems.")
        super().__init__("\n".join(["nothing was imported.", *lines]))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean …?``, or a list of all names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join(names)}."
