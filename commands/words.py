"""One enrollment's story in a paragraph: what was sent, what comes next, and what it waits for."""

from typing import Any

from domain.notice import PAUSED_BECAUSE

_SEQUENCE = {
    "draft": "the sequence is still a draft",
    "archived": "the sequence is archived",
}


def explain(row: Any, waits: str | None = None) -> str:
    """``row``: ``db.lookups.story``. ``waits``: what ``db.waits`` says of its sequence."""
    sent = f"{row.sent} email{'s' if row.sent != 1 else ''} sent"
    last = f", the last at {row.last_sent:%Y-%m-%d %H:%M:%S} UTC" if row.last_sent else ""
    return f"{row.email} in {row.sequence} from {row.address}: {sent}{last}. {_next(row, waits)}"


def _next(row: Any, waits: str | None) -> str:
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
        case "sent":
            return f"{step} was the last one sent."
        case "closed":
            return f"{step} will not be sent: {row.delivery_reason}."
        case "review":
            return (
                f"{step} was handed to Microsoft and its fate is unknown ({row.delivery_reason}). It is never sent again by"
                f" itself; look into Sent Items of {row.address} and settle it: onbehalf review settle {row.delivery_id}"
            )
        case "reconciling":
            return f"{step} is in doubt ({row.delivery_reason}); it is being looked for in {row.address}."
        case "queued" | "preparing" | "drafted" | "sending":
            return f"{step} is on its way ({row.state})."
    if row.status == "paused":
        return f"{step} waits: this person is paused ({row.reason})."
    if row.sequence_status == "paused":
        cause = PAUSED_BECAUSE.get(row.paused_reason, row.paused_reason).format(mailbox=row.address)
        return f"{step} waits since {row.paused_at:%Y-%m-%d %H:%M:%S} UTC: {cause}. Resume it when that is mended."
    if row.sequence_status in _SEQUENCE:
        return f"{step} waits: {_SEQUENCE[row.sequence_status]}."
    if row.mailbox_status != "connected":
        return f"{step} waits: {row.address} is not connected ({row.status_reason or 'never was'})."
    if row.held:
        return f"{step} waits for a person: {row.delivery_reason}."
    if waits is not None:
        return f"{step} waits. {waits}"
    if row.retry_after_until and row.retry_after_until > row.now:
        return (
            f"{step} waits: Microsoft asked this mailbox to wait until {row.retry_after_until:%H:%M:%S} UTC."
        )
    reason = f" ({row.delivery_reason})" if row.delivery_reason else ""
    if row.due_at > row.now:
        return f"{step} is planned for {row.due_at:%Y-%m-%d %H:%M:%S} UTC{reason}."
    return f"{step} is due and waits for the mailbox's pace{reason}."
