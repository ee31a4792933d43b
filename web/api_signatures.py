"""The JSON API's signatures of mailboxes."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from actions import signatures
from domain.signature import MAX_SIGNATURE
from web.api_call import Call, Called
from web.api_models import REFUSALS, Asked

router = APIRouter(prefix="/mailboxes/{mailbox}/signature", responses=REFUSALS)


class NewSignature(Asked):
    """Plain text or HTML without merge fields; empty for none."""

    model_config = ConfigDict(extra="forbid", str_max_length=2 * MAX_SIGNATURE)

    signature: str = Field(max_length=MAX_SIGNATURE)


class Signature(BaseModel):
    """``html`` and ``text``: as recipients see it in formatted and in plain emails. ``sequences``: that carry it; ``running``: of these."""

    signature: str
    version: int
    html: str
    text: str
    sequences: int
    running: int


@router.get("", response_model=Signature)
def show_signature(call: Called, mailbox: UUID) -> Signature:
    """What emails from a mailbox end with."""
    call.own("mailboxes", mailbox)
    return _shown(call, mailbox)


@router.put("", response_model=Signature)
def change_signature(call: Called, mailbox: UUID, new: NewSignature) -> Response:
    """Give a mailbox another signature. Emails that have not left get it."""
    call.own("mailboxes", mailbox)

    def work() -> object:
        signatures.change(call.runtime, mailbox, new.signature, actor=call.caller.name)
        return _shown(call, mailbox).model_dump()

    return call.do(work)


def _shown(call: Call, mailbox: UUID) -> Signature:
    with call.runtime.database.transaction() as tx:
        found = signatures.show(tx, mailbox)
    return Signature(
        signature=found.signed.body,
        version=found.signed.version,
        html=found.html,
        text=found.text,
        sequences=found.signed.sequences,
        running=found.signed.running,
    )
