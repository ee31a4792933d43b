"""Team: who works with the product at an organization, their roles, and what happens when somebody leaves."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import members, withdraw
from db.access import members as stored
from db.access.sessions import Session
from db.views import my_settings, team
from db.views.team import Listed, Wanted
from db.withdrawing import impact
from domain.errors import InvalidInput, NotPermitted
from domain.team import MEANINGS, Role, check_leaving, choices
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of
from web.pages import form_alone, go, page
from web.protection import Administrator, Runtimed, administrator, transaction_of
from web.results import see
from web.rooms import withdraws

router = APIRouter(prefix="/settings/team")

_HERE = "/settings/team"
_PLACES = {"name": "name", "email": "email"}


class NewMember(PageForm):
    """Somebody to add."""

    name: str = ""
    email: str = ""
    role: str = Role.MEMBER.value


class RoleForm(PageForm):
    """``was``: the role that the page showed."""

    role: str = ""
    was: str = ""


form_alone(router, "/add", to=_HERE)
form_alone(router, "/{member:uuid}/return", to=_HERE)


@router.get("")
def show(request: Request) -> Response:
    """Show the members by name, 50 at a time."""
    return _listed(request, Filled())


def _listed(request: Request, filled: Filled, *, status: int = 200) -> Response:
    asked = request.query_params
    key, _, name = asked.get("after", "")[:400].partition("~")
    last = id_of(key)
    wanted = Wanted(
        asked.get("which") != "left",
        asked.get("role", ""),
        asked.get("q", "")[:100].strip(),
        asked.get("box", "")[:20],
    )
    with transaction_of(request) as (tx, session):
        administrator(request)
        found = team.page(
            tx,
            session.member.organization_id,
            wanted,
            after=None if last is None else (name, last),
            limit=team.PER_PAGE + 1,
        )
        shown = found[: team.PER_PAGE]
        return page(
            request,
            "team.html",
            members=shown,
            counts=team.counts(tx, session.member.organization_id),
            wanted=wanted,
            next=f"{shown[-1].id}~{shown[-1].name}" if len(found) > len(shown) else "",
            first=last is not None,
            filled=filled,
            roles=_labels(choices(_role(session))),
            all_roles=_labels(tuple(Role)),
            meanings=[(each.value.capitalize(), words) for each, words in MEANINGS.items()],
            owner=session.member.role == Role.OWNER,
            status=status,
        )


def _labels(roles: tuple[Role, ...]) -> list[tuple[str, str]]:
    return [(each.value, each.value.capitalize()) for each in roles]


def _role(session: Session) -> Role:
    return Role(session.member.role)


@router.post("/add")
def add(request: Request, session: Administrator, runtime: Runtimed, form: Typed[NewMember]) -> Response:
    """Add somebody."""
    try:
        role = _chosen(form.role)
        members.add_member(
            runtime,
            session.member.organization_id,
            form.name,
            form.email,
            role,
            by=_role(session),
            actor=session.member.name,
        )
    except REFUSED as error:
        return _listed(request, again(form.typed(), error, _PLACES, other="role"), status=422)
    return go(request, _HERE, f"{form.name.strip()} can sign in now. Tell them the address of this page.")


@router.get("/{member:uuid}/role")
def ask_role(request: Request, member: UUID) -> Response:
    """Ask which role a member is to have."""
    return _role_page(request, member, Filled())


def _role_page(request: Request, member: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        administrator(request)
        found = team.one(tx, session.member.organization_id, member)
        return page(
            request,
            "member_role.html",
            member=found,
            filled=filled,
            may=session.member.role == Role.OWNER and found.active,
            roles=[(each.value, each.value.capitalize(), words) for each, words in MEANINGS.items()],
            status=status,
        )


@router.post("/{member:uuid}/role")
def change_role(
    request: Request, session: Administrator, runtime: Runtimed, member: UUID, form: Typed[RoleForm]
) -> Response:
    """Change a member's role. A repetition says so."""
    try:
        role, was = _chosen(form.role), _chosen(form.was)
        changed = members.change_role(
            runtime,
            session.member.organization_id,
            member,
            role,
            was=was,
            by=_role(session),
            actor=session.member.name,
        )
    except (InvalidInput, NotPermitted) as error:
        return _role_page(request, member, again(form.typed(), error, {}, other="role"), status=422)
    with transaction_of(request) as (tx, _):
        name = team.one(tx, session.member.organization_id, member).name
    return go(
        request, _HERE, f"{name} is {role.capitalize()} now." if changed else f"{name} was that before."
    )


def _chosen(text: str) -> Role:
    if text not in set(Role):
        raise InvalidInput("No role is chosen", where="role", fix="Choose one.")
    return Role(text)


@router.get("/{member:uuid}/end")
def ask_end(request: Request, member: UUID) -> Response:
    """Show what a member's departure would stop and end or, once they have left, what it stopped."""
    with transaction_of(request) as (tx, session):
        administrator(request)
        organization_id = session.member.organization_id
        found = team.one(tx, organization_id, member)
        if not found.active:
            return _departed(request, found)
        stored.check_may_leave(tx, organization_id, member, by=_role(session), by_id=session.member.id)
        return page(
            request,
            "end_access.html",
            title=f"End the access of {found.name}?",
            member=found,
            impact=impact.of_departure(tx, organization_id, member),
            given=[each.person for each in my_settings.given(tx, member)],
            held=[each for each in my_settings.received(tx, member) if not each.for_everyone],
            verb="End access",
            back=_HERE,
        )


def _departed(request: Request, found: Listed) -> Response:
    with transaction_of(request) as (tx, _):
        withdrawal = team.departure_of(tx, found.id)
    if withdrawal is None:
        return go(request, f"{_HERE}?which=left", f"{found.name} has left already.")
    return RedirectResponse(f"/withdrawals/{withdrawal}", status_code=303)


@router.post("/{member:uuid}/end")
@withdraws
def end(request: Request, session: Administrator, runtime: Runtimed, member: UUID) -> Response:
    """End a member's access; answers when nothing of theirs can leave any more. A repetition leads to the same result."""
    with runtime.database.transaction() as tx:
        found = team.one(tx, session.member.organization_id, member)
        stored.check_may_leave(
            tx, session.member.organization_id, member, by=_role(session), by_id=session.member.id
        )
    if not found.active:
        return _departed(request, found)
    return see(withdraw.deactivate_member(runtime, member, actor=session.member.name))


@router.post("/{member:uuid}/return")
def come_back(request: Request, session: Administrator, runtime: Runtimed, member: UUID) -> Response:
    """Give a member who left access again; their mailbox and permissions stay ended."""
    with runtime.database.transaction() as tx:
        found = team.one(tx, session.member.organization_id, member)
        if found.role != Role.MEMBER:
            check_leaving(by=_role(session), role=Role(found.role), same=False, other_owners=1)
    members.reactivate_member(runtime, member, actor=session.member.name)
    return go(
        request,
        _HERE,
        f"{found.name} can sign in again. Their mailbox has to be connected again, and permissions given again.",
    )
