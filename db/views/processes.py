"""All processes that reported within the last day, and who does what."""

from collections.abc import Sequence

from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.processes import SENDS, SILENT_AFTER, Process, Role

_SQL = SqlFile(__name__)
_EVERYONE = _SQL.statement("everyone", Process)
_ROLES = _SQL.statement("roles", Role)


def everyone(tx: Transaction) -> list[Process]:
    """Return every process, those that run first."""
    return _EVERYONE.all(tx)


def roles(tx: Transaction, wanted: Sequence[str] = SENDS) -> list[Role]:
    """Return how many processes have each role. Empty if none has ever reported. Members' pages may ask too."""
    return _ROLES.all(tx, roles=list(wanted), silent=SILENT_AFTER)
