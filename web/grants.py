"""Pages for permissions: give one within bounds, ask for one, answer a request, end one."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from actions import grants, withdraw
from db.access import grant_requests
from db.access.grant_requests import GrantRequest
from db.core.session import Transaction
from db.views import my_settings
from db.withdrawing import impact
from domain.errors import InvalidInput, NotFound
from domain.grant import Bounds, end_of
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of
from web.mailbox import own
from web.pages import form_alone, go, page
from web.protection import Runtimed, SignedIn, own_runtime, transaction_of
from web.results import ended_already, see
from web.return_to import freshly_signed_in
from web.rooms import withdraws
from web.sequences_settings import show_settings

router = APIRouter(prefix="/settings/sequences")

EVERYONE = "everyone"
_HERE = "/settings/sequences"
_MAX_CHOICES = 50  # people or sequences in one list; more are found by typing
_PLACES = {"until": "until", "emails a day": "a_day", "a day": "a_day", "sequences": "sequences"}


class GrantForm(PageForm):
    """Whom to give a permission, and its bounds. ``until``: the last day, in the mailbox's zone. ``first``: they read the first email.

    ``do``: give, or find sequences.
    """

    to: str = ""
    until: str = ""
    a_day: str = ""
    sequences: list[str] = Field(default_factory=list)
    find: str = ""
    first: str = ""
    do: str = ""

    def bounds(self, zone: str) -> Bounds:
        """Return what was typed as bounds. Raises ``InvalidInput``."""
        until, a_day = self.until.strip(), self.a_day.strip()
        if a_day and not (a_day.isascii() and a_day.isdecimal() and len(a_day) < 9):
            raise InvalidInput(
                "This is not a number.", where="emails a day", fix="Write it in figures, or leave it empty."
            )
        named = frozenset(found for each in self.sequences if (found := id_of(each)) is not None)
        if not all(map(id_of, self.sequences)):
            raise InvalidInput(
                "One of these is not a sequence", where="sequences", fix="Choose from the list."
            )
        return Bounds(
            end_of(until, zone) if until else None,
            named or None,
            int(a_day) if a_day else None,
            reads_first=bool(self.first),
        )

    def within(self) -> str:
        """Return the daily limit in words. Call ``bounds`` first: it checks the number."""
        a_day = int(self.a_day.strip() or 0)
        return f", at most {a_day} {'email' if a_day == 1 else 'emails'} a day" if a_day else ""

    def filled(self) -> Filled:
        """Return the form as it was filled in."""
        return Filled(self.typed(), chosen=frozenset(self.sequences))


class AskForm(PageForm):
    """The address of a mailbox, and a message to its owner."""

    mailbox: str = ""
    words: str = ""


@router.get("/grants/new")
def choose(request: Request) -> Response:
    """Show the form for a new permission. ``?to=``: for whom it is filled in."""
    to = request.query_params.get("to", "")[:60]
    return _form(request, Filled({"to": to} if to else {}))


form_alone(router, "/grants", to=f"{_HERE}/grants/new")
form_alone(router, "/grants/{grant}/confirm", "/requests", to=_HERE)
form_alone(
    router, "/requests/{asked:uuid}/accept", "/requests/{asked:uuid}/decline", to=_HERE + "/requests/{asked}"
)


def _form(
    request: Request, filled: Filled, *, asked: GrantRequest | None = None, status: int = 200
) -> Response:
    chosen = [found for each in filled.chosen if (found := id_of(each)) is not None]
    with transaction_of(request) as (tx, session):
        me, mailbox = session.member.id, own(tx, session)
        values: dict[str, Any] = {
            "colleagues": [] if asked else my_settings.colleagues(tx, me, _MAX_CHOICES + 1),
            "sequences": my_settings.sequences_of_others(
                tx,
                mailbox.id,
                named=str(filled.get("find")),
                chosen=chosen,
                limit=_MAX_CHOICES + len(chosen) + 1,
            ),
            "everyone_may": any(each.person is None for each in my_settings.given(tx, me)),
            "most": _MAX_CHOICES,
        }
        return page(
            request, "give_grant.html", mailbox=mailbox, asked=asked, filled=filled, status=status, **values
        )


@router.post("/grants")
def give(request: Request, form: Typed[GrantForm]) -> Response:
    """Let somebody, or everyone, send from the member's mailbox."""
    if form.do == "find":
        return _form(request, form.filled())
    try:
        with transaction_of(request) as (tx, session):
            if form.to.strip() == EVERYONE:
                freshly_signed_in(request, f"{_HERE}/grants/new?to={EVERYONE}")
            me, mailbox = session.member, own(tx, session)
            grantee, name = _grantee(tx, me.id, form.to.strip())
        grants.give_grant(
            own_runtime(request),
            mailbox_id=mailbox.id,
            mailbox_owner_id=me.id,
            grantee_id=grantee,
            actor=me.name,
            bounds=form.bounds(mailbox.zone),
        )
    except REFUSED as error:
        filled = again(form.typed(), error, _PLACES, other="to", chosen=form.sequences)
        return _form(request, filled, status=422)
    return go(request, _HERE, f"Permission given to {name}{form.within()}.")


