"""A member's own preferences: the zone of the times they read; and the keys that work everywhere."""

from fastapi import APIRouter, Request, Response

from actions import my_zone
from db.access.sessions import Session
from db.core.session import Transaction
from db.events import notice_channels, notice_preferences
from db.views import frame, my_settings
from domain.notice_preferences import Category
from web.forms import REFUSED, Filled, PageForm, Typed, again
from web.pages import go, page
from web.protection import Runtimed, SignedIn, transaction_of

router = APIRouter(prefix="/settings/preferences")

_HERE = "/settings/preferences"
_MOST_COLLEAGUES = 500
LEGENDS = {
    Category.STOPPED: "Something stopped",
    Category.DECISIONS: "You have to decide",
    Category.ANSWERS: "Somebody answered",
    Category.NEWS: "Mailboxes and permissions",
}


class PreferencesForm(PageForm):
    """``zone``: empty = the organization's."""

    zone: str = ""


@router.get("")
def show(request: Request) -> Response:
    """Show them."""
    return _shown(request, Filled())


def shown_again(request: Request, filled: Filled) -> Response:
    """Show the page with a form that was refused."""
    return _shown(request, filled, status=422)


def _of_notices(tx: Transaction, session: Session) -> dict[str, object]:
    member_id = session.member.id
    colleagues = my_settings.colleagues(tx, member_id, _MOST_COLLEAGUES)
    return {
        "preferences": notice_preferences.of_member(tx, member_id),
        "channels": notice_channels.listing(tx, member_id),
        "colleagues": [(key, f"{name} ({email})") for key, name, email in colleagues],
        "legends": LEGENDS,
        "most_name": notice_channels.MAX_NAME,
    }


def _shown(request: Request, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        found = frame.zones(tx, session.member.id)
        return page(
            request,
            "preferences.html",
            status=status,
            own=found.own or "",
            organizations=found.organization,
            **_of_notices(tx, session),
            zones=[(each, each.replace("_", " ")) for each in my_zone.zones()],
            filled=filled,
        )


@router.post("")
def save(request: Request, runtime: Runtimed, session: SignedIn, form: Typed[PreferencesForm]) -> Response:
    """Keep them. The next page shows times in the new zone."""
    try:
        my_zone.set_zone(runtime, session.member.id, form.zone)
    except REFUSED as error:
        return _shown(request, again(form.typed(), error, {"zone": "zone"}), status=422)
    return go(request, _HERE, "Saved.")
