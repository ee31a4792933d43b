"""What somebody reads when something happened: what it was, what it means for them, and links to what they can do."""

from collections.abc import Sequence
from urllib.parse import quote

from domain.events import EventKind
from domain.notice import Facts, Link, Notice, TouchedSequence, why_failed

# What is wrong with a mailbox: for others, and what its owner has to do.
_TROUBLE = {
    "removed": ("is removed", "Connect it again, then give the permissions again: they ended with it."),
    "set_aside": ("is disabled", "Activate it again; settings and permissions are kept."),
    "server_unsafe": (
        "has a mail server that does not prove what it is, or does not encrypt",
        "Check the server's settings with your IT team.",
    ),
    "sign_in_expired": ("needs its owner to sign in again", "Sign in again to go on; nothing is lost."),
    "consent_missing": (
        "lacks a permission that Microsoft asked its owner for",
        "Connect it again and accept all permissions that Microsoft lists.",
    ),
    "admin_approval_required": (
        "waits for the approval of an IT administrator",
        "Send your IT administrator the link on the page of your mailbox.",
    ),
    "mailbox_unsuitable": (
        "is a shared mailbox, a room or equipment now",
        "Only a person's own mailbox can send. Ask your IT team to change it back.",
    ),
    "never_connected": ("is not connected yet", "Connect it; nothing is sent before."),
    "policy_blocked": (
        "is blocked by a policy or a limit of your organization",
        "Ask your IT team which policy it is; signing in again does not help.",
    ),
}


def write_notice(kind: EventKind, facts: Facts) -> Notice:
    """Word the notice of one event for one recipient."""
    match kind:
        case EventKind.GRANT_REVOKED | EventKind.GRANT_EXPIRED | EventKind.GRANT_MISSING:
            return _permission_over(kind, facts)
        case EventKind.MAILBOX_DISCONNECTED | EventKind.CONNECTION_LOST:
            return _cannot_send(facts)
        case EventKind.MEMBER_DEACTIVATED:
            return _member_left(facts)
        case EventKind.SEQUENCE_PAUSED:
            reason = facts.payload.get("reason", "")
            said = f" Reason: {reason}." if reason and reason != "on the Sequences page" else ""
            return _notice(
                f"{facts.actor} paused {_names([each.name for each in facts.touched]) or 'a sequence'}",
                f"{_waiting(facts.touched)}{said}",
                "Resume it when you are ready: you see first who gets what, and when.",
                links=_resume(facts.touched),
            )
        case EventKind.DELIVERY_IN_REVIEW | EventKind.DELIVERIES_FAILED | EventKind.PEOPLE_BLOCKED:
            return _decide(kind, facts)
        case EventKind.MAILBOX_RECONNECTED:
            return _works_again(facts)
        case EventKind.GRANT_GIVEN:
            giver = f"{facts.holder or facts.actor} lets you send" if facts.given_by_hand else "You may send"
            able = [each for each in facts.touched if each.authorized]
            return _notice(
                f"You may send from {facts.mailbox}",
                f"{giver} from {facts.mailbox}{facts.bounds}.",
                "" if facts.given_by_hand else f"{facts.actor} entered this permission.",
                _can_resume(able),
                links=[*_resume(able), ("See your permissions", "/settings/sequences")],
            )
        case EventKind.GRANT_ENDS_SOON:
            return _notice(
                f"Your permission to send from {facts.mailbox} ends soon",
                f"Its last day is {facts.until or facts.payload.get('until', 'near')}. {_waiting(facts.touched)}",
                "What is not sent by then waits, and nothing is lost.",
                links=[(f"Ask {facts.holder} for more time", _ask(facts.mailbox))],
            )
        case EventKind.ADMIN_APPROVED:
            return _notice(
                "Your IT team has approved Onbehalf",
                "You can connect your mailbox now. What was connected before works again by itself.",
                links=[("Connect your mailbox", "/settings/sequences")],
            )
        case EventKind.GRANT_ASKED:
            person = facts.payload.get("person", "A colleague")
            words = facts.payload.get("reason", "")
            return _notice(
                f"{person} asks to send from {facts.mailbox}",
                f"{person} would like to send sequences from your mailbox.",
                f"“{words}”" if words else "",
                "Nothing is sent from your mailbox unless you allow it.",
                links=[
                    (
                        "Answer",
                        f"/settings/sequences/requests/{facts.key}" if facts.key else "/settings/sequences",
                    )
                ],
            )
        case EventKind.GRANT_DECLINED:
            return _notice(
                f"No permission to send from {facts.mailbox}",
                f"{facts.actor} declined your request to send from {facts.mailbox}.",
            )
        case EventKind.SENT_IN_YOUR_NAME:
            ends = [line.partition(" ") for line in facts.payload.get("ends", "").splitlines()]
            return _notice(
                f"Sent in your name, {facts.payload.get('week', 'last week')}",
                f"Sent from {facts.mailbox} by others you allow:\n{facts.payload.get('lines', '')}",
                "End a permission at any time; it takes effect at once.",
                links=[
                    (f"End the permission of {name}", f"/settings/sequences/grants/{grant}/revoke")
                    for grant, _, name in ends
                ],
            )


