"""What an owner reads when something stopped: what happened, whom it touches, what to do next. Plain words only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

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
    "account_disabled": "belongs to an account that is disabled, locked or deleted at Microsoft; your IT team can enable it again",
    "organization_gone": "belongs to an organization that Microsoft has deleted or blocked; only its administrators can talk to Microsoft",
    "refusal_unexplained": "is refused by Microsoft without a reason we know; connecting it again may help, and your IT team can look up the code",
    "not_assigned": "belongs to somebody who is not assigned to Onbehalf: your IT team assigns people in Microsoft Entra",
    "same_account": "is the same Microsoft account as another mailbox here, and one account is connected once",
    "consent_missing": "no longer gives Onbehalf every permission it needs to send",
    "admin_approval_required": "needs the approval of your IT administrator before Onbehalf may send from it",
    "mailbox_unsuitable": "is a shared mailbox, a room or equipment now, and only a person's own mailbox can send",
    "never_connected": "has not been connected to Onbehalf yet",
    "policy_blocked": "is kept from sending by a rule of your organization",
    "sending_blocked": "was blocked by Microsoft: it refuses every email from it (suspended, or taken for spam)",
    "send_as_denied": "may not be used as a sender by the account that is connected, says Microsoft",
    "mailbox_full": "is full, so that no email can be written in it",
}
# Who must act where signing in again helps nothing; by the reason of ``CONNECTION_LOST``.
_WHO_HELPS = {
    "policy_blocked": "Ask your IT team which rule keeps {mailbox} from sending, and to change it. Connecting it again does not help.",
    "sending_blocked": (
        "Ask your Microsoft 365 administrator to release {mailbox}: Microsoft Defender lists it under Restricted entities, or its"
        " account is suspended. Connecting it again does not help."
    ),
    "send_as_denied": (
        "Ask your Microsoft 365 administrator to let the account that is connected send as {mailbox}."
        " Connecting it again does not help."
    ),
    "mailbox_full": "The owner of {mailbox} has to make room in it. Connecting it again does not help.",
}
_PROVE_IT = (
    " Then its owner sends a test email under Sequences settings: when that leaves, {mailbox} is connected again,"
    " and you can resume the sequences."
)
_NOTICED = " Onbehalf notices within an hour when it can send again; then resume the sequences."

# What became of a sender address.
_CHANGES = {
    "set": "was added as a sender address, and is not in use yet",
    "server": "got another mail server, which is not in use yet",
    "connected": "is in use now: company sequences are sent from it",
    "out_of_use": "was taken out of use",
    "removed": "was removed",
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
    EventKind.MAILBOX_RENAMED: "Nothing: sequences go on, and recipients see the new address.",
    EventKind.GRANT_GIVEN: "Nothing goes out by itself: look at who would get what, and when, and resume.",
    EventKind.GRANT_ENDS_SOON: "Ask {mailbox} for more time; what has not left by then waits, and nothing is lost.",
    EventKind.SENDER_AWAY: "Nothing. The emails leave by themselves when {person} is back, in your sending hours.",
    EventKind.ADMIN_APPROVED: "Connect your mailbox under Sequences settings; what was connected before is tried again by itself.",
    EventKind.GRANT_ASKED: "Answer under Sequences settings. Nothing is sent from your mailbox unless you allow it.",
    EventKind.GRANT_DECLINED: "Choose another sender, or talk to them.",
    EventKind.SENDING_LIMIT_REACHED: "Nothing: emails continue by themselves. Nothing is lost, and nobody is left out.",
    EventKind.STILL_IN_DRAFTS: (
        "Open Drafts of {mailbox} and send the emails there, or delete them if these people have them or shall not get them."
        " Onbehalf never sends them again by itself; follow-ups to these people wait until the emails have left Drafts."
    ),
    EventKind.SENDER_ADDRESS_CHANGED: (
        "Nothing, if you expected it. If not, open Email settings and take the address out of use; it takes effect at once."
    ),
    EventKind.GRANT_TO_CONFIRM: "Look at it under Sequences settings: say that it is right, or end it. It takes effect at once.",
    EventKind.SEQUENCE_SET_BACK: "Activate it on the Sequences page when it is ready; you will see first who gets what, and when.",
    EventKind.SEQUENCE_HANDED_OVER: "Nothing goes out by itself: look at who would get what, and when, and start it on the Sequences page.",
    EventKind.SENT_IN_YOUR_NAME: "Nothing, if that is what you meant. To end a permission, open its link; it takes effect at once.",
}

# Where connecting again is not what helps.
_NEXT_AFTER = {
    "account_disabled": "Ask your IT team whether the account of {mailbox} can be enabled again; then its owner connects it.",
    "organization_gone": "Your organization's administrators have to settle this with Microsoft. Until then, send from a mailbox elsewhere.",
    "not_assigned": "Ask your IT team to assign the owner of {mailbox} to Onbehalf: Microsoft Entra, Enterprise applications, Onbehalf,"
    " Users and groups. The mailbox comes back by itself; then resume the sequences.",
    "admin_approval_required": "Ask your IT team to approve Onbehalf. The mailbox comes back by itself; then resume the sequences.",
    "same_account": "Send from the other mailbox of that account. The owner of both can remove this one.",
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
                f"An email from {mailbox} to {payload.get('people') or payload.get('person', 'a candidate')} was handed over, "
                "but the answer was lost and no trace of it can be found. It will not be sent again by itself."
            )
            if int(payload.get("count", "1")) > 1:
                title = f"Please check {payload['count']} emails: did they leave?"
                what = (
                    f"{payload['count']} emails from {mailbox} were handed over, but the answers were lost and no trace of them"
                    f" can be found: to {payload['people']}. They will not be sent again by themselves."
                )
            if payload.get("review_reason") == "still_in_drafts":
                what = (
                    f"Microsoft refused a second time to send what {mailbox} wrote to {payload.get('people', 'a candidate')}, and it"
                    " still lies in Drafts: it may have left the first time. It will not be sent again by itself."
                )
        case EventKind.SENDING_LIMIT_REACHED:
            provider = payload.get("provider", "Microsoft")
            title = f"{provider}'s sending limit is reached for {mailbox}"
            what = (
                f"{provider} says that {mailbox} has sent as much as it may for now. Emails continue by themselves: Onbehalf tries"
                f" again at {payload.get('until', 'a later time')}, and then every hour until {provider} takes them."
            )
            if payload.get("unexplained"):
                title = f"{provider} refuses emails from {mailbox}"
                what = (
                    f"{provider} refuses several emails from {mailbox} in a row and names no reason. Nobody is given up: Onbehalf"
                    f" tries again at {payload.get('until', 'a later time')}, and then every hour for a day."
                )
        case EventKind.STILL_IN_DRAFTS:
            count = int(payload.get("count", "1"))
            title = (
                f"{'One email has' if count == 1 else f'{count} emails have'} not left Drafts of {mailbox}"
            )
            what = (
                f"Microsoft accepted {'this email' if count == 1 else 'these emails'} but {'it is' if count == 1 else 'they are'}"
                f" still in Drafts: to {payload.get('people', 'a candidate')}."
                f" {'It has' if count == 1 else 'They have'} probably not been delivered."
            )
        case EventKind.DELIVERIES_FAILED:
            title = "Some emails could not be sent"
            why = payload.get("reason", "no reason given").rstrip(".")
            what = f"Emails from {mailbox} were refused for good: {why}."
        case EventKind.PEOPLE_BLOCKED:
            field = payload.get("field", "a field")
            title = f"Some people wait: {field} is missing"
            what = f"The next step uses {{{{{field}}}}}, which is empty for them and has no fallback."
        case EventKind.MAILBOX_RECONNECTED:
            title = f"{mailbox} is connected again"
            what = f"{mailbox} can send again."
        case EventKind.MAILBOX_RENAMED:
            before, refused = payload.get("before", "the old address"), payload.get("reason")
            title = f"Microsoft renamed {before} to {mailbox}"
            what = f"The Microsoft account of {before} has the address {mailbox} now, and sends from it."
            if refused:
                what += f" Onbehalf goes on to list it as {before}. {refused}"
        case EventKind.GRANT_GIVEN:
            title = f"You may send from {mailbox}"
            what = f"{actor} allowed sending from {mailbox}."
        case EventKind.GRANT_ENDS_SOON:
            title = f"Your permission to send from {mailbox} ends soon"
            what = f"The permission to send from {mailbox} ends on {payload.get('until', 'a day soon')}."
        case EventKind.SENDER_AWAY:
            person, count = payload.get("person", mailbox), sum(each.people for each in touched)
            until = f" until {payload['until']}" if "until" in payload else ""
            waits = "1 email waits" if count == 1 else f"{count} emails wait"
            title = f"{person} is away{until}; {waits}"
            what = f"Automatic replies are on for {mailbox}, so {person} could not answer the people you write to."
        case EventKind.ADMIN_APPROVED:
            title = "Your IT team has approved Onbehalf"
            what = "Microsoft now lets you give Onbehalf the permissions it needs."
            if payload.get("claimed"):
                title = "Onbehalf may be approved now"
                what = "Somebody with your approval link says that Onbehalf is approved. Trying to connect shows whether it is."
        case EventKind.GRANT_ASKED:
            person = payload.get("person", "A colleague")
            title = f"{person} asks to send from {mailbox}"
            what = f"{person} would like to send sequences from your mailbox {mailbox}."
            if program := payload.get("program"):
                title = f"The program {program} asks to send from {mailbox} for {person}"
                what = (
                    f"The program {program} asks that {person} may send sequences from your mailbox {mailbox}."
                    f" It asks in {person}'s place; talk to them if you did not expect it."
                )
            if words := payload.get("reason"):
                what += f"\n\n{'Its' if payload.get('program') else 'Their'} words: {words}"
        case EventKind.GRANT_DECLINED:
            title = f"No permission to send from {mailbox}"
            what = f"{actor} declined your request to send from {mailbox}."
        case EventKind.SENDER_ADDRESS_CHANGED:
            title = f"{mailbox}: {_CHANGES[payload.get('change', 'set')]}"
            what = f"{actor} changed what your company's emails are sent from. {mailbox} {_CHANGES[payload.get('change', 'set')]}."
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
    todo = _NEXT[kind].format(mailbox=mailbox, person=payload.get("person", mailbox))
    if kind is EventKind.CONNECTION_LOST:
        todo = _NEXT_AFTER.get(payload.get("reason", ""), _NEXT[kind]).format(mailbox=mailbox)
    if kind is EventKind.CONNECTION_LOST and payload.get("reason") in _WHO_HELPS:
        proof = _PROVE_IT if payload.get("proved_by") == "test_email" else _NOTICED
        todo = (_WHO_HELPS[payload["reason"]] + proof).format(mailbox=mailbox)
    if kind is EventKind.MAILBOX_RENAMED and payload.get("reason"):
        todo = "Ask an administrator of your organization to remove the other entry; the name is followed within the hour."
    if kind is EventKind.GRANT_GIVEN and not touched:
        todo = f"You can choose {mailbox} as the sender of a sequence."
    lines.append("What to do: " + todo)
    return Notice(title, "\n".join(lines))


def shown_at(moment: datetime, zone: str) -> str:
    """A time as people of that zone read it, with the zone."""
    try:
        there = moment.astimezone(ZoneInfo(zone))
    except (ValueError, OSError):  # a zone that this machine does not know
        there, zone = moment, "UTC"
    return f"{there:%H:%M} on {there.day} {there:%B} ({zone})"


def _people(count: int) -> str:
    return {0: "nobody is waiting", 1: "1 person"}.get(count, f"{count} people")
