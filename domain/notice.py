"""What an owner reads when something stopped: what happened, whom it touches, what to do next. Plain words only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.events import EventKind


@dataclass(frozen=True, slots=True)
class TouchedSequence:
    """A sequence of the reader's, and how many people in it are waiting (or concerned)."""

    name: str
    people: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A title of one line and a body of short paragraphs, plain text."""

    title: str
    body: str


_REASONS = {
    "removed": "was disconnected from Onbehalf",
    "set_aside": "was taken out of use",
    "server_unsafe": "has a mail server that does not prove what it is, or does not encrypt",
    "sign_in_expired": "can no longer be reached: its owner has to sign in again",
    "consent_missing": "no longer gives Onbehalf every permission it needs to send",
    "admin_approval_required": "needs the approval of your IT administrator before Onbehalf may send from it",
    "mailbox_unsuitable": "is a shared mailbox, a room or equipment now, and only a person's own mailbox can send",
    "never_connected": "has not been connected to Onbehalf yet",
    "policy_blocked": "is kept from sending by a rule or a limit of your organization",
}

# Why a sequence is paused, in half a sentence.
PAUSED_BECAUSE = {
    EventKind.GRANT_REVOKED: "the permission to send from {mailbox} was ended",
    EventKind.GRANT_EXPIRED: "the permission to send from {mailbox} was given for a time, which is over",
    EventKind.GRANT_MISSING: "there is no permission to send from {mailbox}",
    EventKind.MAILBOX_DISCONNECTED: "{mailbox} was disconnected",
    EventKind.CONNECTION_LOST: "the mail provider no longer lets us send from {mailbox}",
    EventKind.MEMBER_DEACTIVATED: "a member it depends on was deactivated",
    EventKind.SEQUENCE_PAUSED: "somebody paused the sequence",
}

_NEXT = {
    EventKind.GRANT_REVOKED: "Ask {mailbox} for permission again, or choose another sender; then resume the sequences.",
    EventKind.GRANT_EXPIRED: "Ask {mailbox} for a new permission, or choose another sender; then resume the sequences.",
    EventKind.GRANT_MISSING: "Ask {mailbox} for permission to send, or choose another sender; then resume the sequences.",
    EventKind.MAILBOX_DISCONNECTED: "Ask the owner of {mailbox} to connect it again, then resume the sequences.",
    EventKind.CONNECTION_LOST: "Ask the owner of {mailbox} to connect it again, then resume the sequences.",
    EventKind.MEMBER_DEACTIVATED: "Give the sequences another owner or sender, then resume them.",
    EventKind.SEQUENCE_PAUSED: "Resume it when you are ready; you will see first who gets what, and when.",
    EventKind.DELIVERY_IN_REVIEW: (
        "Look into the Sent Items of {mailbox}: if the email is there, mark it as sent; if not, send it again or let it be."
        " Nothing more goes to this person until you decide."
    ),
    EventKind.DELIVERIES_FAILED: "Check the addresses or the text of the step. The people concerned get no further steps.",
    EventKind.PEOPLE_BLOCKED: "Fill in what is missing or give the field a fallback, then resume these people.",
    EventKind.MAILBOX_RECONNECTED: "Nothing goes out by itself: look at who would get what, and when, and resume.",
    EventKind.GRANT_GIVEN: "Nothing goes out by itself: look at who would get what, and when, and resume.",
    EventKind.GRANT_ENDS_SOON: "Ask {mailbox} for more time; what has not left by then waits, and nothing is lost.",
    EventKind.ADMIN_APPROVED: "Connect your mailbox under Sequences settings; what was connected before is tried again by itself.",
    EventKind.GRANT_ASKED: "Answer under Sequences settings. Nothing is sent from your mailbox unless you allow it.",
    EventKind.GRANT_DECLINED: "Choose another sender, or talk to them.",
    EventKind.GRANT_TO_CONFIRM: "Look at it under Sequences settings: say that it is right, or end it. It takes effect at once.",
    EventKind.SEQUENCE_SET_BACK: "Activate it on the Sequences page when it is ready; you will see first who gets what, and when.",
    EventKind.SEQUENCE_HANDED_OVER: "Nothing goes out by itself: look at who would get what, and when, and start it on the Sequences page.",
    EventKind.SENT_IN_YOUR_NAME: "Nothing, if that is what you meant. To end a permission, open its link; it takes effect at once.",
}


def write_notice(kind: EventKind, payload: Mapping[str, str], touched: Sequence[TouchedSequence]) -> Notice:
    """Word the notice of one event for one reader. ``payload``: mailbox, actor, reason, person, field as they apply."""
    mailbox = payload.get("mailbox", "the sender's mailbox")
    actor = payload.get("actor", "somebody")
    match kind:
        case EventKind.GRANT_REVOKED:
            title = f"Paused: {mailbox} no longer lets you send"
            what = f"{actor} ended the permission to send from {mailbox}."
        case EventKind.GRANT_EXPIRED:
            title = f"Paused: your permission to send from {mailbox} has ended"
            what = f"The permission to send from {mailbox} was given for a time, which is over."
        case EventKind.GRANT_MISSING:
            title = f"Paused: no permission to send from {mailbox}"
            what = f"There is no permission to send from {mailbox}."
        case EventKind.MAILBOX_DISCONNECTED | EventKind.CONNECTION_LOST:
            reason = payload.get("reason", "removed")
            title = f"Paused: {mailbox} is {'not connected yet' if reason == 'never_connected' else 'disconnected'}"
            what = f"{mailbox} {_REASONS.get(reason, _REASONS['sign_in_expired'])}."
            if reason in ("removed", "set_aside"):
                what = f"{mailbox} was {'disconnected' if reason == 'removed' else 'taken out of use'} by {actor}."
        case EventKind.MEMBER_DEACTIVATED:
            title = f"Paused: {payload.get('person', 'a colleague')} is no longer active"
            what = f"{payload.get('person', 'A colleague')} was deactivated by {actor}."
        case EventKind.SEQUENCE_PAUSED:
            title = "Paused by " + actor
            what = f"{actor} paused it: {payload.get('reason', 'no further reason given')}."
        case EventKind.DELIVERY_IN_REVIEW:
            title = "Please check one email: did it leave?"
            what = (
                f"An email from {mailbox} to {payload.get('person', 'a candidate')} was handed over, "
                "but the answer was lost and no trace of it can be found. It will not be sent again by itself."
            )
        case EventKind.DELIVERIES_FAILED:
            title = "Some emails could not be sent"
            what = f"Emails from {mailbox} were refused for good: {payload.get('reason', 'no reason given')}."
        case EventKind.PEOPLE_BLOCKED:
            field = payload.get("field", "a field")
            title = f"Some people wait: {field} is missing"
            what = f"The next step uses {{{{{field}}}}}, which is empty for them and has no fallback."
        case EventKind.MAILBOX_RECONNECTED:
            title = f"{mailbox} is connected again"
            what = f"{mailbox} can send again."
        case EventKind.GRANT_GIVEN:
            title = f"You may send from {mailbox}"
            what = f"{actor} allowed sending from {mailbox}."
        case EventKind.GRANT_ENDS_SOON:
            title = f"Your permission to send from {mailbox} ends soon"
            what = f"The permission to send from {mailbox} ends on {payload.get('until', 'a day soon')}."
        case EventKind.ADMIN_APPROVED:
            title = "Your IT team has approved Onbehalf"
            what = "An administrator of your organization has approved Onbehalf in Microsoft Entra."
        case EventKind.GRANT_ASKED:
            person = payload.get("person", "A colleague")
            title = f"{person} asks to send from {mailbox}"
            what = f"{person} would like to send sequences from your mailbox {mailbox}."
            if words := payload.get("reason"):
                what += f"\n\nTheir words: {words}"
        case EventKind.GRANT_DECLINED:
            title = f"No permission to send from {mailbox}"
            what = f"{actor} declined your request to send from {mailbox}."
        case EventKind.GRANT_TO_CONFIRM:
            title = f"Please confirm: who may send from {mailbox}"
            what = f"{actor} gave {payload.get('person', 'colleagues')} permission to send from {mailbox}, in your name."
        case EventKind.SEQUENCE_SET_BACK:
            title = f"Set back to draft: {payload.get('sequence', 'a sequence')}"
            what = f"{actor} set {payload.get('sequence', 'a sequence')} back to draft. Nothing of it is sent now."
        case EventKind.SEQUENCE_HANDED_OVER:
            title = f"{payload.get('sequence', 'A sequence')} has another owner or sender"
            what = (
                f"{actor} changed it: {payload.get('sequence', 'the sequence')} is {payload.get('person', 'somebody')}'s now,"
                f" and sends from {mailbox}. Whoever had an email from another mailbox gets the next one in a new thread."
            )
        case EventKind.SENT_IN_YOUR_NAME:
            title = f"Sent in your name, {payload.get('week', 'last week')}"
            what = f"Sent from {mailbox} by others you allow:\n{payload.get('lines', '')}"
    lines = [what, ""]
    if touched:
        lines.append("What it touches:")
        lines += [f"- {each.name}: {_people(each.people)}" for each in touched]
        lines.append("")
    todo = _NEXT[kind].format(mailbox=mailbox)
    if kind is EventKind.GRANT_GIVEN and not touched:
        todo = f"You can choose {mailbox} as the sender of a sequence."
    lines.append("What to do: " + todo)
    return Notice(title, "\n".join(lines))


def _people(count: int) -> str:
    return {0: "nobody is waiting", 1: "1 person"}.get(count, f"{count} people")
