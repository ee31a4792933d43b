"""Preview a step as somebody would get it, and send it to oneself."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from actions import step_previews
from db.sequences import built
from db.views import sequence_people
from web.forms import REFUSED, PageForm, Typed, id_of, number_of, said
from web.pages import go, page, show_verdict
from web.protection import Runtimed, SignedIn, transaction_of
from web.rooms import waits_for_others
from web.sequence import in_words
from web.sequences import Line, line_of

router = APIRouter(prefix="/sequences")


class TestForm(PageForm):
    """``person``: an enrollment, or empty for a sample. ``step``: a position, for the way back."""

    person: str = ""
    step: str = ""


@router.get("/{sequence:uuid}/preview")
def show(request: Request, sequence: UUID) -> Response:
    """Show a step as one person would get it: the one that was chosen, or the first in the sequence. Changes nothing."""
    asked = request.query_params
    with transaction_of(request) as (tx, session):
        line = line_of(request, sequence)
        people = sequence_people.page(tx, line.id)[: sequence_people.PER_PAGE]
        steps = built.steps_of(tx, line.id)
        chosen = id_of(asked.get("person", "")) or (people[0].id if people else None)
        position = number_of(asked.get("step", "")) or 1
        found = None
        if steps:
            found = step_previews.preview(
                tx,
                line.id,
                min(position, len(steps)),
                enrollment_id=chosen,
                member_id=session.member.id,
            )
        return page(
            request,
            "step_preview.html",
            line=line,
            preview=found,
            steps=steps,
            people=people,
            chosen=chosen,
            with_gaps=with_gaps,
            in_words=in_words,
        )


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
