"""A mailbox's signature, edited by its owner; a sender address's by owners and admins."""

from fastapi import APIRouter, Request, Response

from actions import signatures
from db.mailboxes.mailboxes import Mailbox
from domain.errors import InvalidInput
from domain.signature import MAX_SIGNATURE
from web.forms import Filled, PageForm, Typed, again
from web.mailbox import Chosen, mailbox_of, page_of
from web.pages import go, page
from web.protection import Runtimed, SignedIn, transaction_of

router = APIRouter(prefix="/settings")
_MINE, _ADDRESS = "/sequences/signature", "/email/addresses/{which:uuid}/signature"


class SignatureForm(PageForm):
    """The signature, plain text or HTML."""

    body: str = ""


@router.get(_MINE)
@router.get(_ADDRESS)
def show(request: Request) -> Response:
    """Show the signature, as it is written and as recipients see it."""
    with transaction_of(request):
        return _shown(request, mailbox_of(request))


def _shown(
    request: Request, mailbox: Mailbox, filled: Filled | None = None, *, status: int = 200
) -> Response:
    with transaction_of(request) as (tx, _):
        shown = signatures.show(tx, mailbox.id)
        return page(
            request,
            "signature.html",
            mailbox=mailbox,
            back=page_of(mailbox),
            here=request.url.path,
            shown=shown,
            longest=MAX_SIGNATURE,
            filled=filled or Filled({"body": shown.signed.body}),
            status=status,
        )


@router.post(_MINE)
@router.post(_ADDRESS)
def save(
    request: Request, mailbox: Chosen, runtime: Runtimed, session: SignedIn, form: Typed[SignatureForm]
) -> Response:
    """Save the signature. Emails that have not left get it."""
    try:
        signatures.change(runtime, mailbox.id, form.body, actor=session.member.name)
    except InvalidInput as error:
        return _shown(request, mailbox, again(form.typed(), error, {"signature": "body"}), status=422)
    said = (
        "Saved. Emails that have not left end with it."
        if form.body.strip()
        else "Saved. Emails end without a signature."
    )
    return go(request, page_of(mailbox), said)