def _permission_over(kind: EventKind, facts: Facts) -> Notice:
    mailbox, actor = facts.mailbox, facts.actor
    if facts.mailbox_is_mine:
        return _notice(
            f"{actor} ended the permission of {facts.person or 'everyone'} to send from {mailbox}",
            "Nobody sends from your mailbox on it any more. Only you can give it again.",
            links=[("See who may send", "/settings/sequences")],
        )
    holder = facts.holder or f"the owner of {mailbox}"
    match kind:
        case EventKind.GRANT_REVOKED if actor in ("Onbehalf", "somebody"):
            title = f"Your permission to send from {mailbox} was ended"
            what = f"The permission to send from {mailbox} was ended."
        case EventKind.GRANT_REVOKED:
            title = f"{actor} ended your permission to send from {mailbox}"
            what = f"{actor} ended the permission {f'of {facts.person}' if facts.person else 'for everyone'} to send from {mailbox}."
        case EventKind.GRANT_EXPIRED:
            title = f"Your permission to send from {mailbox} is over"
            what = f"It was given for a time{f', its last day was {facts.until}' if facts.until else ''}."
        case _:
            title = f"No permission to send from {mailbox}"
            what = f"{holder[:1].upper()}{holder[1:]} has not given you permission to send from {mailbox}."
    return _notice(
        title,
        what,
        _paused(facts.touched) or "No sequence of yours is paused.",
        f"Ask {holder}. When you have permission again, you see who gets what before you resume."
        if facts.touched
        else "",
        links=[(f"Ask {facts.holder or 'for permission'}", _ask(mailbox)), *_see(facts.touched)],
    )


def _cannot_send(facts: Facts) -> Notice:
    reason = facts.payload.get("reason", "removed")
    trouble, todo = _TROUBLE.get(reason, _TROUBLE["sign_in_expired"])
    by = f"{facts.actor} {'removed' if reason == 'removed' else 'disabled'} {facts.mailbox}."
    what = by if reason in ("removed", "set_aside") else f"{facts.mailbox} {trouble}."
    if facts.mailbox_is_mine or facts.for_admin:
        path = f"/settings/email/addresses/{facts.mailbox_id}" if facts.for_admin else "/settings/sequences"
        if reason == "sign_in_expired" and facts.mailbox_is_mine:
            what = f"Microsoft asks you to sign in again before we may send from {facts.mailbox}."
        return _notice(
            f"{facts.mailbox} cannot send",
            what,
            _paused(facts.touched, owners=True),
            todo,
            links=[("Connect again", path)],
        )
    if not facts.touched:
        return _notice(
            f"Your permission to send from {facts.mailbox} has ended",
            f"{by} Permissions ended with it.",
            "No sequence of yours is paused.",
        )
    holder = facts.holder or "An owner or admin of your organization"
    if reason == "removed":
        todo = f"Your permission ended with it. When {holder} has connected the mailbox again, you need a new one."
        links = [(f"Ask {facts.holder}", _ask(facts.mailbox))] if facts.holder else []
    else:
        todo = f"{holder} is told and can put it right. Then you see who gets what before you resume."
        links = []
    return _notice(
        f"Paused: {facts.mailbox} {trouble}",
        what,
        _paused(facts.touched),
        todo,
        links=[*links, *_see(facts.touched)],
    )


def _member_left(facts: Facts) -> Notice:
    person = facts.payload.get("person", "a colleague")
    return _notice(
        f"Paused: {person} is no longer active",
        f"{facts.actor} deactivated {person}.",
        _paused(facts.touched, owners=True) or "No sequence of yours depends on it.",
        "A sequence keeps its owner and its sender, so these stay paused unless the account becomes active again."
        if facts.touched
        else "",
        links=_see(facts.touched),
    )


