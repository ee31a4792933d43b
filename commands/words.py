"""What rows mean, in words: one enrollment in a paragraph, and on whose authority an email left."""

from collections.abc import Sequence
from typing import Any, assert_never

from domain.authority import Authority
from domain.connection import REFUSED_BY
from domain.notice import PAUSED_BECAUSE

_STUCK = (
    "Microsoft accepted {step}, but it is still in Drafts of {address}. It is never sent again by itself: send it there, or"
    " delete it."
)

_SEQUENCE = {
    "draft": "the sequence is still a draft",
    "archived": "the sequence is archived",
}


def explain(row: Any, waits: str | None = None, blockers: Sequence[str] = ()) -> str:
    """``row``: ``db.views.lookups.situation``. ``waits``, ``blockers``: what ``db.sending.waits`` and ``db.access.authority`` say of its sequence."""
    sent = f"{row.sent} email{'s' if row.sent != 1 else ''} sent"
    last = f", the last at {row.last_sent:%Y-%m-%d %H:%M:%S} UTC" if row.last_sent else ""
    return f"{row.email} in {row.sequence} from {row.address}: {sent}{last}. {_next(row, waits, blockers)}"


def _next(row: Any, waits: str | None, blockers: Sequence[str]) -> str:
    if row.suppressed:
        return f"Nothing more will be sent: the person is suppressed ({row.suppressed})."
    if row.status == "finished":
        return "All steps have been sent."
    if row.status in ("stopped", "archived"):
        return f"Nothing more will be sent: the enrollment is {row.status} ({row.reason})."
    if row.state is None:
        return "No step is planned."
    step = f"Step {row.position}"
    match row.state:
        case "sent" if row.still_draft_at:
            return _STUCK.format(step=step, address=row.address)
        case "sent":
            return f"{step} was the last one sent."
        case "closed":
            return f"{step} will not be sent: {row.delivery_reason}."
        case "review":
            return (
                f"{step} was handed to Microsoft and its fate is unknown ({row.delivery_reason}). It is never sent again by"
                f" itself; look into Sent Items of {row.address} and settle it: onbehalf review settle {row.delivery_id}"
            )
        case "in_doubt":
            return f"{step} is in doubt ({row.delivery_reason}); it is being looked for in {row.address}."
        case "queued" | "preparing" | "drafted" | "sending":
            return f"{step} is on its way ({row.state})."
    if row.status == "paused":
        return f"{step} waits: this person is paused ({row.reason})."
    if row.sequence_status == "paused":
        cause = PAUSED_BECAUSE.get(row.paused_reason, row.paused_reason).format(mailbox=row.address)
        return f"{step} waits since {row.paused_at:%Y-%m-%d %H:%M:%S} UTC: {cause}. Resume it when that is fixed."
    if row.sequence_status in _SEQUENCE:
        return f"{step} waits: {_SEQUENCE[row.sequence_status]}."
    if blockers:
        return f"{step} waits: {' '.join(blockers)}"
    if row.held:
        return f"{step} waits for a person: {row.delivery_reason}."
    if row.stuck_step:
        return f"{step} waits: {_STUCK.format(step=f'step {row.stuck_step}', address=row.address)}"
    if waits is not None:
        return f"{step} waits. {waits}"
    if row.retry_after_until and row.retry_after_until > row.now:
        until = f"{row.retry_after_until:%H:%M:%S} UTC"
        whose = REFUSED_BY[row.provider]
        match row.wait_reason:
            case "sending_limit_reached":
                return (
                    f"{step} waits: {whose} says that {row.address} has sent as much as it may for now. Emails continue by"
                    f" themselves at {until}."
                )
            case "refused_without_reason":
                return (
                    f"{step} waits: {whose} refused several emails from {row.address} in a row and named no reason. It is tried"
                    f" again at {until}."
                )
            case "operator_misconfigured":
                return f"{step} waits until {until}: Onbehalf itself is not set up correctly; its operators have been alerted."
        return f"{step} waits: {whose} asked this mailbox to wait until {until}."
    reason = f" ({row.delivery_reason})" if row.delivery_reason else ""
    if row.due_at > row.now:
        return f"{step} is planned for {row.due_at:%Y-%m-%d %H:%M:%S} UTC{reason}."
    return f"{step} is due and waits for the mailbox's pace{reason}."


def on_authority(authority: Authority, granted_by: str | None) -> str:
    """On whose authority an email left. ``granted_by``: the mailbox owner's address, where a permission was needed."""
    match authority:
        case "own_mailbox":
            return "from the sequence owner's own mailbox"
        case "sender_address":
            return "from the organization's sender address, which all its members may use"
        case "grant_to_person":
            return f"on a permission given to the owner by {granted_by}"
        case "grant_to_everyone":
            return f"on a permission given to everyone by {granted_by}"
    assert_never(authority)
