"""Import people on pages: upload a file, match its columns, read what would happen, import. A worker reads it; the page waits live."""

from collections.abc import Iterator
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from actions import people_imports as actions
from actions.people_imports import Choices, Doer
from db.access.sessions import Session
from db.core.session import Transaction
from db.sequences import enrolling
from db.sequences.people_imports import PeopleImport
from db.views import people
from db.views.messages import Viewer
from domain.errors import InvalidInput
from importing.headings import Heading, fields_of, guess
from web.downloads import download
from web.forms import REFUSED, Filled, Id, PageForm, Typed, again, id_of
from web.messages import viewer_of
from web.pages import form_alone, go, page
from web.protection import (
    AnotherMemberError,
    Runtimed,
    SignedIn,
    manages,
    own_runtime,
    signed_in,
    transaction_of,
)
from web.uploads import receive

UPLOAD = "/people/import"
router = APIRouter(prefix=UPLOAD)
uploads = APIRouter()  # reads its body itself (web/uploads.py), so it checks whose page the form was on

PLACES = {"file": "file", "sequence": "sequence", "a_day": "a_day", "anyway": "anyway"}
_LABELS = {
    "email": "Email", "first_name": "First name", "last_name": "Last name", "full_name": "Full name", "company": "Company",
    "title": "Title", "location": "Location",
}  # fmt: skip


class ImportForm(PageForm):
    """``do``: check or import. ``round``: the check that the page showed. Columns are ``c0``, ``c1`` and so on."""

    do: str = "check"
    round: str = ""
    sequence: Id = None
    a_day: str = ""
    anyway: str = ""

    def choices(self) -> Choices:
        """Where people go. Raises ``InvalidInput``."""
        return Choices(self.sequence, number(self.a_day, "a_day"), self.anyway)


class DaysForm(PageForm):
    """Days between the last email to a person and a new sequence."""

    days: str = ""


def doer_of(session: Session) -> Doer:
    """Who brings people in."""
    return Doer(viewer_of(session), session.member.id, session.member.name, manages(session))


def options_for(tx: Transaction, viewer: Viewer) -> list[tuple[str, str]]:
    """Return the sequences to choose from."""
    return [
        ("", "Do not enroll yet"),
        *((str(each.id), each.name) for each in enrolling.destinations(tx, viewer)),
    ]


