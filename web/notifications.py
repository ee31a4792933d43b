"""Notifications: what happened to my sequences, newest first."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from db import dashboard, my_settings
from web.pages import page
from web.protection import OwnForm, Runtimed, SignedIn

router = APIRouter(prefix="/notifications")


@router.get("")
def show(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """The newest hundred."""
    with runtime.database.transaction() as tx:
        notices = dashboard.notices(tx, reader=session.member.id, channel="in_app", limit=100)
    return page(request, "notifications.html", notices=notices)


@router.post("/read")
def read(runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """All of them are read."""
    with runtime.database.transaction() as tx:
        my_settings.mark_all_read(tx, session.member.id)
    return RedirectResponse("/notifications", status_code=303)
