"""The outbox: every email that is planned, by day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from db.access import authority
from db.core.session import Transaction
from db.views import approvals, frame, outbox, search, tasks
from db.views.outbox import PlannedEmail, Wanted
from domain import moments
from domain.send_window import instant
from domain.waiting import NEED_WORDS, WAITS_FOR, Need, waits_for
from web.forms import id_of
from web.messages import viewer_of
from web.pages import page
from web.protection import manages, transaction_of

router = APIRouter(prefix="/outbox")

_FOUND = 200  # people whose emails a name can filter
_LONG_AGO = timedelta(days=3650)


@router.get("")
def show(request: Request) -> Response:
    """Show what is planned, by day, 50 at a time; or what needs something first; filtered by person, sender, sequence, and what it waits for or needs."""
    asked = request.query_params
    words, held = asked.get("q", "")[:100].strip(), asked.get("which") == "held"
    waits = found if (found := asked.get("waits", "")) in WAITS_FOR and not held else ""
    needs = found if (found := asked.get("needs", "")) in NEED_WORDS and held else ""
    with transaction_of(request) as (tx, session):
        whole = manages(session) and asked.get("whose") == "all"
        organization_id = session.member.organization_id
        wanted = Wanted(
            organization_id,
            None if whole else session.member.id,
            held,
            id_of(asked.get("sender", "")),
            id_of(asked.get("sequence", "")),
            [each.id for each in search.people(tx, viewer_of(session), words, most=_FOUND)]
            if words
            else None,
            WAITS_FOR[waits] if waits else None,
            Need(needs) if needs else None,
        )
        planned = outbox.planned(
            tx, wanted, after=outbox.read_place(asked.get("after", "")), limit=outbox.PER_PAGE + 1
        )
        shown = planned[: outbox.PER_PAGE]
        here = frame.here(tx, session.member.id)
        senders, sequences = outbox.choices(tx, organization_id, wanted.only_of)
        last = shown[-1] if len(planned) > len(shown) else None
        return page(
            request,
            "outbox.html",
            days=_by_day(tx, shown, here.zone, here.now) if not held else [("", _lines(tx, shown))],
            week=_week(tx, wanted, here.zone, here.now) if not held and not words and not waits else [],
            waiting=outbox.count(tx, _held(wanted), [_ever(here.now)])[0],
            to_approve=approvals.WAITING.count(tx, organization_id, wanted.only_of, wanted.sequence_id),
            tasks=tasks.OPEN.count(tx, organization_id, wanted.only_of, wanted.sequence_id),
            most=outbox.MOST,
            count=len(shown),
            next="" if last is None else outbox.place_of(last),
            senders=senders,
            sequences=sequences,
            sender=asked.get("sender", ""),
            sequence=asked.get("sequence", ""),
            q=words,
            waits=waits,
            waits_for=list(WAITS_FOR),
            needs=needs,
            need_words=NEED_WORDS,
            held=held,
            whole=whole,
        )


def _held(wanted: Wanted) -> Wanted:
    return Wanted(wanted.organization_id, wanted.only_of, True, wanted.mailbox_id, wanted.sequence_id)


def _ever(now: datetime) -> tuple[datetime, datetime]:
    return now - _LONG_AGO, now + _LONG_AGO


def _lines(tx: Transaction, emails: Sequence[PlannedEmail]) -> list[dict[str, Any]]:
    blockers = authority.blockers(tx, list({each.sequence_id for each in emails}))
    return [
        {"email": each, "waits": waits_for(each, " ".join(blockers.get(each.sequence_id, [])))}
        for each in emails
    ]


def _by_day(
    tx: Transaction, emails: Sequence[PlannedEmail], zone: str, now: datetime
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the lines of each day, named; what is overdue is today's."""
    days: dict[str, list[dict[str, Any]]] = {}
    for line in _lines(tx, emails):
        days.setdefault(_day(max(line["email"].due_at, now), zone, now), []).append(line)
    return list(days.items())


def _day(at: datetime, zone: str, now: datetime) -> str:
    name = moments.day(at, zone, now)
    days = (at.astimezone(ZoneInfo(zone)).date() - now.astimezone(ZoneInfo(zone)).date()).days
    return {0: f"Today, {name}", 1: f"Tomorrow, {name}"}.get(days, name)


def _week(tx: Transaction, wanted: Wanted, zone: str, now: datetime) -> list[tuple[str, int]]:
    """Return the next seven days, each with how many emails are planned."""
    today = now.astimezone(ZoneInfo(zone)).date()
    nights = [
        instant(datetime.combine(today + timedelta(days=n), datetime.min.time()), ZoneInfo(zone))
        for n in range(8)
    ]
    spans = [(now - _LONG_AGO, nights[1]), *pairwise(nights[1:])]
    names = ["Today", *(f"{begins.astimezone(ZoneInfo(zone)):%a %-d}" for begins, _ in spans[1:])]
    return list(zip(names, outbox.count(tx, wanted, spans), strict=True))
