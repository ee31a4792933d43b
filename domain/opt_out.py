"""An opt-out: whom its link names, and the line in words that leads to it."""

import re
from dataclasses import dataclass
from uuid import UUID

from domain.address import unprintable
from domain.errors import InvalidInput

LINE = "If you would rather not hear from us again, stop these emails here"
MAX_LINE = 200  # characters
SUBJECT = "opt-out"  # of the email that opts out, before its token
TEST = "test"  # instead of the token, in a step that somebody sends to themselves


_CODE = re.compile(r"\s*(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{80,}(?![A-Za-z0-9_-])")


def without_code(subject: str) -> str:
    """Return a subject without what only our programs read: an opt-out's token."""
    return _CODE.sub("", subject).strip()


@dataclass(frozen=True, slots=True)
class OptOut:
    """Who wants no more emails of an organization, and by the link of which email."""

    organization_id: UUID
    candidate_id: UUID
    delivery_id: UUID


def checked_line(line: str) -> str:
    """Return the line as it is stored. Empty: emails have the link in their headers alone. Raises ``InvalidInput``."""
    line = line.strip()
    if len(line) > MAX_LINE:
        raise InvalidInput(
            f"the line has {len(line)} characters", where="opt_out_line", fix=f"Shorten it to {MAX_LINE}."
        )
    if bad := unprintable(line):
        raise InvalidInput(
            f"the line holds {bad}", where="opt_out_line", fix="Write it as one line of plain text."
        )
    if "{{" in line or "://" in line:
        raise InvalidInput(
            "the line holds a field or a link",
            where="opt_out_line",
            fix="Write words alone; they become the link.",
        )
    return line
