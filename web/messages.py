"""The page Messages: answers that wait for a person, to read and to file with one click or key, without leaving the page."""

from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import conversation, messages
from db.access.sessions import Session
from db.core.session import Transaction
from db.listening import unassigned
from db.mailboxes import senders
from db.views import messages as lists
from db.views.messages import Viewer
from domain.errors import InvalidInput, NotPermitted
from domain.listening.kinds import CLASS_WORDS
from web.forms import PageForm, Typed, id_of
from web.pages import form_alone, go, page
from web.protection import Runtimed, SignedIn, manages, runtime_of, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/messages")

form_alone(router, "/{message}/class", "/{message}/decide", to="/messages")

SAID = {
    "no": "{person}: No.",
    "neither": "{person} answered. Say what kind of answer it is.",
    "no_answer": "{person} continues: it was no answer.",
}


class FileForm(PageForm):
    """``answer``: the class. The rest says which list the form was on."""

    answer: str = ""
    which: str = ""
    whose: str = ""
    q: str = ""

    def back(self) -> str:
        """The list that the form was on."""
        kept = {"which": self.which, "whose": self.whose, "q": self.q[:100]}
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"/messages?{query}" if query else "/messages"


class DecisionForm(FileForm):
    """``decision``: what it is. ``on``: the list of Needs attention that the form was on: mine or all."""

    decision: str = ""
    on: str = ""

    def back(self) -> str:
        """The page that the form was on."""
        lists_there = {"mine": "/attention", "all": "/attention?whose=all"}
        return lists_there.get(self.on) or FileForm.back(self)


def viewer_of(session: Session, *, everything: bool = True) -> Viewer:
    """Whose eyes the page has. ``everything``: owners and admins see all, unless they ask for their own."""
    whole = everything and manages(session)
    return Viewer(session.member.organization_id, None if whole else session.member.id)


@router.get("")
def show(request: Request) -> Response:
    """Show what waits for a person, newest first, 50 at a time; filtered, and for owners and admins everybody's."""
    asked = request.query_params
    which = asked.get("which", "") if asked.get("which", "") in lists.WHICH else "waiting"
    search = asked.get("q", "")[:100].strip()
    keys = runtime_of(request).web_keys
    with transaction_of(request) as (tx, session):
        whole = manages(session) and asked.get("whose") == "all"
        viewer = viewer_of(session, everything=whole)
        found = lists.page(
            tx, viewer, which, search=search, before=id_of(asked.get("before", "")), limit=lists.PER_PAGE + 1
        )
        shown = found[: lists.PER_PAGE]
        return page(
            request,
            "messages.html",
            entries=[conversation.theirs(keys, each) for each in shown],
            next=shown[-1].id if len(found) > len(shown) else None,
            waiting=lists.count(tx, viewer),
            unassigned=_unassigned(tx, session),
            which=which,
            whole=whole,
            q=search,
            classes=CLASS_WORDS,
        )


def _unassigned(tx: Transaction, session: Session) -> int | None:
    """How much is nobody's yet. None: not for this member, or the organization has no default address that mail could come to."""
    organization_id = session.member.organization_id
    if not manages(session) or senders.default_address_of(tx, organization_id) is None:
        return None
    return unassigned.count(tx, organization_id)


@router.post("/{message}/class")
def classify(
    request: Request, runtime: Runtimed, session: SignedIn, message: UUID, form: Typed[FileForm]
) -> Response:
    """File an answer. A repetition answers the same; another class replaces the first."""
    with transaction_of(request) as (tx, _):
        found = lists.one(tx, message, viewer_of(session))
    try:
        filed = messages.classify(runtime, message, form.answer, actor=session.member.name)
    except NotPermitted as error:
        return go(request, form.back(), str(error))
    return go(request, form.back(), f"{found.person}: {CLASS_WORDS[filed]}.")


@router.post("/{message}/decide")
@withdraws
def decide(
    request: Request, runtime: Runtimed, session: SignedIn, message: UUID, form: Typed[DecisionForm]
) -> Response:
    """Decide what a proposed opt-out or an unclear message is. Of an opt-out, answers when no more emails can leave."""
    with transaction_of(request) as (tx, _):
        found = lists.one(tx, message, viewer_of(session))
    try:
        stopped = messages.decide(
            runtime, session.member.organization_id, message, form.decision, actor=session.member.name
        )
    except (InvalidInput, NotPermitted) as error:
        return go(request, form.back(), str(error))
    if stopped is None:
        return go(request, form.back(), SAID[form.decision].format(person=found.person))
    doubt = "" if stopped.complete else f" In doubt: {len(stopped.in_doubt)}."
    return go(request, form.back(), f"{found.person} gets no more emails. Stopped: {stopped.stopped}.{doubt}")
