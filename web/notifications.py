"""Notifications about a member's sequences and mailbox, newest first, a page at a time."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import notices
from db.views import notice_lists
from web.forms import Id, PageForm, Typed, id_of
from web.pages import counted, form_alone, go, page
from web.protection import Runtimed, SignedIn, transaction_of

router = APIRouter(prefix="/notifications")

_HERE = "/notifications"


class ReadForm(PageForm):
    """``notice``: only that one. ``newest``: the newest that the page showed."""

    notice: Id = None
    newest: Id = None


@router.get("")
def show(request: Request) -> Response:
    """Show a page of notices. ``?show=unread``: only unread ones."""
    asked = request.query_params
    unread_only = asked.get("show") == "unread"
    search = asked.get("q", "")[:100].strip()
    with transaction_of(request) as (tx, session):
        found = notice_lists.of_recipient(
            tx,
            session.member.id,
            unread_only=unread_only,
            search=search,
            before=id_of(asked.get("before", "")),
        )
        shown = found[: notice_lists.PER_PAGE]
        return page(
            request,
            "notifications.html",
            notices=shown,
            next=shown[-1].id if len(found) > len(shown) else "",
            newest=notice_lists.newest(tx, session.member.id) or "",
            unread=notice_lists.unread(tx, session.member.id),
            unread_only=unread_only,
            q=search,
        )


@router.post("/read")
def read(request: Request, runtime: Runtimed, session: SignedIn, form: Typed[ReadForm]) -> Response:
    """Mark one notice as read, or all up to the newest that the page showed."""
    if form.notice is not None:
        notices.mark_read(runtime, session.member.id, form.notice)
        return go(request, _HERE)
    count = notices.mark_all_read(runtime, session.member.id, up_to=form.newest)
    return go(request, _HERE, f"{counted(count, 'notification', 'notifications')} marked as read.")


form_alone(router, "/read", to=_HERE)


@router.get("/{notice}")
def open_one(request: Request, notice: UUID) -> Response:
    """Show one notice; its email links here."""
    with transaction_of(request) as (tx, session):
        return page(
            request,
            "notifications.html",
            notices=[notice_lists.one(tx, session.member.id, notice)],
            next="",
            newest="",
            unread=0,
            unread_only=False,
            q="",
        )
