"""Provisioning, below Team: tokens with which an identity provider adds, changes and ends members by SCIM; for owners and admins."""

from uuid import uuid4

from fastapi import APIRouter, Request, Response

from actions import programs
from db.access.api_keys import PROVISION
from db.access.page_results import ShownOnce
from db.views import programs as lists
from web.api_call import SCIM
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of
from web.pages import go, page
from web.programs import PROVISIONING, made_before, secret_of
from web.protection import Runtimed, administrator, runtime_of, transaction_of
from web.return_to import freshly_signed_in

router = APIRouter(prefix=PROVISIONING)


class NewToken(PageForm):
    """``until``: its last day, or empty. ``key``: of the form."""

    name: str = ""
    until: str = ""
    key: str = ""


@router.get("")
def show(request: Request) -> Response:
    """Show the address and the tokens."""
    return _shown(request, Filled())


def _shown(request: Request, filled: Filled, *, status: int = 200) -> Response:
    made = id_of(request.query_params.get("made", ""))
    with transaction_of(request) as (tx, session):
        administrator(request)
        return page(
            request,
            "provisioning.html",
            tokens=lists.keys(tx, session.member.organization_id, provision=True),
            address=f"{runtime_of(request).settings.public_url}{SCIM}",
            made=None if made is None else secret_of(request, tx, session, made),
            asked_for=made,
            filled=filled,
            form_key=str(uuid4()),
            status=status,
        )


@router.post("")
def make_token(request: Request, runtime: Runtimed, form: Typed[NewToken]) -> Response:
    """Make a token, and lead to the page that shows it for a minute. A repeated request leads to the same."""
    administrator(request)
    session = freshly_signed_in(request, PROVISIONING)
    member = session.member
    where = ShownOnce(
        runtime.web_keys,
        member.organization_id,
        member.id,
        f"token:{form.key[:200]}:{form.name.strip()}",
    )
    try:
        programs.make_key(
            runtime,
            member.organization_id,
            form.name,
            [PROVISION],
            until=form.until,
            actor=member.name,
            shown=where,
        )
    except REFUSED as error:
        if not made_before(request, where):
            places = {"name": "name", "until": "until"}
            return _shown(request, again(form.typed(), error, places, other="name"), status=422)
    return go(request, f"{PROVISIONING}?made={where.id}")
