"""The JSON API, version 1: the verbs of the pages for other programs. ``/api/v1/openapi.json`` describes it."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, FastAPI, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from actions import activation, grants, members, verify, withdraw
from app.runtime import Runtime
from db.views import api_lists
from domain.errors import InvalidInput, OnbehalfError
from web import (
    api_addresses,
    api_answers,
    api_approvals,
    api_attention,
    api_audit,
    api_candidates,
    api_handovers,
    api_holds,
    api_mailboxes,
    api_messages,
    api_notices,
    api_notifications,
    api_numbers,
    api_organization,
    api_people,
    api_planned,
    api_records,
    api_resume,
    api_sequences,
    api_signatures,
    api_suppressions,
    api_tasks,
    api_team,
    api_unassigned,
    api_webhooks,
)
from web.api_call import Call, Called, RefusedError, refused
from web.api_models import REFUSALS, Asked, Withdrawal, answered, verdict_json
from web.place import path_of
from web.rooms import waits_for_others, withdraws

Kind = Literal["mailboxes", "members", "grants", "grant_requests", "sequences", "enrollments"]


class Page(BaseModel):
    """One page of a list. ``next_cursor`` is null on the last page."""

    items: list[dict[str, Any]]
    next_cursor: str | None


class Because(Asked):
    """Why, in a few words; kept in the audit trail."""

    reason: str = Field(min_length=1)


class Suppression(Asked):
    """Why this person gets no more emails."""

    reason: Literal["unsubscribed", "stopped"]
    because: str = Field(default="", max_length=200, description="How you know, in a few words.")


class GrantRequested(Asked):
    """A member asks a mailbox's owner for permission."""

    mailbox: str
    requester_id: UUID
    words: str = ""


router = APIRouter(responses=REFUSALS)
_PER_PAGE = 50
_ROUTERS = (
    api_addresses.router,
    api_answers.router,
    api_approvals.router,
    api_attention.router,
    api_audit.router,
    api_handovers.router,
    api_holds.router,
    api_mailboxes.router,
    api_messages.router,
    api_notices.router,
    api_notifications.router,
    api_resume.router,
    api_sequences.maker,
    api_sequences.router,
    api_planned.router,
    api_people.router,
    api_candidates.router,
    api_numbers.router,
    api_organization.router,
    api_records.router,
    api_signatures.router,
    api_suppressions.router,
    api_tasks.router,
    api_team.router,
    api_unassigned.router,
    api_webhooks.router,
)


def _list(call: Call, kind: Kind, cursor: str, limit: int) -> Page:
    with call.runtime.database.transaction() as tx:
        items = api_lists.page(tx, kind, call.caller.organization_id, after=_after(cursor), limit=limit + 1)
    more = len(items) > limit
    last = items[limit - 1]["id"] if more else None
    return Page(
        items=items[:limit],
        next_cursor=None if last is None else base64.urlsafe_b64encode(last.bytes).decode(),
    )


def _after(cursor: str) -> UUID | None:
    if not cursor:
        return None
    try:
        return UUID(bytes=base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, UnicodeError):
        raise InvalidInput(
            "This cursor is not valid.", where="cursor", fix="Use next_cursor of the last page."
        ) from None


def _listing(kind: Kind) -> Callable[..., Page]:
    def show(
        call: Called,
        cursor: Annotated[str, Query(max_length=100, description="next_cursor of the previous page")] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = _PER_PAGE,
    ) -> Page:
        return _list(call, kind, cursor, limit)

    return show


for _kind in get_args(Kind):
    router.add_api_route(
        f"/{_kind.replace('_', '-')}",
        _listing(_kind),
        methods=["GET"],
        name=f"list_{_kind}",
        summary=f"Your {_kind.replace('_', ' ')}",
    )


@router.post("/mailboxes/{mailbox}/test", response_model=dict[str, Any])
@waits_for_others
def test_mailbox(call: Called, mailbox: UUID) -> Response:
    """Send a test email from a mailbox to itself."""
    runtime, actor = _on(call, "mailboxes", mailbox)
    return call.do(lambda: verdict_json(verify.send_test_email(runtime, mailbox, actor=actor)))


@router.post("/mailboxes/{mailbox}/verify", response_model=dict[str, Any])
@waits_for_others
def verify_mailbox(call: Called, mailbox: UUID) -> Response:
    """Ask the provider whether a mailbox can send."""
    runtime, actor = _on(call, "mailboxes", mailbox)
    return call.do(lambda: verdict_json(verify.verify_settings(runtime, mailbox, actor=actor)))


@router.post("/mailboxes/{mailbox}/disconnect", response_model=Withdrawal)
@withdraws
def disconnect_mailbox(call: Called, mailbox: UUID) -> Response:
    """Remove a mailbox's connection; answers when no more emails can leave from it."""
    runtime, actor = _on(call, "mailboxes", mailbox)
    return call.do(lambda: answered(withdraw.disconnect_mailbox(runtime, mailbox, actor=actor)))


@router.post("/members/{member}/deactivate", response_model=Withdrawal)
@withdraws
def deactivate_member(call: Called, member: UUID) -> Response:
    """Deactivate a member who has left."""
    runtime, actor = _on(call, "members", member)
    return call.do(lambda: answered(withdraw.deactivate_member(runtime, member, actor=actor)))