def _grantee(tx: Transaction, me: UUID, said: str) -> tuple[UUID | None, str]:
    """Return the id (None: everyone) and name of a person given by id, address or name. Raises ``InvalidInput``."""
    if said == EVERYONE:
        return None, EVERYONE
    if not said:
        raise InvalidInput("Nobody is chosen", fix="Choose who may send from your mailbox.")
    known = id_of(said)
    found = (
        [each for each in my_settings.colleagues(tx, me, 100_000) if each[0] == known]
        if known is not None
        else my_settings.find_colleague(tx, me, said[:320])
    )
    match found:
        case [(person, name, _)]:
            return person, name
        case []:
            raise InvalidInput("Nobody in your organization has this name or address", fix="Correct it.")
        case _:
            raise InvalidInput(
                f"Several people match: {', '.join(f'{name} ({email})' for _, name, email in found)}",
                fix="Type the whole address.",
            )


@router.post("/grants/{grant}/confirm")
def confirm_grant(request: Request, runtime: Runtimed, session: SignedIn, grant: UUID) -> Response:
    """Confirm a permission that an operator gave in the member's name."""
    grants.confirm_grant(runtime, grant, mailbox_owner_id=session.member.id, actor=session.member.name)
    return go(request, _HERE, "You have confirmed the permission. You can end it at any time.")


@router.get("/grants/{grant}/revoke")
def ask_revoke(request: Request, grant: UUID) -> Response:
    """Show what ending a permission would stop or, once it has ended, what that stopped."""
    with transaction_of(request) as (tx, session):
        me = session.member.id
        given = next((each for each in my_settings.given(tx, me) if each.id == grant), None)
        if given is None:
            if not my_settings.gave(tx, grant, me):
                raise NotFound("You gave no such permission.")
            return ended_already(request, tx, grant, back=_HERE)
        return page(
            request,
            "confirm.html",
            title=f"End the permission of {given.person or 'everyone'}?",
            explanation="From this moment, no more emails leave your mailbox on this permission. We pause the sequences"
            " that have no other permission and tell their owners.",
            impact=impact.of_revocation(tx, grant),
            verb="End permission",
            back=_HERE,
        )


@router.post("/grants/{grant}/revoke")
@withdraws
def revoke(runtime: Runtimed, session: SignedIn, grant: UUID) -> Response:
    """End a permission; answers when no more emails can leave on it. A repeated request leads to the same result."""
    with runtime.database.transaction() as tx:
        if not my_settings.gave(tx, grant, session.member.id):
            raise NotFound("You gave no such permission.")
    return see(withdraw.revoke_grant(runtime, grant, actor=session.member.name))


@router.post("/requests")
def ask(request: Request, runtime: Runtimed, session: SignedIn, form: Typed[AskForm]) -> Response:
    """Ask the owner of another mailbox for a permission."""
    mailbox = form.mailbox.strip()
    try:
        grants.ask_for_grant(
            runtime,
            mailbox=mailbox,
            requester_id=session.member.id,
            words=form.words,
            actor=session.member.name,
        )
    except REFUSED as error:
        filled = again(form.typed(), error, {"message": "words"}, other="mailbox")
        return show_settings(request, filled, status=422)
    return go(request, _HERE, f"Asked for {mailbox.lower()}. You get a notification when the owner answers.")


@router.get("/requests/{asked}")
def consider(request: Request, asked: UUID) -> Response:
    """Show a request for the member's mailbox, with the forms to accept it within bounds or to decline it."""
    with transaction_of(request):
        found = _request(request, asked)
        return _answered_already(request, asked) if found is None else _form(request, Filled(), asked=found)


def _request(request: Request, asked: UUID) -> GrantRequest | None:
    with transaction_of(request) as (tx, session):
        return next(
            (each for each in grant_requests.for_owner(tx, session.member.id) if each.id == asked), None
        )


def _answered_already(request: Request, asked: UUID) -> Response:
    with transaction_of(request) as (tx, session):
        answer = grant_requests.answer_of(tx, asked, session.member.id)
        if answer is None:
            raise NotFound("There is no such request for your mailbox.")
        return go(request, _HERE, f"You have {answer} this request already.")


@router.post("/requests/{asked}/accept")
def accept(request: Request, asked: UUID, form: Typed[GrantForm]) -> Response:
    """Accept a request."""
    with transaction_of(request) as (tx, session):
        me, mailbox = session.member, own(tx, session)
        found = _request(request, asked)
    if found is None:
        return _answered_already(request, asked)
    if form.do == "find":
        return _form(request, form.filled(), asked=found)
    try:
        grants.accept_request(
            own_runtime(request),
            asked,
            mailbox_owner_id=me.id,
            actor=me.name,
            bounds=form.bounds(mailbox.zone),
        )
    except REFUSED as error:
        if _request(request, asked) is None:  # answered by a second click
            return _answered_already(request, asked)
        filled = again(form.typed(), error, _PLACES, chosen=form.sequences)
        return _form(request, filled, asked=found, status=422)
    return go(request, _HERE, f"Permission given to {found.person}{form.within()}.")


@router.post("/requests/{asked}/decline")
def decline(request: Request, runtime: Runtimed, session: SignedIn, asked: UUID) -> Response:
    """Decline a request."""
    found = _request(request, asked)
    if found is None:
        return _answered_already(request, asked)
    try:
        grants.decline_request(runtime, asked, mailbox_owner_id=session.member.id, actor=session.member.name)
    except NotFound:  # answered by a second click
        return _answered_already(request, asked)
    return go(request, _HERE, f"Declined. We have notified {found.person}.")
