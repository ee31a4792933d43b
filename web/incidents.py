"""Incidents on the pages Needs attention and Notifications: somebody says that they look after one."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import incidents
from db.access.sessions import Session
from db.views.incidents import Viewer
from web.forms import PageForm, Typed
from web.pages import form_alone, go
from web.protection import SignedIn, manages, own_runtime

router = APIRouter(prefix="/attention/incidents")

_HERE = "/attention"


class AcknowledgeForm(PageForm):
    """``back``: the page where the button was."""

    back: str = ""


def viewer_of(session: Session, *, whole: bool = False) -> Viewer:
    """Return whose incidents a page shows. ``whole``: everybody's, to owners and admins."""
    member = session.member
    return Viewer(member.organization_id, member.id, manages(session), whole)


form_alone(router, "/{of:uuid}/acknowledge", to=_HERE)


@router.post("/{incident}/acknowledge")
def acknowledge(
    request: Request, session: SignedIn, incident: UUID, form: Typed[AcknowledgeForm]
) -> Response:
    """Say that this member looks after it. A second time says the same."""
    done = incidents.acknowledge(
        own_runtime(request), viewer_of(session, whole=True), incident, actor=session.member.name
    )
    said = (
        "Acknowledged. It closes by itself once it is over." if done else "Already acknowledged, or closed."
    )
    back = {"all": f"{_HERE}?whose=all", "notifications": "/notifications"}.get(form.back, _HERE)
    return go(request, back, said)
