"""Suppress a person on their page, because they asked by telephone, or for another reason that somebody knows."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import withdraw
from db.views import messages as lists
from domain.errors import InvalidInput
from web.forms import Filled, PageForm, Typed, again
from web.pages import go, page
from web.person_actions import whole_person, withdrawn
from web.protection import Runtimed, SignedIn, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/people")

REASONS = {"unsubscribed": "They asked for no more emails", "stopped": "We decided not to write to them"}


class SuppressForm(PageForm):
    """``reason``: one of ``REASONS``. ``words``: how somebody knows."""

    reason: str = ""
    words: str = ""

    def check(self) -> None:
        """Raise ``InvalidInput`` unless both are there."""
        if self.reason not in REASONS:
            raise InvalidInput("No reason is chosen", where="reason", fix="Choose one.")
        if not self.words.strip():
            raise InvalidInput(
                "It is empty", where="because", fix="Say how you know, for example “by phone”."
            )


@router.get("/{person:uuid}/suppress")
def ask(request: Request, person: UUID) -> Response:
    """Ask before nobody can write to a person any more."""
    return _form(request, person, Filled({"reason": "unsubscribed"}))


@router.post("/{person:uuid}/suppress")
@withdraws
def suppress(
    request: Request, session: SignedIn, runtime: Runtimed, person: UUID, form: Typed[SuppressForm]
) -> Response:
    """Suppress a person; answers when nothing can leave to them."""
    with transaction_of(request) as (tx, _):
        found = whole_person(tx, session, person)
    try:
        form.check()
        answer = withdraw.suppress_candidate(
            runtime, person, actor=session.member.name, reason=form.reason, because=form.words
        )
    except InvalidInput as error:
        filled = again(form.typed(), error, {"because": "words", "reason": "reason"}, other="words")
        return _form(request, person, filled, status=422)
    return go(request, f"/people/{person}", f"Nobody can write to {found.name} any more. {withdrawn(answer)}")


def _form(request: Request, person: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        found = whole_person(tx, session, person)
        return page(
            request,
            "suppress_person.html",
            title="Suppress",
            person=found,
            places=lists.open_places_of(tx, person, None),
            reasons=REASONS,
            back=f"/people/{person}",
            verb=f"Suppress {found.name}",
            filled=filled,
            status=status,
        )
