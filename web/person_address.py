"""Correct a person's address: what it changes is shown first, and happens when somebody has read it."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import addresses
from db.sequences.new_address import Foreseen
from db.views import search
from web.forms import REFUSED, Filled, PageForm, Typed, again
from web.messages import viewer_of
from web.pages import counted, go, page
from web.person_actions import whole_person
from web.protection import Runtimed, SignedIn, own_runtime, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/people")


class AddressForm(PageForm):
    """``was``: the address that was corrected. ``read``: the new one whose consequences were shown."""

    address: str = ""
    was: str = ""
    read: str = ""


@router.get("/{person:uuid}/address")
def ask(request: Request, person: UUID) -> Response:
    """Ask for the right address."""
    return _form(request, person, Filled(), None)


@router.post("/{person:uuid}/address")
@withdraws
def correct(
    request: Request, session: SignedIn, runtime: Runtimed, person: UUID, form: Typed[AddressForm]
) -> Response:
    """Show what another address changes or, once that was read, correct it."""
    with transaction_of(request) as (tx, _):
        whole_person(tx, session, person)
    address, was = form.address[:400], form.was or None
    try:
        foreseen = addresses.foresee(own_runtime(request), person, address, was=was)
        if form.read != foreseen.address:
            return _form(request, person, Filled(form.typed()), foreseen)
        done = addresses.correct(runtime, person, address, actor=session.member.name, was=was)
    except REFUSED as error:
        return _form(request, person, again(form.typed(), error, {}, other="address"), None, status=422)
    on = f" {counted(len(done.places), 'sequence goes', 'sequences go')} on." if done.places else ""
    return go(request, f"/people/{person}", f"{done.name} has the address {done.address} now.{on}")


def _form(
    request: Request, person: UUID, filled: Filled, foreseen: Foreseen | None, *, status: int = 200
) -> Response:
    with transaction_of(request) as (tx, session):
        found = whole_person(tx, session, person)
        typed = str(filled.get("address")).strip().lower()
        others = search.people(tx, viewer_of(session), typed, most=2) if filled.errors and typed else []
        return page(
            request,
            "person_address.html",
            person=found,
            foreseen=foreseen,
            other=next((each for each in others if each.email == typed and each.id != person), None),
            filled=filled,
            status=status,
        )
