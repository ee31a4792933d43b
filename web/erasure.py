"""Export or erase one person, for owners and admins. What goes is shown first."""

import json
from collections.abc import Iterator
from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import people
from db.withdrawing import erasing
from domain.errors import InvalidInput
from web.downloads import download
from web.forms import Filled, PageForm, Typed, again
from web.pages import counted, go, page
from web.protection import Administrator, Runtimed, administrator, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/people")


class EraseForm(PageForm):
    """``address``: typed again, so that nobody erases the wrong person."""

    address: str = ""


@router.get("/{candidate}/erase")
def ask(request: Request, candidate: UUID) -> Response:
    """Show what an erasure would take. Changes nothing."""
    return _ask(request, candidate, Filled())


def _ask(request: Request, candidate: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, _):
        organization_id = administrator(request).member.organization_id
        person = erasing.person_of(tx, organization_id, candidate)
        known = erasing.known(tx, person)
        return page(request, "erase.html", status=status, person=person, known=known, filled=filled)


@router.get("/{candidate}/export.json")
def export(runtime: Runtimed, session: Administrator, candidate: UUID) -> Response:
    """Hand out everything that is known of a person."""
    member = session.member

    def text() -> Iterator[str]:
        found = people.export(runtime, member.organization_id, candidate, actor=member.name)
        yield json.dumps(found, default=str, indent=1, ensure_ascii=False)

    return download(runtime, member.organization_id, text(), name="person.json", kind="application/json")


@router.post("/{candidate}/erase")
@withdraws
def erase(
    request: Request, runtime: Runtimed, session: Administrator, candidate: UUID, form: Typed[EraseForm]
) -> Response:
    """Erase a person; answers when nothing can leave to them and nothing is left of them."""
    person, _ = people.foresee(runtime, session.member.organization_id, candidate)
    if form.address.strip().lower() != person.email:
        error = InvalidInput(
            "This is not the address of the person", where="address", fix="Type it as shown."
        )
        return _ask(request, candidate, again(form.typed(), error, {"address": "address"}), status=422)
    done = people.erase(runtime, session.member.organization_id, candidate, actor=session.member.name)
    said = (
        f"Erased: {counted(done.erased.messages, 'message', 'messages')} that came in,"
        f" {counted(done.erased.letters, 'email', 'emails')} written by hand, the name and the address."
        f" {counted(done.withdrawal.stopped, 'email', 'emails')} stopped. The audit trail has the proof."
    )
    if not done.withdrawal.complete:
        said += (
            f" In doubt: {len(done.withdrawal.in_doubt)}. We are looking for them, and never send them again."
        )
    return go(request, "/messages", said)
