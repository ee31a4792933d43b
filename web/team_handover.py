"""Hand over all sequences of somebody who left, at once."""

from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import handovers
from db.sequences import built, candidates
from db.views import team
from db.withdrawing import handing_over
from db.withdrawing.handing_over import Means
from domain.handover import MAX_TOGETHER, default_introduction
from web.forms import REFUSED, Filled, Typed, again, id_of
from web.handovers import TakeOverForm
from web.pages import go, page
from web.protection import Administrator, Runtimed, administrator, transaction_of
from web.results import see
from web.rooms import withdraws

router = APIRouter(prefix="/settings/team")

_MOST = 200  # people in the list
_PLACES = {"introduction": "introduction"}


@router.get("/{member:uuid}/hand-over")
def choose(request: Request, member: UUID) -> Response:
    """Show what would be handed over. ``?to=``: to whom, with the senders that they may choose."""
    return _choose(request, member, id_of(request.query_params.get("to", "")), Filled())


def _choose(
    request: Request, member: UUID, to: UUID | None, filled: Filled, *, status: int = 200
) -> Response:
    with transaction_of(request) as (tx, session):
        administrator(request)
        organization_id = session.member.organization_id
        left = team.one(tx, organization_id, member)
        found = handing_over.of_member(tx, organization_id, member, limit=MAX_TOGETHER)
        people = handing_over.colleagues(tx, organization_id, besides=member, limit=_MOST)
        chosen = next((each for each in people if each.id == to), None)
        senders = [] if chosen is None else built.senders(tx, organization_id, chosen.id)
        options = [
            (str(each.id), f"{each.owner}, {each.address}" if each.owner else each.address)
            for each in senders
        ]
        meant: list[Means] = []
        if chosen is not None:
            boxes = [(each.id, senders[0].id if senders else each.mailbox_id) for each in found]
            meant = [handing_over.means(tx, sequence, chosen.id, box) for sequence, box in boxes]
        middle = sum(each.middle for each in meant)
        writers = {name for each in meant for name in each.writers}
        return page(
            request,
            "hand_over_all.html",
            member=left,
            found=found,
            most=MAX_TOGETHER,
            waiting=sum(each.waiting for each in found),
            brought_in=candidates.how_many_brought_in(tx, member),
            middle=middle,
            people=[("", "Choose …"), *((str(each.id), f"{each.name} ({each.email})") for each in people)],
            chosen=chosen,
            senders=[*options, ("", "They choose later")],
            introduction=default_introduction(writers, elsewhere=middle > 0),
            filled=filled,
            status=status,
        )


@router.post("/{member:uuid}/hand-over")
@withdraws
def hand_over(
    request: Request, session: Administrator, runtime: Runtimed, member: UUID, form: Typed[TakeOverForm]
) -> Response:
    """Hand all over, or none. A repetition finds nothing left to hand over."""
    with runtime.database.transaction() as tx:
        left = team.one(tx, session.member.organization_id, member)
        found = handing_over.of_member(tx, session.member.organization_id, member, limit=1)
    if not found:  # handed over by a first click
        return go(request, "/settings/team?which=left", f"No sequence of {left.name} is left to hand over.")
    owner = id_of(form.to)
    if form.do == "show" or owner is None:
        here = f"/settings/team/{member}/hand-over"
        return RedirectResponse(f"{here}?{urlencode({'to': form.to})}" if owner else here, status_code=303)
    try:
        answer = handovers.hand_over_all(runtime, left.id, owner, form.wanted(), actor=session.member.name)
    except REFUSED as error:
        return _choose(request, member, owner, again(form.typed(), error, _PLACES), status=422)
    return see(answer)
