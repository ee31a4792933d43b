"""After a restore from a backup: what may have left in the time that was lost is looked for before it is sent.

An email's correlation id follows from its person, its step and the installation's key, so that a restored database finds what it does not
remember. An email counts as tried once, which makes the next attempt search (``domain/recovery.py``). Where nobody can
search, it counts as submitted, and a person decides.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Database, Transaction
from db.core.statements import SqlFile
from db.sending.claims import Claim
from db.sending.enrollments import lock_lane_of
from db.sending.gate import authority_of
from domain.connection import TRACEABLE
from domain.preflight import Check, Clear, preflight

_BATCH = 5_000
_NOBODY = UUID(int=0)


class Marked(NamedTuple):
    """``last``: the id up to which emails are marked; None if there was none left. ``blind``: those that nobody can search for."""

    last: UUID | None
    searched_first: int
    blind: int


class _LostTime(NamedTuple):
    restored_to: datetime
    at: datetime


_SQL = SqlFile(__name__)
_NOTE = _SQL.statement("note", datetime)
_SEARCH_FIRST = _SQL.statement("search_first", Marked)
_LOST_TIME, _AUTHORIZE = _SQL.statement("lost_time", _LostTime), _SQL.statement("authorize")


def note(tx: Transaction, restored_to: datetime, actor: str) -> datetime:
    """Record the restore, in every organization's audit trail too. Returns the time up to which the lost time lasts: now."""
    at = _NOTE.one(tx, restored_to=restored_to, noted_by=actor)
    audit.write_for_all(tx, actor, "database_restored", {"restored_to": restored_to.isoformat()})
    return at


def search_first(database: Database) -> Iterator[Marked]:
    """Mark all emails that have not left, batch by batch, each in a transaction of its own. Yields what each marked."""
    after = _NOBODY
    while True:
        with database.transaction() as tx:
            marked = _SEARCH_FIRST.one(tx, after=after, limit=_BATCH, traceable=sorted(TRACEABLE))
        if marked.last is None:
            return
        after = marked.last
        yield marked


def authorize(tx: Transaction, claim: Claim) -> bool:
    """Note on whose authority an email of the lost time left, for its receipt: as the restored database knows it. False: it is of no lost time."""
    lost = _LOST_TIME.one_or_none(tx, id=claim.delivery_id, token=claim.lease_token)
    decided = preflight(claim.facts)
    if lost is None or not isinstance(decided, Clear):
        return False
    known = (
        f"left between {lost.restored_to:%d %b %Y, %H:%M} and {lost.at:%d %b %Y, %H:%M} UTC, which a restore of the database lost;"
        " what was checked then is not known"
    )
    lock_lane_of(tx, claim.delivery_id)
    as_known = replace(decided, checks=(Check("restore", known),))
    noted = _AUTHORIZE.run(
        tx,
        id=claim.delivery_id,
        token=claim.lease_token,
        authority=authority_of(claim, as_known),
        at=lost.at,
    )
    return noted == 1
