"""After the troubles: let everything that can continue do so, until nothing moves and all that arrived is read."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from db.core.session import DatabaseUnavailable
from lab.nemesis.arena import Arena
from lab.nemesis.background import Background
from lab.nemesis.nemesis import Nemesis
from lab.nemesis.processes import age_leases

_QUIET_WITHIN = 600.0  # a bound: what never ends must show as such. Answers and readings take half of it on two busy cores
_STUCK_AFTER = 120.0  # seconds in which everything was due and nothing changed


def become_quiet(arena: Arena, working: Sequence[Background[Any]], nemesis: Nemesis, grace: float) -> float:
    """Let everything that can continue do so, and make due what would take minutes. Returns the seconds taken.

    ``grace``: seconds left of the ten minutes, from the submission and from the end of the troubles.
    """
    healed = time.monotonic()
    time.sleep(3)
    age_leases(arena)
    for each in working:
        each.wait(90)
    waiting, since = "", healed
    while time.monotonic() < min(healed + _QUIET_WITHIN, max(since, healed + grace) + _STUCK_AFTER):
        arena.replace_dead()
        nemesis.tidy()
        try:
            _hurry(arena)
            if time.monotonic() > healed + grace:
                _end_graces(arena, grace)
                _see_what_left(arena, grace)
            if _is_quiet(arena) and _is_read(arena):
                break
            former, waiting = waiting, _waiting(arena)
            if waiting != former:
                since = time.monotonic()
        except DatabaseUnavailable:
            pass  # sessions of before the restart
        time.sleep(1)
    return time.monotonic() - healed


def _hurry(arena: Arena) -> None:
    with arena.direct.transaction() as tx:
        tx.execute(
            text(
                # What was put off for an hour, by a bounce, say, may have a part of its step's delay before it still.
                "WITH sooner AS (UPDATE deliveries d SET due_at = greatest(clock_timestamp(), d.created_at + CAST(t.delay AS interval))"
                "   FROM steps t WHERE t.id = d.step_id AND d.state = 'pending' AND NOT d.held"
                # Steps are seconds apart here. What waits for a minute waits for a sending limit.
                "   AND (failures > 0 OR attempts > 0 OR due_at > clock_timestamp() + interval '1 minute')"
                "   AND due_at > clock_timestamp() + CASE reason WHEN 'mailbox_not_read' THEN interval '5 seconds'"
                "     ELSE interval '2 seconds' END"
                "   AND coalesce(reason, '') NOT IN ('previous_email_still_in_drafts', 'person_away', 'unclear_answer')"
                "   RETURNING mailbox_id)"
                " UPDATE lanes SET next_due_at = clock_timestamp() WHERE mailbox_id IN (SELECT mailbox_id FROM sooner)"
            )
        )
        tx.execute(
            text(
                "UPDATE lanes SET retry_after_until = NULL, next_due_at = least(next_due_at, clock_timestamp())"
                " WHERE retry_after_until > clock_timestamp()"
            )
        )
        tx.execute(
            text("UPDATE outbox SET available_at = clock_timestamp() WHERE available_at > clock_timestamp()")
        )


def _end_graces(arena: Arena, seconds: float) -> None:
    with arena.direct.transaction() as tx:
        tx.execute(
            text(
                "UPDATE deliveries SET due_at = clock_timestamp(), grace_until = clock_timestamp()"
                " WHERE state = 'in_doubt' AND grace_until > clock_timestamp()"
                " AND send_started_at < clock_timestamp() - make_interval(secs => :seconds)"
            ),
            {"seconds": seconds},
        )


def _see_what_left(arena: Arena, seconds: float) -> None:
    """Make the check of Drafts due for emails accepted longer ago than they may stay there, and again if it failed."""
    with arena.direct.transaction() as tx:
        tx.execute(
            text(
                "WITH due AS (UPDATE deliveries SET left_check_at = clock_timestamp() - interval '1 second'"
                "   WHERE left_check_at > clock_timestamp() AND still_draft_at IS NULL"
                "   AND sent_at < clock_timestamp() - make_interval(secs => :seconds) RETURNING mailbox_id)"
                " UPDATE lanes l SET drafts_checked_at = NULL WHERE mailbox_id IN (SELECT mailbox_id FROM due)"
                "   OR (l.drafts_checked_at < clock_timestamp() - interval '10 seconds' AND EXISTS (SELECT FROM deliveries d"
                "     WHERE d.mailbox_id = l.mailbox_id AND d.left_check_at < clock_timestamp()))"
            ),
            {"seconds": seconds},
        )


def _is_quiet(arena: Arena) -> bool:
    with arena.direct.transaction() as tx:
        waiting: bool = tx.execute(
            text(
                "SELECT EXISTS (SELECT FROM deliveries d JOIN sequences s ON s.id = d.sequence_id"
                " JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id"
                " JOIN lanes l ON l.mailbox_id = d.mailbox_id"
                " WHERE d.state IN ('preparing', 'drafted', 'sending', 'in_doubt') OR (d.state IN ('pending', 'queued')"
                "   AND NOT d.held AND s.status = 'active' AND e.status = 'active' AND l.open"
                "   AND coalesce(greatest(c.away_until, c.unclear_until) < clock_timestamp(), true)"
                "   AND NOT EXISTS (SELECT FROM deliveries p WHERE p.enrollment_id = d.enrollment_id"
                "     AND p.still_draft_at IS NOT NULL))"
                "   OR (d.left_check_at IS NOT NULL AND d.still_draft_at IS NULL AND l.open))"
                " OR EXISTS (SELECT FROM outbox WHERE done_at IS NULL AND parked_at IS NULL)"
            )
        ).scalar_one()
        return not waiting


def _waiting(arena: Arena) -> str:
    """Return what has yet to happen, as text that changes whenever something does."""
    with arena.direct.transaction() as tx:
        return str(
            tx.execute(
                text(
                    "SELECT (SELECT array_agg((state, n) ORDER BY state) FROM"
                    "   (SELECT state, count(*) n FROM deliveries GROUP BY state) s),"
                    " (SELECT count(*) FROM deliveries WHERE left_check_at IS NOT NULL),"
                    " (SELECT count(*) FROM outbox WHERE done_at IS NULL AND parked_at IS NULL),"
                    " (SELECT count(*) FROM incoming_messages)"
                )
            ).one()
        )


def _is_read(arena: Arena) -> bool:
    """Is every mailbox that can be read, read since the last email came into any? Plans those that are not."""
    if arena.control.stats()["coming"]:
        return False
    last = max((datetime.fromisoformat(each.wall) for each in arena.control.arrivals()), default=None)
    if last is None:
        return True
    with arena.direct.transaction() as tx:
        unread = tx.execute(
            text(
                "UPDATE mailbox_reads r SET next_read_at = least(next_read_at, clock_timestamp()) FROM mailboxes b"
                " WHERE b.id = r.mailbox_id AND b.status = 'connected'"
                " AND coalesce(r.read_as_of <= :last, true) RETURNING r.mailbox_id"
            ),
            {"last": last},
        )
        return not unread.all()
