"""The one door for a delivery's state: every statement that moves one takes its condition and its new state from here.

``domain.delivery.TRANSITIONS`` is the table. A move that it does not list cannot be written here, and the trigger
``deliveries_move``, made from the same table, refuses it in the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, text

from db.core.session import Transaction
from domain.delivery import LEASED, TRANSITIONS, State


class Move:
    """A move into ``to`` from any of ``sources``, as SQL. Raises ``ValueError`` for one that the table does not list."""

    def __init__(self, to: State, *sources: State) -> None:
        unlisted = [source.value for source in sources if (source, to) not in TRANSITIONS]
        if unlisted or not sources:
            raise ValueError(f"no move leads from {unlisted or 'nowhere'} to {to.value}")
        self.value = f"'{to.value}'"
        self.set = f"state = '{to.value}'"
        self._sources = sources

    def where(self, alias: str = "") -> str:
        """The condition on ``state``. ``alias``: the table's, with its dot."""
        if len(self._sources) == 1:
            return f"{alias}state = '{self._sources[0].value}'"
        return f"{alias}state IN ({', '.join(repr(each.value) for each in self._sources)})"

    def by_key(self) -> str:
        """``where``, for rows that are found by their key.

        By its state alone Postgres would look into an index of the few that are in flight, which in a rush is full of those
        that just were: twenty times the pages (docs/performance.md).
        """
        return self.where().replace("state", "state || ''", 1)


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a delivery has to be still for a move: held under a lease, or at rest in a state."""

    states: tuple[State, ...]
    token: UUID | None = None

    def sources(self, to: State) -> list[str]:
        """The states from which it may move into ``to``. Raises ``ValueError`` when there is none."""
        allowed = [each.value for each in self.states if (each, to) in TRANSITIONS]
        if not allowed:
            raise ValueError(f"no move leads from {', '.join(self.states)} to {to.value}")
        return allowed


def leased(token: UUID) -> Expected:
    """Held by the worker that got this lease token."""
    return Expected(LEASED, token)


def at_rest(*states: State) -> Expected:
    """In one of these states, held by nobody."""
    return Expected(states)


# ``:states`` and ``:token`` are an ``Expected``'s. "|| ''": see ``Move.by_key``.
EXPECTED = "state || '' = ANY(:states) AND (CAST(:token AS uuid) IS NULL OR lease_token = :token)"


def move(
    tx: Transaction,
    delivery_id: UUID,
    to: State,
    expected: Expected,
    changes: str,
    values: Mapping[str, object],
) -> Row[tuple[object, ...]] | None:
    """Move one delivery and end its lease. ``changes``: more of the SET clause, with its ``values``. None: it is somewhere else by now."""
    return tx.execute(
        text(
            f"UPDATE deliveries SET state = :to, lease_token = NULL, lease_until = NULL, {changes}"
            f" WHERE id = :id AND {EXPECTED}"
            " RETURNING organization_id, mailbox_id, enrollment_id, step_id"
        ),
        {
            **values,
            "id": delivery_id,
            "to": to.value,
            "states": expected.sources(to),
            "token": expected.token,
        },
    ).one_or_none()


def trigger() -> str:
    """The function that refuses every move which ``TRANSITIONS`` does not list, as SQL."""
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
