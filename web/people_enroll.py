"""Bring people in without a file: add one by hand, or enroll people whom we know, after reading what keeps any of them out."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from actions import people_imports as actions
from actions.people_imports import Choices
from db.views import people
from domain.errors import InvalidInput
from importing.writing import PeopleSummary
from web.forms import REFUSED, Filled, Id, PageForm, Typed, again, id_of
from web.messages import viewer_of
from web.pages import counted, go, page
from web.people_import import PLACES, doer_of, number, options_for
from web.protection import Runtimed, SignedIn, own_runtime, transaction_of

router = APIRouter(prefix="/people")


class PersonForm(PageForm):
    """One person."""

    email: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    title: str = ""
    location: str = ""
    sequence: Id = None
    anyway: str = ""


class EnrollForm(PageForm):
    """Known people. ``do``: check or enroll."""

    person: list[str] = Field(default_factory=list)
    sequence: Id = None
    a_day: str = ""
    anyway: str = ""
    do: str = "check"

    def people(self) -> list[UUID]:
        """Who."""
        return [found for each in self.person if (found := id_of(each)) is not None]

    def choices(self) -> Choices:
        """Where they go. Raises ``InvalidInput``."""
        return Choices(self.sequence, number(self.a_day, "a_day"), self.anyway)


@router.get("/add")
def show(request: Request) -> Response:
    """Show the form for one person. ``?sequence=``: where they go."""
    return _form(request, Filled({"sequence": request.query_params.get("sequence", "")}))


def _form(request: Request, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        return page(
            request,
            "people_add.html",
            options=options_for(tx, viewer_of(session)),
            filled=filled,
            status=status,
        )


@router.post("/add")
def add(request: Request, session: SignedIn, runtime: Runtimed, form: Typed[PersonForm]) -> Response:
    """Add a person, and enroll them if a sequence is chosen."""
    person = {name: value for name, value in form.typed().items() if name != "anyway"}
    try:
        done = actions.add(runtime, doer_of(session), person, Choices(form.sequence, anyway=form.anyway))
    except REFUSED as error:
        typed = form.typed() | {"sequence": str(form.sequence or "")}
        return _form(request, again(typed, error, {**PLACES, "email": "email"}, other=""), status=422)
    made = "Added." if done.candidates_created else "We knew this person. What was new is saved."
    to = "/people" if form.sequence is None else f"/sequences/{form.sequence}?tab=people"
    return go(request, to, f"{made}{_said(done)}")


@router.get("/enroll")
def ask(request: Request) -> Response:
    """Ask in which sequence people go."""
    return _enroll_page(request, request.query_params.getlist("person"), Filled(), None)


def _enroll_page(
    request: Request, chosen: list[str], filled: Filled, summary: PeopleSummary | None, *, status: int = 200
) -> Response:
    ids = [found for each in chosen if (found := id_of(each)) is not None][: actions.MAX_PEOPLE]
    with transaction_of(request) as (tx, session):
        viewer = viewer_of(session)
        return page(
            request,
            "people_enroll.html",
            people=people.named(tx, viewer, ids),
            options=[each for each in options_for(tx, viewer) if each[0]],
            summary=summary,
            filled=filled,
            status=status,
        )


@router.post("/enroll")
def enroll(request: Request, session: SignedIn, runtime: Runtimed, form: Typed[EnrollForm]) -> Response:
    """Show what enrolling them would do, or do it."""
    typed = form.typed() | {"sequence": str(form.sequence or "")}
    try:
        if form.sequence is None:
            raise InvalidInput("no sequence is chosen", where="sequence", fix="Choose one.")
        if form.do != "enroll":
            foreseen = actions.foresee_enrolling(
                own_runtime(request), doer_of(session), form.people(), form.choices()
            )
            return _enroll_page(request, form.person, Filled(typed), foreseen)
        done = actions.enroll_known(runtime, doer_of(session), form.people(), form.choices())
    except REFUSED as error:
        return _enroll_page(request, form.person, again(typed, error, PLACES), None, status=422)
    return go(request, "/people", _said(done).strip())


def _said(done: PeopleSummary) -> str:
    if done.sequence is None:
        return ""
    kept = [
        (done.skipped_already_enrolled, "in it already"),
        (done.skipped_elsewhere, "in another sequence"),
        (done.skipped_contacted, "got an email lately"),
        (done.skipped_suppressed, "suppressed"),
    ]
    out = "".join(
        f" {counted(count, 'person is not', 'people are not')}: {why}." for count, why in kept if count
    )
    if not done.enrolled:
        return f" Nobody was enrolled in {done.sequence}.{out}"
    return f" {counted(done.enrolled, 'person', 'people')} enrolled in {done.sequence}.{out}"