def _decide(kind: EventKind, facts: Facts) -> Notice:
    sequence = next(iter(facts.touched), None)
    name = sequence.name if sequence else "a sequence"
    page = f"/attention?sequence={sequence.id}" if sequence and sequence.id else "/attention"
    people = _names(facts.names, facts.count) or facts.payload.get("person", "a candidate")
    several = facts.count > 1
    match kind:
        case EventKind.DELIVERY_IN_REVIEW:
            look = "Look" if facts.mailbox_is_mine or not facts.holder else f"Ask {facts.holder} to look"
            return _notice(
                f"Did the email to {people} leave?",
                f"The mail provider did not confirm the email from {facts.mailbox}, and we found no trace of it."
                " We never send it again by ourselves.",
                f"{people} gets nothing more of {name} until you decide. {look} into Sent Items of {facts.mailbox}.",
                links=[("Decide", page)],
            )
        case EventKind.DELIVERIES_FAILED:
            reason = facts.payload.get("failed_reason", "")
            return _notice(
                f"{f'{facts.count:,} emails' if several else 'An email'} of {name} failed",
                f"{why_failed(reason)} {'They' if several else 'It'} did not leave: {people}.",
                f"{'These people get' if several else 'This person gets'} no further steps unless you send again.",
                links=[("Send again or leave out", page)],
            )
        case _:
            field_name = facts.payload.get("field", "a field").replace("_", " ")
            return _notice(
                f"{field_name[:1].upper()}{field_name[1:]} is missing for {people}",
                f"The next step of {name} uses it. {'They get' if several else 'This person gets'} no email until you fill it in.",
                links=[("Fill in", page)],
            )


def _works_again(facts: Facts) -> Notice:
    able = [each for each in facts.touched if each.authorized]
    unable = [each for each in facts.touched if not each.authorized]
    holder = facts.holder or "its owner"
    if facts.mailbox_is_mine and not facts.touched:
        return _notice(f"{facts.mailbox} works again", f"We can send from {facts.mailbox} again.")
    lacks = f"{_names([each.name for each in unable])} {'needs' if len(unable) == 1 else 'need'} a new permission of {holder}."
    return _notice(
        f"{facts.mailbox} works again",
        f"We can send from {facts.mailbox} again.",
        _can_resume(able),
        lacks if unable else "",
        links=[*_resume(able), *([(f"Ask {holder}", _ask(facts.mailbox))] if unable else [])],
    )


def _notice(title: str, *paragraphs: str, links: Sequence[Link] = ()) -> Notice:
    return Notice(title, "\n\n".join(each.strip() for each in paragraphs if each.strip()), tuple(links))


def _paused(touched: Sequence[TouchedSequence], *, owners: bool = False) -> str:
    lines = [
        f"- {each.name}{f' ({each.owner})' if owners and each.owner else ''}: {_people(each.people)} waiting"
        for each in touched
    ]
    return "\n".join(["Paused:", *lines]) if lines else ""


def _waiting(touched: Sequence[TouchedSequence]) -> str:
    if len(touched) == 1:
        return f"{touched[0].name}: {_people(touched[0].people)} waiting."
    return "\n".join(f"- {each.name}: {_people(each.people)} waiting" for each in touched)


def _can_resume(touched: Sequence[TouchedSequence]) -> str:
    if not touched:
        return ""
    lines = [f"- {each.name}: {_people(each.people)} waiting" for each in touched]
    return "\n".join(["You can resume these; you see first who gets what, and when:", *lines])


def _resume(touched: Sequence[TouchedSequence]) -> list[Link]:
    if len(touched) == 1 and touched[0].id:
        return [("Resume", f"/sequences/{touched[0].id}/resume")]
    return [("Resume", "/sequences?status=paused")] if touched else []


def _see(touched: Sequence[TouchedSequence]) -> list[Link]:
    return [("See the sequences", "/sequences?status=paused")] if touched else []


def _ask(mailbox: str) -> str:
    return f"/settings/sequences?ask={quote(mailbox, safe='')}#ask"


def _names(names: Sequence[str], count: int = 0) -> str:
    shown, more = list(names[:3]), max(count, len(names)) - len(names[:3])
    if more > 0:
        return f"{', '.join(shown)} and {more} {'other' if more == 1 else 'others'}"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
