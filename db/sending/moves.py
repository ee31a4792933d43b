"""The single point for a delivery's state: every statement that moves one takes its condition and new state from here.

``domain.delivery.TRANSITIONS`` is the table. A move that it does not list cannot be written here, and the trigger
``deliveries_move``, generated from the same table, refuses it in the database.
"""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import Statement
from domain.delivery import LEASED, TRANSITIONS, State


class Move:
    """A move into ``to`` from any of ``sources``, as SQL. Raises ``ValueError`` if the table does not list it."""

    def __init__(self, to: State, *sources: State) -> None:
        unlisted = [source.value for source in sources if (source, to) not in TRANSITIONS]
        if unlisted or not sources:
            raise ValueError(f"no move leads from {unlisted or 'nowhere'} to {to.value}")
        self.value = f"'{to.value}'"
        self.set = f"state = '{to.value}'"
        self._sources = sources

    def where(self, alias: str = "") -> str:
        """Return the condition on ``state``. ``alias``: the table's alias, with its dot."""
        if len(self._sources) == 1:
            return f"{alias}state = '{self._sources[0].value}'"
        return f"{alias}state IN ({', '.join(repr(each.value) for each in self._sources)})"

    def by_key(self) -> str:
        """Return ``where`` for rows that are found by key.

        With a plain condition on the state, Postgres would use the index of deliveries in flight, which under load is
        full of dead entries: twenty times the pages (docs/performance.md).
        """
        return self.where().replace("state", "state || ''", 1)


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a delivery must be for a move: claimed under a lease, or unclaimed in one of these states."""

    states: tuple[State, ...]
    token: UUID | None = None

    def sources(self, to: State) -> list[str]:
        """Return the states from which it may move into ``to``. Raises ``ValueError`` if there is none."""
        allowed = [each.value for each in self.states if (each, to) in TRANSITIONS]
        if not allowed:
            raise ValueError(f"no move leads from {', '.join(self.states)} to {to.value}")
        return allowed


def leased(token: UUID) -> Expected:
    """Expect a delivery claimed with this lease token."""
    return Expected(LEASED, token)


def at_rest(*states: State) -> Expected:
    """Expect an unclaimed delivery in one of these states."""
    return Expected(states)


def expected_at(alias: str = "") -> str:
    """Return the condition that a delivery is where an ``Expected`` says: ``:states`` and ``:token`` are its. "|| ''": see ``Move.by_key``."""
    return (
        f"{alias}state || '' = ANY(:states) AND (CAST(:token AS uuid) IS NULL OR {alias}lease_token = :token)"
    )


class Moved(NamedTuple):
    """Whose delivery moved."""

    organization_id: UUID
    mailbox_id: UUID
    enrollment_id: UUID
    step_id: UUID


def moving(changes: str) -> Statement[Moved]:
    """Return the statement that moves one delivery and ends its lease, for ``move``. ``changes``: more of the SET clause."""
    return Statement(
        f"UPDATE deliveries SET state = :to, lease_token = NULL, lease_until = NULL, {changes}"
        f" WHERE id = :id AND {expected_at()} RETURNING organization_id, mailbox_id, enrollment_id, step_id",
        Moved,
    )


def move(
    tx: Transaction,
    delivery_id: UUID,
    to: State,
    expected: Expected,
    statement: Statement[Moved],
    **values: object,
) -> Moved | None:
    """Move one delivery by a statement of ``moving``, with the ``values`` of its changes.

    Returns None if it is no longer where ``expected`` says.
    """
    return statement.one_or_none(
        tx, id=delivery_id, to=to.value, states=expected.sources(to), token=expected.token, **values
    )


def trigger() -> str:
    """Return SQL for the function that refuses every move not in ``TRANSITIONS``."""
    listed = ",\n      ".join(
        f"('{before.value}', '{after.value}')" for before, after in TRANSITIONS if before is not after
    )
    return f"""CREATE OR REPLACE FUNCTION check_delivery_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.state, NEW.state) NOT IN (
      {listed}) THEN
    RAISE EXCEPTION 'delivery %: no move leads from % to %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'deliveries_move', TABLE = 'deliveries';
  END IF;
  RETURN NEW;
END $$"""