@router.post("/members/{member}/reactivate", response_model=dict[str, Any])
def reactivate_member(call: Called, member: UUID) -> Response:
    """Reactivate a member; their mailboxes stay disconnected until they connect them."""
    runtime, actor = _on(call, "members", member)

    def work() -> object:
        members.reactivate_member(runtime, member, actor=actor)
        return {"id": member, "active": True}

    return call.do(work)


@router.post("/grants/{grant}/revoke", response_model=Withdrawal)
@withdraws
def revoke_grant(call: Called, grant: UUID) -> Response:
    """End a permission. Only a mailbox's owner can give one, by signing in."""
    runtime, actor = _on(call, "grants", grant)
    return call.do(lambda: answered(withdraw.revoke_grant(runtime, grant, actor=actor)))


@router.post("/grant-requests", response_model=dict[str, Any], status_code=201)
def ask_for_grant(call: Called, asked: GrantRequested) -> Response:
    """Ask a mailbox's owner for a permission for a member. The owner sees your key's name."""
    runtime, actor = _on(call, "members", asked.requester_id)

    def work() -> object:
        found = grants.ask_for_grant(
            runtime,
            mailbox=asked.mailbox,
            requester_id=asked.requester_id,
            words=asked.words,
            actor=actor,
            program=call.caller.key,
        )
        return {"id": found}

    return call.do(work, 201)


@router.post("/grant-requests/{request}/decline", response_model=dict[str, Any])
def decline_grant_request(call: Called, request: UUID) -> Response:
    """Decline a request for the mailbox's owner. Only they can accept it, by signing in."""
    runtime, actor = _on(call, "grant_requests", request)

    def work() -> object:
        grants.decline_request(runtime, request, mailbox_owner_id=None, actor=actor)
        return {"id": request, "status": "declined"}

    return call.do(work)


@router.post("/sequences/{sequence}/pause", response_model=Withdrawal)
@withdraws
def pause_sequence(call: Called, sequence: UUID, because: Because) -> Response:
    """Pause a sequence; answers when none of its emails can leave any more."""
    runtime, actor = _on(call, "sequences", sequence)
    return call.do(
        lambda: answered(withdraw.pause_sequence(runtime, sequence, actor=actor, reason=because.reason))
    )


@router.get("/sequences/{sequence}/activation", response_model=dict[str, Any])
def preview_activation(call: Called, sequence: UUID) -> dict[str, Any]:
    """What a draft lacks (blockers), and who would get what, and when, if it were activated now. Changes nothing."""
    runtime, _ = _on(call, "sequences", sequence)
    return asdict(activation.preview_activation(runtime, sequence))


@router.post("/sequences/{sequence}/activate", response_model=dict[str, Any])
def activate_sequence(call: Called, sequence: UUID) -> Response:
    """Start a draft, as its preview says; a refusal lists everything that it lacks."""
    runtime, actor = _on(call, "sequences", sequence)
    return call.do(lambda: asdict(activation.activate_sequence(runtime, sequence, actor=actor)))


@router.post("/sequences/{sequence}/deactivate", response_model=Withdrawal)
@withdraws
def deactivate_sequence(call: Called, sequence: UUID, because: Because) -> Response:
    """Set a sequence back to draft; answers when none of its emails can leave any more."""
    runtime, actor = _on(call, "sequences", sequence)
    return call.do(
        lambda: answered(withdraw.deactivate_sequence(runtime, sequence, actor=actor, reason=because.reason))
    )


@router.post("/enrollments/{enrollment}/stop", response_model=Withdrawal)
@withdraws
def stop_enrollment(call: Called, enrollment: UUID, because: Because) -> Response:
    """Stop one person in a sequence, for example because they have replied."""
    runtime, actor = _on(call, "enrollments", enrollment)
    return call.do(
        lambda: answered(withdraw.stop_enrollment(runtime, enrollment, actor=actor, reason=because.reason))
    )


@router.post("/candidates/{candidate}/suppress", response_model=Withdrawal)
@withdraws
def suppress_candidate(call: Called, candidate: UUID, why: Suppression) -> Response:
    """Suppress a person: nobody in the organization emails them again."""
    runtime, actor = _on(call, "candidates", candidate)
    return call.do(
        lambda: answered(
            withdraw.suppress_candidate(
                runtime, candidate, actor=actor, reason=why.reason, because=why.because
            )
        )
    )


def _on(call: Call, kind: str, row_id: UUID) -> tuple[Runtime, str]:
    """The runtime and the actor's name, once the row is known to be the caller's. Raises ``NotFound``."""
    call.own(kind, row_id)
    return call.runtime, call.caller.name


def make_api(runtime: Runtime) -> FastAPI:
    """The API as an application of its own, to be mounted at ``/api/v1``."""
    api = FastAPI(
        title="Onbehalf",
        version="1",
        description="Each call sees and changes only the organization of its key. Errors are problem documents (RFC 9457).",
        docs_url=None,
        redoc_url=None,
        servers=[{"url": f"{path_of(runtime.settings.public_url)}/api/v1"}],
        root_path_in_servers=False,
    )
    api.state.runtime = runtime
    for each in (router, *_ROUTERS):
        api.include_router(each)
    for kind in (OnbehalfError, RefusedError, RequestValidationError, HTTPException, Exception):
        api.add_exception_handler(kind, refused)
    return api
