"""Notifications: what happened to my sequences and mailbox, newest first, a page at a time."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from db.views import notice_lists
from web.pages import counted, go, id_of, page
from web.protection import OwnForm, Runtimed, SignedIn

router = APIRouter(prefix="/notifications")

_HERE = "/notifications"


@router.get("")
def show(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """A page of them. ``?show=unread``: only those."""
    asked = request.query_params
    unread_only = asked.get("show") == "unread"
    search = asked.get("q", "")[:100].strip()
    with runtime.database.transaction() as tx:
        found = notice_lists.of_recipient(
            tx,
            session.member.id,
            unread_only=unread_only,
            search=search,
            before=id_of(asked.get("before", "")),
        )
        newest = notice_lists.newest(tx, session.member.id)
    shown = found[: notice_lists.PER_PAGE]
    return page(
        request,
        "notifications.html",
        notices=shown,
        next=shown[-1].id if len(found) > len(shown) else "",
        newest=newest or "",
        unread_only=unread_only,
        q=search,
    )


@router.post("/read")
def read(request: Request, runtime: Runtimed, session: SignedIn, form: OwnForm) -> Response:
    """All of them are read, up to the newest that the page knew of; or one."""
    one, newest = id_of(form.get("notice", "")), id_of(form.get("newest", ""))
    with runtime.database.transaction() as tx:
        if one is not None:
            notice_lists.mark_read(tx, session.member.id, one)
            return RedirectResponse(_HERE, status_code=303)
        count = notice_lists.mark_all_read(tx, session.member.id, up_to=newest)
    return go(request, _HERE, f"{counted(count, 'notification', 'notifications')} marked as read.")


@router.get("/read")
def form_was_reloaded() -> Response:
    """The address that the form was sent to, opened by itself."""
    return RedirectResponse(_HERE, status_code=303)


@router.get("/{notice}")
def open_one(request: Request, runtime: Runtimed, session: SignedIn, notice: UUID) -> Response:
    """One of them, as an email leads to it."""
    with runtime.database.transaction() as tx:
        found = notice_lists.one(tx, session.member.id, notice)
    return page(
        request,
        "notifications.html",
        notices=[found],
        next="",
        newest="",
        unread_only=False,
        q="",
    )
