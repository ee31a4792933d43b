"""Names that people give to commands, completed from the database: ``onbehalf sequence pause Ba<TAB>``."""

import os
import re
from collections.abc import Callable
from typing import Annotated

import typer

from domain.errors import OnbehalfError

_MOST = 50
_PLAIN = re.compile(r"[\w@.+-]*")


def completed(kind: str) -> Callable[[str], list[str]]:
    """Return what completes names of a kind. Without settings or a database it completes nothing, and says nothing: a shell waits."""

    def complete(incomplete: str) -> list[str]:
        from commands.common import reading  # noqa: PLC0415 - only while somebody completes
        from db.views import lookups  # noqa: PLC0415

        try:
            with reading() as tx:
                names = lookups.beginning(tx, kind, incomplete, limit=_MOST)
        except OnbehalfError:
            return []
        return [_for_shell(each) for each in names]

    return complete


def _for_shell(name: str) -> str:
    # bash takes what it gets for words as typed; other shells quote by themselves.
    if os.environ.get("_ONBEHALF_COMPLETE") != "complete_bash" or _PLAIN.fullmatch(name):
        return name
    return re.sub(r"([^\w@.+-])", r"\\\1", name)


OrganizationName = Annotated[str, typer.Argument(autocompletion=completed("organization"))]
SequenceName = Annotated[str, typer.Argument(autocompletion=completed("sequence"))]
MailboxAddress = Annotated[str, typer.Argument(autocompletion=completed("mailbox"))]
MemberAddress = Annotated[str, typer.Argument(autocompletion=completed("member"))]
PersonAddress = Annotated[str, typer.Argument(autocompletion=completed("candidate"))]
