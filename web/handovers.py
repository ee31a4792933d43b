"""Hand a sequence over: choose who takes it over, and see what that means; and the page of whoever is asked."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import handovers
from actions.handovers import Preview
from db.core.session import Transaction
from db.sequences import handover_requests
from db.sequences.handover_requests import HandoverRequest
from db.views import my_settings
from db.withdrawing import handing_over
from domain.errors import NotFound, NotPermitted
from domain.hand_edits import Overtaken
from domain.handover import Middle, TakeOver
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of, number_of
from web.pages import form_alone, go, page
from web.protection import Runtimed, SignedIn, transaction_of
from web.results import see
from web.rooms import withdraws
from web.sequences import Line, line_of

router = APIRouter()

_MOST = 50  # people in one list; others are found by their address
_PLACES = {"introduction": "introduction", "message": "words", "to": ""}


class TakeOverForm(PageForm):
    """``sender``: a mailbox, "" for later. ``do``: show, or hand over. ``version``: of the sequence that the page showed."""

    to: str = ""
    sender: str = ""
    middle: str = Middle.GO_ON.value
    introduction: str = ""  # where the page had no such field: our words
    words: str = ""
    version: str = ""
    do: str = ""

    def wanted(self) -> TakeOver:
        """Return what was chosen."""
        middle = Middle.WAIT if self.middle == Middle.WAIT else Middle.GO_ON
        return TakeOver(
            id_of(self.sender), middle, self.introduction if "introduction" in self.model_fields_set else None
        )


form_alone(router, "/handovers/{asked:uuid}/cancel", to="/sequences")
form_alone(
    router, "/handovers/{asked:uuid}/accept", "/handovers/{asked:uuid}/decline", to="/handovers/{asked}"
)


@router.get("/sequences/{sequence:uuid}/hand-over")
def choose(request: Request, sequence: UUID) -> Response:
    """Choose who takes over. ``?to=``: an id or address; then the page shows what it means. ``?sender=``: with which sender."""
    with transaction_of(request):
        line = line_of(request, sequence)
        return _choose(request, line, request.query_params.get("to", "")[:320].strip(), Filled())


def _choose(
    request: Request, line: Any, to: str, filled: Filled, *, shown: str | None = None, status: int = 200
) -> Response:
    unknown, found, at_once = "", None, False
    with transaction_of(request) as (tx, session):
        member = session.member
        owner = _owner(tx, member.id, to) if to else None
        try:
            if owner is not None:
                found, shown = _preview(
                    tx, line.id, owner, request.query_params.get("sender") if shown is None else shown
                )
                at_once = not handovers.needs_an_answer(found.sequence, owner, member.id)
            elif to:
                unknown = "Nobody in your organization has this name or address. Correct it."
        except NotFound:
            unknown = "This person has left or is not in your organization. Choose somebody else."
        return page(
            request,
            "hand_over.html",
            line=line,
            found=found,
            shown=shown or "",
            at_once=at_once,
            unknown=unknown,
            filled=filled,
            colleagues=handing_over.colleagues(
                tx, member.organization_id, besides=line.owner_id, limit=_MOST + 1
            ),
            most=_MOST,
            asked=handover_requests.open_of(tx, line.id),
            status=status,
        )


def _owner(tx: Transaction, me: UUID, said: str) -> UUID | None:
    known = id_of(said)
    if known is not None:
        return known
    found = my_settings.find_colleague(tx, me, said)
    return found[0][0] if len(found) == 1 else None


def _preview(tx: Transaction, sequence_id: UUID, owner_id: UUID, sender: str | None) -> tuple[Preview, str]:
    """Return the preview, and the sender that it is about. ``sender`` None: the first that they may choose."""
    chosen = id_of(sender or "")
    found = handovers.preview(tx, sequence_id, owner_id, chosen)
    if sender is None and found.others:
        chosen = found.others[0].id
        found = handovers.preview(tx, sequence_id, owner_id, chosen)
    return found, "" if chosen is None else str(chosen)


@router.post("/sequences/{sequence:uuid}/hand-over")
@withdraws
def hand_over(
    request: Request, line: Line, runtime: Runtimed, session: SignedIn, form: Typed[TakeOverForm]
) -> Response:
    """Hand it over at once or, where they have to accept, ask them. A repeated request says that it is so already."""
    here = f"/sequences/{line.id}/hand-over"
    owner, member = id_of(form.to), session.member
    if owner is None:
        return RedirectResponse(here, status_code=303)
    if form.do == "show":
        return RedirectResponse(
            f"{here}?{urlencode({'to': form.to, 'sender': form.sender})}", status_code=303
        )
    with transaction_of(request) as (tx, _):
        present = handing_over.ownership(tx, line.id)
    wanted = form.wanted()
    try:
        if handovers.needs_an_answer(present, owner, member.id):
            handovers.ask(runtime, line.id, owner, words=form.words, by=member.id, actor=member.name)
            return go(request, f"/sequences/{line.id}", "Asked. It stays as it is until they accept.")
        if (present.owner_id, present.mailbox_id) == (owner, wanted.mailbox_id or present.mailbox_id):
            return go(request, f"/sequences/{line.id}", "It has this owner and sender already.")
        answer = handovers.hand_over(
            runtime,
            line.id,
            owner,
            wanted,
            version=number_of(form.version),
            by=member.id,
            actor=member.name,
        )
    except REFUSED as error:
        filled = again(form.typed(), error, _PLACES)
        status = 409 if isinstance(error, Overtaken) else 422
        return _choose(request, line_of(request, line.id), form.to, filled, shown=form.sender, status=status)
    return see(answer)


@router.get("/handovers/{asked:uuid}")
def consider(request: Request, asked: UUID) -> Response:
    """Show whoever is asked what taking over means. Whoever asked is led to the sequence."""
    with transaction_of(request) as (tx, session):
        known = handover_requests.load(tx, asked)
        if known.to_owner_id != session.member.id:
            line_of(request, known.sequence_id)  # or there is no such request for them
            return RedirectResponse(f"/sequences/{known.sequence_id}/hand-over", status_code=303)
        if known.status != "open":
            return _answered(request, known)
        return _consider(request, known, Filled(), shown=request.query_params.get("sender"))


def _consider(
    request: Request, asked: HandoverRequest, filled: Filled, *, shown: str | None, status: int = 200
) -> Response:
    with transaction_of(request) as (tx, session):
        found, chosen = _preview(tx, asked.sequence_id, session.member.id, shown)
        return page(
            request, "take_over.html", asked=asked, found=found, shown=chosen, filled=filled, status=status
        )


def _answered(request: Request, asked: HandoverRequest) -> Response:
    mine = asked.status == "accepted" and asked.owner_id == asked.to_owner_id
    path = f"/sequences/{asked.sequence_id}" if mine else "/sequences"
    return go(request, path, f"The request for {asked.sequence} was {asked.status} already.")


def _mine(request: Request, asked: UUID, member_id: UUID) -> HandoverRequest:
    with transaction_of(request) as (tx, _):
        known = handover_requests.load(tx, asked)
    if known.to_owner_id != member_id:
        raise NotFound("There is no such request.")
    return known


@router.post("/handovers/{asked:uuid}/accept")
@withdraws
def accept(
    request: Request, runtime: Runtimed, session: SignedIn, asked: UUID, form: Typed[TakeOverForm]
) -> Response:
    """Take the sequence over. Answers when nothing of it can leave from its former mailbox."""
    known = _mine(request, asked, session.member.id)
    if known.status != "open":
        return _answered(request, known)
    if form.do == "show":
        return RedirectResponse(f"/handovers/{asked}?{urlencode({'sender': form.sender})}", status_code=303)
    try:
        answer = handovers.accept(
            runtime, asked, form.wanted(), owner_id=session.member.id, actor=session.member.name
        )
    except REFUSED as error:
        known = _mine(request, asked, session.member.id)
        if known.status != "open":  # answered by a second click
            return _answered(request, known)
        filled = again(form.typed(), error, _PLACES)
        return _consider(request, known, filled, shown=form.sender, status=422)
    return see(answer)


@router.post("/handovers/{asked:uuid}/decline")
def decline(request: Request, runtime: Runtimed, session: SignedIn, asked: UUID) -> Response:
    """Do not take it over."""
    known = _mine(request, asked, session.member.id)
    try:
        handovers.decline(runtime, asked, owner_id=session.member.id, actor=session.member.name)
    except NotPermitted:  # answered by a second click
        return _answered(request, _mine(request, asked, session.member.id))
    return go(request, "/sequences", f"Declined. {known.sequence} stays as it is.")


@router.post("/handovers/{asked:uuid}/cancel")
def cancel(request: Request, runtime: Runtimed, session: SignedIn, asked: UUID) -> Response:
    """Ask no more: for whoever may hand the sequence over."""
    with transaction_of(request) as (tx, _):
        known = handover_requests.load(tx, asked)
        line_of(request, known.sequence_id)
    here = f"/sequences/{known.sequence_id}/hand-over"
    try:
        handovers.cancel(runtime, asked, actor=session.member.name)
    except NotPermitted:
        return go(request, here, "The request was answered already.")
    return go(request, here, f"Request to {known.to_owner} cancelled.")
