"""Preview a step as somebody would get it, and send it to oneself."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from actions import step_previews
from db.core.session import Transaction
from db.sequences import built, previews
from db.views import people as people_list
from db.views import search, sequence_people
from db.views.messages import Viewer
from domain.errors import NotFound
from web.forms import REFUSED, PageForm, Typed, id_of, number_of, said
from web.messages import viewer_of
from web.pages import form_alone, go, page, show_verdict
from web.protection import Runtimed, SignedIn, transaction_of
from web.rooms import waits_for_others
from web.sequence import in_words
from web.sequences import Line, line_of

router = APIRouter(prefix="/sequences")
form_alone(router, "/{sequence:uuid}/preview/typed", to="/sequences/{sequence}/preview")


class TestForm(PageForm):
    """``person``: an enrollment, or empty for a sample. ``step``: a position, for the way back."""

    person: str = ""
    step: str = ""


class WrittenForm(PageForm):
    """A step as its form has it. ``person``, ``q``: as whom."""

    thread: str = "same"
    subject: str = ""
    body: str = ""
    position: str = ""
    person: str = ""
    q: str = ""


@router.get("/{sequence:uuid}/preview")
def show(request: Request, sequence: UUID) -> Response:
    """Show a step as one person would get it: the one that was chosen, or the first in the sequence. Changes nothing.

    ``?person=``: an enrollment of the sequence, or anybody whom the member may see. ``?q=``: whose names or addresses begin so.
    """
    asked = request.query_params
    wanted = {name: asked.get(name, "") for name in ("person", "q", "step")}
    return _shown(request, sequence, wanted, None)


@router.post("/{sequence:uuid}/preview/typed")
def show_typed(request: Request, sequence: UUID, form: Typed[WrittenForm]) -> Response:
    """Show what somebody is writing, in a tab of its own: their form stays as it is, and nothing is saved."""
    subject = None if form.thread == "same" and number_of(form.position) > 1 else form.subject
    wanted = {"person": form.person, "q": form.q, "step": form.position}
    return _shown(request, sequence, wanted, step_previews.Typed(subject, form.body), form)


def _shown(
    request: Request,
    sequence: UUID,
    wanted: Mapping[str, str],
    typed: step_previews.Typed | None,
    form: WrittenForm | None = None,
) -> Response:
    words, position = wanted["q"][:100].strip(), number_of(wanted["step"]) or 1
    with transaction_of(request) as (tx, session):
        line, viewer = line_of(request, sequence), viewer_of(session)
        people = sequence_people.page(tx, line.id, search=words)[: sequence_people.PER_PAGE]
        others = search.people(tx, viewer, words, most=sequence_people.PER_PAGE) if words else []
        inside = {each.candidate_id for each in people}
        others = [each for each in others if each.id not in inside]
        steps = built.steps_of(tx, line.id)
        listed = [*(each.id for each in people), *(each.id for each in others)]
        chosen = id_of(wanted["person"]) or next(iter(listed), None)
        enrollment, candidate = _whose(tx, viewer, line.id, chosen)
        found = None
        if steps or typed is not None:
            found = step_previews.preview(
                tx,
                line.id,
                position if typed is not None else min(position, len(steps)),
                enrollment_id=enrollment,
                candidate_id=candidate,
                member_id=session.member.id,
                typed=typed,
            )
        return page(
            request,
            "step_preview.html",
            line=line,
            preview=found,
            steps=steps,
            people=people,
            others=others,
            q=words,
            around=None if enrollment is None or typed else previews.around(tx, line.id, enrollment),
            chosen=enrollment or candidate,
            written=form,
            with_gaps=with_gaps,
            in_words=in_words,
        )


def _whose(
    tx: Transaction, viewer: Viewer, sequence_id: UUID, chosen: UUID | None
) -> tuple[UUID | None, UUID | None]:
    """Return the enrollment, or else the person whom the viewer may see, that an id names. Raises ``NotFound``."""
    if chosen is None or previews.standing(tx, sequence_id, chosen) is not None:
        return chosen, None
    if not people_list.named(tx, viewer, [chosen]):
        raise NotFound("There is no such person.")
    found = previews.enrollment_of(tx, sequence_id, chosen)
    return (found, None) if found is not None else (None, chosen)


def with_gaps(text: str) -> Markup:
    """Return the text with what is missing marked."""
    written, at = Markup(), 0
    for found in step_previews.GAP.finditer(text):
        field = found[1].replace("_", " ").capitalize()
        written += text[at : found.start()] + Markup('<span class="merge gone">{} is missing</span>').format(
            field
        )
        at = found.end()
    return written + text[at:]


@router.post("/{sequence:uuid}/steps/{step:uuid}/test")
@waits_for_others
def send_to_myself(
    request: Request, line: Line, runtime: Runtimed, session: SignedIn, step: UUID, form: Typed[TestForm]
) -> Response:
    """Send the step to the member who is signed in."""
    person = id_of(form.person)
    back = f"/sequences/{line.id}/preview?step={number_of(form.step) or 1}{f'&person={person}' if person else ''}"
    try:
        verdict = step_previews.send_to_myself(
            runtime,
            line.id,
            step,
            enrollment_id=person,
            member_id=session.member.id,
            actor=session.member.name,
        )
    except REFUSED as error:
        return go(request, back, said(error))
    return show_verdict(request, verdict, back=back)
