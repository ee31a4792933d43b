"""The page "Why did X get nothing?": takes a name or address, and says in one answer what comes next, or why nothing does."""

from datetime import datetime

from fastapi import APIRouter, Request, Response

from actions import why
from db.core.session import Transaction
from db.sequences import person_fields
from db.views import frame, search
from db.views import messages as lists
from domain import moments
from domain.reasons import because
from domain.why import When
from web.forms import Filled, id_of
from web.messages import viewer_of
from web.pages import page
from web.protection import transaction_of

router = APIRouter(prefix="/why")

_MOST = 8  # people whom a name can mean, as tabs


def by_the_clock_of(zone: str, now: datetime) -> When:
    """Return how a member reads a moment in a sentence."""
    return lambda at, _form: moments.stated(at, zone, now)


def answers_of(
    tx: Transaction, person: lists.Person, only_of: object, zone: str, now: datetime
) -> list[why.Answer]:
    """Return why, for every sequence of a person that the viewer sees, those that go on first."""
    places = lists.open_places_of(tx, person.id, id_of(str(only_of)), ended=True)
    return why.answers(tx, [each.enrollment_id for each in places], by_the_clock_of(zone, now))


@router.get("")
def show(request: Request) -> Response:
    """Show the answer for ``?person=``, or for whomever ``?q=`` finds."""
    asked = request.query_params
    words, chosen = asked.get("q", "")[:100].strip(), id_of(asked.get("person", ""))
    with transaction_of(request) as (tx, session):
        viewer = viewer_of(session)
        here = frame.here(tx, session.member.id)
        people = search.people(tx, viewer, words, most=_MOST + 1) if words else []
        if chosen is None and people:
            chosen = people[0].id
        person = None if chosen is None else lists.person_of(tx, chosen, viewer)
        whole = person is not None and person.whole
        return page(
            request,
            "why.html",
            q=words,
            people=people[:_MOST],
            more=len(people) > _MOST,
            person=person,
            suppressed_because=because(person.suppressed) if person else "",
            answers=answers_of(tx, person, viewer.member_id, here.zone, here.now) if person and whole else [],
            fields=person_fields.fields_of(tx, person.id) if person and whole else {},
            filled=Filled(),
        )
