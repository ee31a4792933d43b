"""Which keys the stored tokens, passwords and secrets need: what is sealed under a key that a ring lacks, its process cannot use."""

from typing import NamedTuple

from db.core.crypto import KeyRing
from db.core.session import Transaction
from db.core.statements import SqlFile


class MissingKey(NamedTuple):
    """``key_id``: in hexadecimal digits. ``secrets``: how many need it."""

    key_id: str
    secrets: int


_SQL = SqlFile(__name__)
_STORED = _SQL.fragment("stored")
_MISSING = _SQL.statement("missing", MissingKey, stored=_STORED)
_ANY_HELD = _SQL.statement("any_held", bool, stored=_STORED)


def missing(tx: Transaction, ring: KeyRing) -> list[MissingKey]:
    """Return the keys that ``ring`` lacks. Needs this release's schema, and reads one row for each mailbox, webhook and chat."""
    return _MISSING.all(tx, held=ring.ids)


def reads_something(tx: Transaction, ring: KeyRing) -> bool:
    """Has ``ring`` a key of anything that is stored? One that lacks a single key may still serve everybody else."""
    return _ANY_HELD.one(tx, held=ring.ids)


def sentence(missing: list[MissingKey]) -> str:
    """Say what lacks, and what to do."""
    which = ", ".join(f"{each.key_id} ({each.secrets})" for each in missing)
    return (
        f"SECRET_KEYS lacks keys that stored secrets need, by id and number of secrets: {which}. Put the old keys back at the end"
        " of the list."
    )
