"""A file of suppressions: it is read into the list on the page, and checked there before anything happens."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from actions import suppressions as actions
from domain.errors import InvalidInput
from importing.encodings import decode
from importing.suppressions import read_suppressions
from web.forms import REFUSED, Filled, again
from web.pages import form_alone
from web.protection import AnotherMemberError, administrator, own_runtime
from web.suppressions import listed
from web.uploads import receive

UPLOAD = "/settings/suppressions/upload"
MAX_FILE = 50_000  # bytes: as much as the list on the page takes

uploads = APIRouter()  # reads its body itself (web/uploads.py), so it checks whose page the form was on
form_alone(uploads, UPLOAD, to="/settings/suppressions")


@uploads.post(UPLOAD)
async def upload(request: Request) -> Response:
    """Read a file, and show what it would add."""
    session = await run_in_threadpool(administrator, request)
    try:
        sent = await receive(request, session.member.organization_id, most=MAX_FILE)
    except InvalidInput as error:
        return await run_in_threadpool(listed, request, again({}, error, {}, other="file"), status=422)
    if sent.fields.get("member", str(session.member.id)) != str(session.member.id):
        raise AnotherMemberError(session.member.name, [])
    return await run_in_threadpool(_check, request, sent.name, sent.content)


def _check(request: Request, name: str, content: bytes) -> Response:
    request.state.form = FormData()
    organization_id = administrator(request).member.organization_id
    try:
        sheet = read_suppressions(name, content)
        lines = decode(name, content).text
    except REFUSED as error:
        return listed(request, again({}, error, {}, other="file"), status=422)
    foreseen = actions.foresee(own_runtime(request), organization_id, sheet.entries)
    return listed(request, Filled({"lines": lines}), sheet=sheet, foreseen=foreseen)
