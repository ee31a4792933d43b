"""What runs: each process's own row. ``app/heartbeat.py`` writes it, ``db/views/processes.py`` reads all of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile, Statement

_BEAT = SqlFile(__name__).statement("beat")
_STOP = Statement("UPDATE processes SET stopped_at = clock_timestamp() WHERE id = :id")
_PURGE = Statement("DELETE FROM processes WHERE seen_at < now() - interval '1 day'")


@dataclass(frozen=True, slots=True)
class Identity:
    """What does not change while a process runs. ``key_ids``: in hexadecimal digits. ``schema``: the newest that its code knows."""

    id: UUID
    kind: str
    host: str
    pid: int
    queues: list[str]
    version: str
    schema: str
    key_ids: list[str]


def beat(
    tx: Transaction, process: Identity, troubles: Sequence[str], idle: timedelta | None, *, works: bool
) -> None:
    """Record that it runs, and why it is not ready. ``idle``: since its last job; None: it has done none. ``works``: at all."""
    _BEAT.run(tx, **asdict(process), troubles=list(troubles), idle=idle, works=works)


def stop(tx: Transaction, process_id: UUID) -> None:
    """Record that it ends in good order."""
    _STOP.run(tx, id=process_id)


def purge(tx: Transaction) -> None:
    """Forget what has not run for a day."""
    _PURGE.run(tx)