def number(text: str, where: str) -> int | None:
    """Return the number; None for an empty field. Raises ``InvalidInput``."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InvalidInput("that is no number", where=where, fix="Give a number, or leave it empty.")
    return int(text)


@router.get("")
def show(request: Request) -> Response:
    """Show the form for a file."""
    return _first_page(request, Filled({"sequence": request.query_params.get("sequence", "")}))


def _first_page(request: Request, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        viewer = viewer_of(session)
        return page(
            request,
            "people_import_new.html",
            options=options_for(tx, viewer),
            days=enrolling.days(tx, viewer.organization_id),
            most=actions.MAX_FILE // (1024 * 1024),
            filled=filled,
            status=status,
        )


@uploads.post(UPLOAD)
async def upload(request: Request) -> Response:
    """Keep a file and have it checked."""
    session = await run_in_threadpool(signed_in, request)
    try:
        sent = await receive(request, session.member.organization_id, most=actions.MAX_FILE)
    except InvalidInput as error:
        filled = again({}, error, PLACES, other="file")
        return await run_in_threadpool(_first_page, request, filled, status=422)
    if sent.fields.get("member", str(session.member.id)) != str(session.member.id):
        raise AnotherMemberError(session.member.name, [])
    return await run_in_threadpool(
        _keep, request, session, sent.name, sent.content, sent.fields.get("sequence", "")
    )


def _keep(request: Request, session: Session, name: str, content: bytes, sequence: str) -> Response:
    request.state.form = FormData()
    try:
        made = actions.upload(
            own_runtime(request), doer_of(session), name=name, content=content, sequence_id=id_of(sequence)
        )
    except REFUSED as error:
        return _first_page(request, again({"sequence": sequence}, error, PLACES, other="file"), status=422)
    return go(request, f"{UPLOAD}/{made}")


@router.post("/days")
def save_days(request: Request, session: SignedIn, runtime: Runtimed, form: Typed[DaysForm]) -> Response:
    """Set the days between the last email to a person and a new sequence."""
    try:
        actions.set_days(runtime, doer_of(session), number(form.days, "days") or 0)
    except InvalidInput as error:
        return _first_page(request, again(form.typed(), error, {}, other="days"), status=422)
    return go(request, UPLOAD, "Saved.")


form_alone(router, "/days", to=UPLOAD)


@router.get("/{people_import:uuid}")
def one(request: Request, people_import: UUID) -> Response:
    """Show how far a file is: what would happen, or what has."""
    return _one(request, people_import, None)


def _one(request: Request, people_import: UUID, filled: Filled | None, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        doer = doer_of(session)
        found = actions.one(tx, own_runtime(request), doer, people_import)
        columns = _columns(found)
        present = {
            "sequence": str(found.sequence_id or ""),
            "a_day": str(found.a_day or ""),
            "anyway": found.anyway,
        }
        summary = found.report.get("summary")
        changed = [each["email"] for each in summary["changes"]] if summary else []
        return page(
            request,
            "people_import.html",
            found=found,
            summary=summary,
            seen=people.whole(tx, doer.viewer, changed),  # of a colleague's people a file opens nothing
            columns=columns,
            fields=[(name, _LABELS.get(name, name)) for name in fields_of(columns)],
            options=options_for(tx, doer.viewer),
            days=enrolling.days(tx, doer.viewer.organization_id),
            filled=filled or Filled(present),
            status=status,
        )


@router.post("/{people_import:uuid}")
def decide(
    request: Request, session: SignedIn, runtime: Runtimed, people_import: UUID, form: Typed[ImportForm]
) -> Response:
    """Check again, or import. Whoever has changed something since the check reads first what would happen now."""
    doer, here = doer_of(session), f"{UPLOAD}/{people_import}"
    with runtime.database.transaction() as tx:
        found = actions.one(tx, runtime, doer, people_import)
    if found.status in ("importing", "imported"):
        return go(request, here)
    try:
        mapping, before = (
            _mapping(request.state.form, found),
            {each.title: each.field for each in _columns(found)},
        )
        choices = form.choices()
        changed = choices != Choices(found.sequence_id, found.a_day, found.anyway) or any(
            before.get(title) != name for title, name in mapping.items()
        )
        if form.do == "import" and not changed:
            actions.confirm(runtime, doer, people_import, number(form.round, "round") or 0)
            return go(request, here)
        differs = {title: name for title, name in mapping.items() if guess(title) != name}
        actions.check_again(runtime, doer, people_import, differs, choices)
    except REFUSED as error:
        return _one(
            request,
            people_import,
            again(form.typed() | {"sequence": str(form.sequence or "")}, error, PLACES),
            status=422,
        )
    said = "You changed something. Read what would happen now, then import." if form.do == "import" else ""
    return go(request, here, said)


@router.get("/{people_import:uuid}/left-out.csv")
def left_out(session: SignedIn, runtime: Runtimed, people_import: UUID) -> Response:
    """Return the rows that were left out, to be corrected and imported."""

    def text() -> Iterator[str]:
        yield "\ufeff" + actions.left_out(runtime, doer_of(session), people_import)

    name, kind = "people-left-out.csv", "text/csv; charset=utf-8"
    return download(runtime, session.member.organization_id, text(), name=name, kind=kind)


def _columns(found: PeopleImport) -> list[Heading]:
    return [Heading(**each) for each in found.report.get("columns", [])]


def _mapping(form: FormData, found: PeopleImport) -> dict[str, str]:
    """Return what each column becomes. Raises ``InvalidInput`` for what none can become."""
    columns = _columns(found)
    known = {"", *fields_of(columns)}
    mapping = {}
    for position, each in enumerate(columns):
        name = form.get(f"c{position}", each.field)
        if name not in known:
            raise InvalidInput(
                "a column became something that is no field", fix="Choose a field from the list."
            )
        mapping[each.title] = str(name)
    return mapping
