"""One person: where they stand, what came in of them, and the decisions about it.

Who may see it: domain/sight.py.
"""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import conversation, opt_outs, overrule
from actions.conversation import Entry
from db.core.session import Transaction
from db.listening import decisions
from db.sequences import person_fields
from db.views import frame, history, receipts, tasks
from db.views import messages as lists
from db.views.history import Happened
from db.views.tasks import Task
from domain.errors import InvalidInput, NotFound
from domain.listening.kinds import CLASS_WORDS
from web.forms import Filled, PageForm, Typed, again
from web.messages import viewer_of
from web.pages import counted, form_alone, go, page
from web.protection import Runtimed, SignedIn, runtime_of, transaction_of
from web.rooms import withdraws
from web.why import answers_of

router = APIRouter(prefix="/people")

_NEWEST = 50  # emails each way


class ReasonForm(PageForm):
    """Why a message is overruled."""

    reason: str = ""


form_alone(
    router,
    "/{person:uuid}/messages/{message:uuid}/overrule",
    "/{person:uuid}/messages/{message:uuid}/confirm",
    to="/people/{person}",
)


@router.get("/{person:uuid}")
def show(request: Request, person: UUID) -> Response:
    """Show a person."""
    return shown(request, person, Filled())


def shown(request: Request, person: UUID, filled: Filled, *, status: int = 200) -> Response:
    """The person's page: what was written and what followed, why nothing leaves or what comes next, and their fields."""
    with transaction_of(request) as (tx, session):
        viewer = viewer_of(session)
        said = conversation.load(tx, runtime_of(request).web_keys, person, viewer, newest=_NEWEST)
        found, here = said.person, frame.here(tx, session.member.id)
        only_messages = request.query_params.get("only") == "messages"
        happened = (
            history.of_person(tx, viewer.organization_id, person, limit=_NEWEST)
            if found.whole and not only_messages
            else []
        )
        decided = decisions.recent(
            tx,
            viewer.organization_id,
            candidate_id=person,
            only_in=None if found.whole else viewer.member_id,
        )
        only_of = None if found.manages else viewer.member_id
        found_tasks = tasks.of_person(tx, person, only_of, limit=_NEWEST) if found.whole else []
        entries: list[Entry | Happened | Task] = [
            *said.entries,
            *happened,
            *([] if only_messages else found_tasks),
        ]
        return page(
            request,
            "person.html",
            person=found,
            entries=sorted(entries, key=lambda each: each.at, reverse=True),
            only_messages=only_messages,
            decisions={each.id: each for each in decided},
            receipts=receipts.of_person(tx, person, None if found.whole else viewer.member_id, limit=_NEWEST),
            answers=answers_of(tx, found, viewer.member_id, here.zone, here.now) if found.whole else [],
            fields=person_fields.fields_of(tx, person) if found.whole else {},
            classes=CLASS_WORDS,
            newest=_NEWEST,
            filled=filled,
            status=status,
        )


@router.post("/{person:uuid}/messages/{message:uuid}/overrule")
def take_back(
    request: Request,
    session: SignedIn,
    runtime: Runtimed,
    person: UUID,
    message: UUID,
    form: Typed[ReasonForm],
) -> Response:
    """Take back what followed from a message: the person continues where they left off."""
    with runtime.database.transaction() as tx:
        _check(tx, session, person, message)
    try:
        goes_on = overrule.overrule(
            runtime,
            session.member.organization_id,
            message,
            actor=session.member.name,
            reason=form.reason,
        )
    except InvalidInput as error:
        filled = again({"at": str(message), **form.typed()}, error, {}, other="reason")
        return shown(request, person, filled, status=422)
    said = (
        "Somebody already overruled it."
        if goes_on is None
        else f"Overruled. The person continues in {counted(goes_on, 'sequence', 'sequences')}."
        if goes_on
        else "Overruled."
    )
    return go(request, f"/people/{person}", said)


@router.post("/{person:uuid}/messages/{message:uuid}/confirm")
@withdraws
def confirm(request: Request, session: SignedIn, runtime: Runtimed, person: UUID, message: UUID) -> Response:
    """It is an opt-out; answers when nothing can leave to the person any more."""
    with runtime.database.transaction() as tx:
        _check(tx, session, person, message)
    answer = opt_outs.confirm(runtime, session.member.organization_id, message, actor=session.member.name)
    doubt = f" {counted(len(answer.in_doubt), 'email is', 'emails are')} in doubt." if answer.in_doubt else ""
    return go(request, f"/people/{person}", f"Nobody can write to this person any more.{doubt}")


def _check(tx: Transaction, session: SignedIn, person: UUID, message: UUID) -> None:
    """Raise ``NotFound`` unless the message is the person's, and the member may see it."""
    if lists.one(tx, message, viewer_of(session)).candidate_id != person:
        raise NotFound("There is no such message.")
