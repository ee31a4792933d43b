"""A person's conversation over all mailboxes, and an email written there by hand."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import by_hand, conversation, withdraw
from actions.by_hand import Choice
from db.core.ids import new_id
from db.views import messages as lists
from db.views.messages import Written
from domain.errors import NotFound
from domain.listening.kinds import CLASS_WORDS
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of
from web.messages import viewer_of
from web.pages import counted, form_alone, go, page
from web.protection import Runtimed, SignedIn, runtime_of, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/people")

_PLACES = {"subject": "subject", "text": "text", "mailbox": "sender"}


class LetterForm(PageForm):
    """An email. ``sender``: ``MAILBOX`` begins a thread, ``MAILBOX~thread`` answers its newest email. ``key``: of this form.

    ``unsigned``: ticked, it leaves without a signature.
    """

    sender: str = ""
    subject: str = ""
    text: str = ""
    unsigned: str = ""
    key: str = ""


form_alone(router, "/{candidate}/emails/{enrollment}/cancel", to="/people/{candidate}/messages")


@router.get("/{candidate}/messages")
def show(request: Request, candidate: UUID) -> Response:
    """Show the conversation, oldest first."""
    return _show(request, candidate, Filled())


def _show(request: Request, candidate: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        viewer = viewer_of(session)
        found = conversation.load(tx, runtime_of(request).web_keys, candidate, viewer)
        choices = by_hand.choices(tx, viewer.organization_id, candidate, session.member.id)
        return page(
            request,
            "conversation.html",
            status=status,
            person=found.person,
            places=found.places,
            entries=found.entries,
            choices=_options(choices),
            signatures=[(_name(each), each.signature) for each in choices if each.signature],
            classes=CLASS_WORDS,
            filled=filled,
            key=filled.get("key") or new_id(),
        )


def _options(choices: Sequence[Choice]) -> list[tuple[str, str]]:
    """Return value and label of each way to write: answers in their threads first."""
    answers = [
        (f"{each.sender.id}~thread", f"{_name(each)}, in this thread: {each.answers.subject}")
        for each in choices
        if each.answers is not None
    ]
    return answers + [(str(each.sender.id), f"{_name(each)}, new thread") for each in choices]


def _name(choice: Choice) -> str:
    owner = choice.sender.owner
    return f"{owner} ({choice.sender.address})" if owner else choice.sender.address


@router.post("/{candidate}/messages")
def write(
    request: Request, runtime: Runtimed, session: SignedIn, candidate: UUID, form: Typed[LetterForm]
) -> Response:
    """Have an email leave. A repetition of the same form answers the same, and sends nothing more."""
    with transaction_of(request) as (tx, _):
        person = lists.person_of(tx, candidate, viewer_of(session))
    mailbox, _, answered = form.sender.partition("~")
    try:
        by_hand.write(
            runtime,
            session.member.organization_id,
            candidate,
            member_id=session.member.id,
            mailbox_id=id_of(mailbox),
            in_thread=answered == "thread",
            subject=form.subject,
            text=form.text,
            with_signature=not form.unsigned,
            key=form.key,
            actor=session.member.name,
        )
    except REFUSED as error:
        return _show(request, candidate, again(form.typed(), error, _PLACES), status=422)
    said = f"Your email to {person.name} leaves as soon as its checks are done."
    return go(request, f"/people/{candidate}/messages", said)


@router.post("/{candidate}/emails/{enrollment}/cancel")
@withdraws
def cancel(
    request: Request, runtime: Runtimed, session: SignedIn, candidate: UUID, enrollment: UUID
) -> Response:
    """Cancel an email that was written by hand; answers when it cannot leave any more."""
    with transaction_of(request) as (tx, _):
        viewer = viewer_of(session)
        person = lists.person_of(tx, candidate, viewer)
        written, _ = lists.messages_of(tx, person, viewer)
        if not any(_is(each, enrollment) for each in written):
            raise NotFound("There is no such email.")
    answer = withdraw.stop_enrollment(runtime, enrollment, actor=session.member.name, reason="cancelled")
    said = (
        "Cancelled. It cannot leave any more."
        if answer.stopped
        else "It had already left."
        if answer.complete
        else f"{counted(len(answer.in_doubt), 'email is', 'emails are')} in doubt: we are looking."
    )
    return go(request, f"/people/{candidate}/messages", said)


def _is(written: Written, enrollment: UUID) -> bool:
    return written.enrollment_id == enrollment and written.kind == "by_hand"
