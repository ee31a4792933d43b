"""The page Mailbox and permissions. ``web/mailbox.py`` connects the mailbox, ``web/grants.py`` gives permissions."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import default_mailbox as default
from actions import sign_in as visits
from actions import signatures
from db.access import first_emails, grant_requests
from db.access.sessions import Session
from db.core.session import Transaction
from db.mailboxes import approvals, default_mailbox, tenants
from db.sending import holds
from db.sequences import built
from db.views import frame, my_settings, overviews, readings, sent_in_name
from domain.errors import InvalidInput
from domain.holds import sentence
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of
from web.pages import form_alone, go, page, zone_of
from web.protection import Runtimed, SignedIn, asked_by_itself, runtime_of, transaction_of
from web.why import by_the_clock_of

router = APIRouter(prefix="/settings/sequences")

_HERE = "/settings/sequences"
_JUST_NOW = timedelta(minutes=2)


form_alone(router, "/default", to=_HERE)


class DefaultForm(PageForm):
    """``default``: a mailbox's id, or empty: their own first."""

    default: str = ""


@router.get("")
def show(request: Request) -> Response:
    """Show the member's mailbox, and permissions given and received. ``?ask=``: the address of a mailbox to ask for."""
    asked = request.query_params.get("ask", "")[:320]
    return show_settings(request, Filled({"mailbox": asked} if asked else {}))


def show_settings(request: Request, asking: Filled, *, status: int = 200) -> Response:
    """Return the page. ``asking``: the form that asks for a permission."""
    runtime = runtime_of(request)
    with transaction_of(request) as (tx, session):
        me = session.member.id
        boxes = sent_in_name.mailboxes_of(tx, me)
        if not asked_by_itself(request):
            approvals.check_soon(tx, me)
        values: dict[str, Any] = {
            "mailbox": my_settings.mailbox_of(tx, me),
            "given": my_settings.given(tx, me),
            "ended": my_settings.ended_with_mailbox(tx, me),
            "received": my_settings.received(tx, me),
            "held": _held(tx, session),
            "tenant_wide": tenants.is_connected(tx, session.member.organization_id),
            "approval": approvals.waiting(tx, runtime.web_keys, me),
            "watched": approvals.is_watched(tx, me),
            "public_url": runtime.settings.public_url,
            "senders": built.senders(tx, session.member.organization_id, me),
            "default_mailbox": default_mailbox.of(tx, me).mailbox_id,
            "read": readings.mailboxes_of(tx, me),
            "sent": sent_in_name.sent(tx, boxes, limit=3),
            "counts": sent_in_name.counts(tx, boxes, zone_of(tx, session)),
            "most": sent_in_name.MOST_COUNTED,
            "requests": grant_requests.for_owner(tx, me),
            "firsts": {each.grant_id for each in first_emails.waiting(tx, me)},
            "asked_for": grant_requests.by_requester(tx, me),
        }
        mailbox = values["mailbox"]
        values["signature"] = None if mailbox is None else signatures.show(tx, mailbox.id)
        fresh = (
            request.query_params.get("done") == "connected"
            and mailbox is not None
            and mailbox.status == "connected"
            and mailbox.connected_at is not None
            and frame.here(tx, me).now - mailbox.connected_at < _JUST_NOW
        )
        if fresh:
            mine = overviews.Filter(me, "paused")
            values["paused"] = overviews.count_sequences(tx, session.member.organization_id, mine)
        return page(
            request, "sequences_settings.html", **values, connected_now=fresh, asking=asking, status=status
        )


def _held(tx: Transaction, session: Session) -> str:
    """Return what keeps the member's mailbox, or the whole organization, from sending; empty if nothing does."""
    mailbox, here = my_settings.mailbox_of(tx, session.member.id), frame.here(tx, session.member.id)
    found = (
        holds.of_organization(tx, session.member.organization_id)
        if mailbox is None
        else holds.of_mailbox(tx, mailbox.id)
    )
    when = by_the_clock_of(here.zone, here.now)
    return "" if found is None else sentence(found, "" if mailbox is None else mailbox.address, when)


@router.post("/default")
def choose_default(
    request: Request, runtime: Runtimed, session: SignedIn, form: Typed[DefaultForm]
) -> Response:
    """Choose the mailbox that their new sequences and emails by hand send from."""
    chosen = id_of(form.default)
    try:
        if form.default and chosen is None:
            raise InvalidInput("That is no mailbox", where="mailbox", fix="Choose one.")
        default.choose(runtime, session.member.id, chosen, actor=session.member.name)
    except REFUSED as error:
        return show_settings(request, again({}, error, {}, other="default"), status=422)
    return go(request, _HERE, "Saved. New sequences and emails by hand start with it.")


@router.post("/approval")
def wait(runtime: Runtimed, session: SignedIn) -> Response:
    """Record that the member asked for an approval on Microsoft's page, which does not lead back to us."""
    visits.wait_for_approval(runtime, session.member)
    return RedirectResponse("/settings/sequences", status_code=303)
