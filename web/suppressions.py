"""Suppressions: addresses and domains that nobody in the organization writes to, for its owners and admins."""

from itertools import chain
from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import suppressions as actions
from db.withdrawing import suppressions
from db.withdrawing.suppressing import Added
from domain.errors import InvalidInput, NotFound
from domain.suppression import LABELS, Reason, entry
from importing.suppressions import Suppressions, read_suppressions
from web.downloads import as_csv, download
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of
from web.pages import counted, form_alone, go, page
from web.protection import Administrator, Runtimed, administrator, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/settings/suppressions")

_HERE = "/settings/suppressions"
_KINDS = ("address", "domain")
_CHOICES = (
    Reason.BY_HAND,
    Reason.OPT_OUT,
    Reason.BOUNCED,
    Reason.COMPLAINED,
)  # for one that is added by hand
_PLACES = {"value": "value", "source": "source", "reason": "reason"}
_SHOWN = 20


class EntryForm(PageForm):
    """One address or domain."""

    value: str = ""
    reason: str = Reason.BY_HAND.value
    source: str = ""


class ListForm(PageForm):
    """Several, one in a line, or CSV. ``do``: check or import."""

    lines: str = ""
    do: str = "check"


class LiftForm(PageForm):
    """Why an entry is lifted."""

    reason: str = ""


form_alone(router, "/add", "/import", to=_HERE)


@router.get("")
def show(request: Request) -> Response:
    """Show the list, newest first, 50 at a time."""
    return listed(request, Filled())


def listed(
    request: Request,
    filled: Filled,
    *,
    status: int = 200,
    sheet: Suppressions | None = None,
    foreseen: Added | None = None,
) -> Response:
    """The page, with a form as it was filled in, and what a list would add."""
    asked = request.query_params
    which, reason, search = asked.get("which", ""), asked.get("reason", ""), asked.get("q", "")[:254].strip()
    with transaction_of(request) as (tx, _):
        organization_id = administrator(request).member.organization_id
        found = suppressions.entries(
            tx,
            organization_id,
            kind=which if which in _KINDS else None,
            reason=reason if reason in {each.value for each in Reason} else None,
            search=search,
            lifted=which == "lifted",
            before=id_of(asked.get("before", "")),
            limit=suppressions.PER_PAGE + 1,
        )
        return page(
            request,
            "suppressions.html",
            entries=found[: suppressions.PER_PAGE],
            more=found[suppressions.PER_PAGE - 1].id if len(found) > suppressions.PER_PAGE else None,
            counts=suppressions.counts(tx, organization_id),
            name_of=suppressions.name_of,
            labels={each.value: label for each, label in LABELS.items()},
            choices=[(each.value, LABELS[each]) for each in _CHOICES],
            which=which,
            reason=reason,
            q=search,
            filled=filled,
            sheet=sheet,
            shown=_SHOWN,
            foreseen=foreseen,
            status=status,
        )


@router.post("/add")
@withdraws
def add(request: Request, session: Administrator, runtime: Runtimed, form: Typed[EntryForm]) -> Response:
    """Add one; answers when no more emails can leave to it."""
    try:
        if form.reason not in {each.value for each in _CHOICES}:
            raise InvalidInput("No reason is chosen", where="reason", fix="Choose one.")
        new = entry(form.value, Reason(form.reason), form.source)
    except REFUSED as error:
        return listed(request, again(form.typed(), error, _PLACES, other="value"), status=422)
    added, answer = actions.add(runtime, session.member.organization_id, [new], actor=session.member.name)
    if not added.added:
        return go(request, _HERE, f"{new.value} was on the list before.")
    doubt = f" {counted(len(answer.in_doubt), 'email is', 'emails are')} in doubt." if answer.in_doubt else ""
    stopped = f" {counted(answer.stopped, 'email', 'emails')} stopped." if answer.stopped else ""
    return go(request, _HERE, f"Nobody can write to {new.value} any more.{stopped}{doubt}")


@router.post("/import")
@withdraws
def import_lines(
    request: Request, session: Administrator, runtime: Runtimed, form: Typed[ListForm]
) -> Response:
    """Check or import a pasted list."""
    organization_id = session.member.organization_id
    try:
        sheet = read_suppressions("list", form.lines.encode())
    except REFUSED as error:
        return listed(request, again(form.typed(), error, {}, other="lines"), status=422)
    if form.do != "import":
        foreseen = actions.foresee(runtime, organization_id, sheet.entries)
        return listed(request, Filled(form.typed()), sheet=sheet, foreseen=foreseen)
    added, _ = actions.add(runtime, organization_id, sheet.entries, actor=session.member.name)
    left = f" {counted(len(sheet.left_out), 'line is', 'lines are')} left out." if sheet.left_out else ""
    return go(
        request,
        _HERE,
        f"{counted(added.added, 'entry is', 'entries are')} new, {added.known} known."
        f" {counted(added.people, 'person leaves', 'people leave')} all sequences.{left}",
    )


@router.get("/export.csv")
def export(session: Administrator, runtime: Runtimed) -> Response:
    """Return the list as a file."""
    organization_id = session.member.organization_id
    rows = chain([suppressions.COLUMNS], suppressions.export(runtime.database, organization_id))
    kind = "text/csv; charset=utf-8"
    return download(runtime, organization_id, as_csv(rows), name="suppressions.csv", kind=kind)


@router.get("/{suppression:uuid}/lift")
def ask_lift(request: Request, suppression: UUID) -> Response:
    """Ask for the reason of a lift."""
    return _lift_page(request, suppression, Filled())


def _lift_page(request: Request, suppression: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, _):
        organization_id = administrator(request).member.organization_id
        found = [
            *suppressions.entries(tx, organization_id, only=suppression),
            *suppressions.entries(tx, organization_id, only=suppression, lifted=True),
        ]
        if not found:
            raise NotFound("There is no such suppression.")
        return page(
            request,
            "lift_suppression.html",
            entry=found[0],
            name=suppressions.name_of(found[0]),
            label=LABELS[Reason(found[0].reason)],
            filled=filled,
            status=status,
        )


@router.post("/{suppression:uuid}/lift")
def lift(
    request: Request, session: Administrator, runtime: Runtimed, suppression: UUID, form: Typed[LiftForm]
) -> Response:
    """Lift an entry. A repetition says so."""
    member = session.member
    try:
        lifted = actions.lift(
            runtime, member.organization_id, suppression, actor=member.name, reason=form.reason
        )
    except InvalidInput as error:
        return _lift_page(request, suppression, again(form.typed(), error, {}, other="reason"), status=422)
    return go(request, _HERE, "Lifted. It may be written to again." if lifted else "It was lifted before.")
