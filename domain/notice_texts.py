"""What somebody reads when something happened: what it was, what it means for them, and links to what they can do."""

from domain.events import EventKind
from domain.mailbox_notices import (
    cannot_send,
    limit_reached,
    renamed,
    sender_address_changed,
    sender_away,
    still_in_drafts,
    works_again,
)
from domain.notice import Facts, Notice, why_failed
from domain.notice_parts import ask, can_resume, compose, listed, paused, resume, see, waiting


def write_notice(kind: EventKind, facts: Facts) -> Notice:
    """Word the notice of one event for one recipient."""
    match kind:
        case EventKind.GRANT_REVOKED | EventKind.GRANT_EXPIRED | EventKind.GRANT_MISSING:
            return _permission_over(kind, facts)
        case EventKind.MAILBOX_DISCONNECTED | EventKind.CONNECTION_LOST:
            return cannot_send(facts)
        case EventKind.MEMBER_DEACTIVATED:
            return _member_left(facts)
        case EventKind.SEQUENCE_PAUSED:
            reason = facts.payload.get("reason", "")
            said = f" Reason: {reason}." if reason and reason != "on the Sequences page" else ""
            return compose(
                f"{facts.actor} paused {listed([each.name for each in facts.touched]) or 'a sequence'}",
                f"{waiting(facts.touched)}{said}",
                "Resume it when you are ready. You first see who gets what, and when.",
                links=resume(facts.touched),
            )
        case EventKind.DELIVERY_IN_REVIEW:
            return _did_it_leave(facts)
        case EventKind.DELIVERIES_FAILED | EventKind.PEOPLE_BLOCKED:
            return _decide(kind, facts)
        case EventKind.STEP_REFUSED:
            return _step_refused(facts)
        case EventKind.STILL_IN_DRAFTS:
            return still_in_drafts(facts)
        case EventKind.SENDING_LIMIT_REACHED:
            return limit_reached(facts)
        case EventKind.SENDER_AWAY:
            return sender_away(facts)
        case EventKind.MAILBOX_RENAMED:
            return renamed(facts)
        case EventKind.SENDER_ADDRESS_CHANGED:
            return sender_address_changed(facts)
        case EventKind.GRANT_TO_CONFIRM:
            return compose(
                f"Confirm who may send from {facts.mailbox}",
                f"{facts.payload.get('actor', 'Somebody')} gave {facts.payload.get('person', 'colleagues')} permission to send"
                f" from {facts.mailbox}, in your name.",
                "Confirm the permission or end it. Ending it takes effect at once.",
                links=[("Confirm or end it", "/settings/sequences")],
            )
        case EventKind.SEQUENCE_SET_BACK:
            sequence, key = facts.payload.get("sequence", "a sequence"), facts.payload.get("sequence_id")
            return compose(
                f"{facts.actor} set {sequence} back to draft",
                f"No email of {sequence} leaves while it is a draft.",
                "Start it when you are ready. You first see who gets what, and when.",
                links=[("Start", f"/sequences/{key}/activate" if key else "/sequences?status=draft")],
            )
        case EventKind.SEQUENCE_HANDED_OVER:
            sequence = facts.payload.get("sequence", "A sequence")
            return compose(
                f"{sequence} has a new owner or sender",
                f"{facts.actor} changed {sequence}. {facts.payload.get('person', 'Somebody')} owns it now, and it sends from"
                f" {facts.mailbox}. People who had an email from another mailbox get the next one in a new thread.",
                "Nothing leaves until you start or resume it. You first see who gets what, and when.",
                links=[("See the sequences", "/sequences")],
            )
        case EventKind.MAILBOX_RECONNECTED:
            return works_again(facts)
        case EventKind.GRANT_GIVEN:
            giver = (
                f"{facts.mailbox_owner or facts.actor} lets you send"
                if facts.given_by_hand
                else "You may send"
            )
            able = [each for each in facts.touched if each.authorized]
            return compose(
                f"You may send from {facts.mailbox}",
                f"{giver} from {facts.mailbox}{facts.bounds}.",
                "" if facts.given_by_hand else f"{facts.actor} entered this permission.",
                can_resume(able),
                links=[*resume(able), ("See your permissions", "/settings/sequences")],
            )
        case EventKind.GRANT_ENDS_SOON:
            return compose(
                f"Your permission to send from {facts.mailbox} ends soon",
                f"The last day is {facts.until or facts.payload.get('until', 'near')}. {waiting(facts.touched)}",
                "Emails that have not left by then wait. Nothing is lost.",
                links=[(f"Ask {facts.mailbox_owner} for more time", ask(facts.mailbox))],
            )
        case EventKind.ADMIN_APPROVED if facts.payload.get("claimed"):
            return compose(
                "Onbehalf may be approved now",
                "Somebody with your approval link says that Onbehalf is approved. Connect your mailbox to find out.",
                links=[("Connect your mailbox", "/settings/sequences")],
            )
        case EventKind.ADMIN_APPROVED:
            return compose(
                "Your IT team has approved Onbehalf",
                "You can connect your mailbox now. Mailboxes that were connected before work again without a new sign-in.",
                links=[("Connect your mailbox", "/settings/sequences")],
            )
        case EventKind.GRANT_ASKED:
            return _asked(facts)
        case EventKind.GRANT_DECLINED:
            return compose(
                f"No permission to send from {facts.mailbox}",
                f"{facts.actor} declined your request to send from {facts.mailbox}.",
            )
        case EventKind.SENT_IN_YOUR_NAME:
            ends = [line.partition(" ") for line in facts.payload.get("ends", "").splitlines()]
            return compose(
                f"Sent in your name, {facts.payload.get('week', 'last week')}",
                f"People you allow sent these from {facts.mailbox}:\n{facts.payload.get('lines', '')}",
                "End a permission at any time. Ending it takes effect at once.",
                links=[
                    (f"End the permission of {name}", f"/settings/sequences/grants/{grant}/revoke")
                    for grant, _, name in ends
                ],
            )


def _asked(facts: Facts) -> Notice:
    person, program = facts.payload.get("person", "A colleague"), facts.payload.get("program", "")
    words = facts.payload.get("reason", "")
    title = f"{person} asks to send from {facts.mailbox}"
    what = f"{person} would like to send sequences from your mailbox."
    if program:
        title = f"The program {program} asks you to let {person} send from {facts.mailbox}"
        what = (
            f"The program {program} asks you to let {person} send sequences from your mailbox. Talk to {person} if you did"
            " not expect this."
        )
    path = f"/settings/sequences/requests/{facts.key}" if facts.key else "/settings/sequences"
    return compose(
        title,
        what,
        ((f"Message from the program: “{words}”" if program else f"“{words}”") if words else ""),
        "Nothing is sent from your mailbox unless you allow it.",
        links=[("Answer", path)],
    )


def _permission_over(kind: EventKind, facts: Facts) -> Notice:
    mailbox, actor = facts.mailbox, facts.actor
    if facts.mailbox_is_mine:
        return compose(
            f"{actor} ended the permission of {facts.person or 'everyone'} to send from {mailbox}",
            "No more emails leave your mailbox on this permission. Only you can give it again.",
            links=[("See who may send", "/settings/sequences")],
        )
    mailbox_owner = facts.mailbox_owner or f"the owner of {mailbox}"
    match kind:
        case EventKind.GRANT_REVOKED if actor in ("Onbehalf", "somebody"):
            title = f"Your permission to send from {mailbox} has ended"
            what = f"The permission to send from {mailbox} has ended."
        case EventKind.GRANT_REVOKED:
            title = f"{actor} ended your permission to send from {mailbox}"
            what = f"{actor} ended the permission {f'of {facts.person}' if facts.person else 'for everyone'} to send from {mailbox}."
        case EventKind.GRANT_EXPIRED:
            title = f"Your permission to send from {mailbox} has expired"
            what = (
                f"Its last day was {facts.until}." if facts.until else "It had an end date, which has passed."
            )
        case _:
            title = f"No permission to send from {mailbox}"
            what = f"{mailbox_owner[:1].upper()}{mailbox_owner[1:]} has not given you permission to send from {mailbox}."
    return compose(
        title,
        what,
        paused(facts.touched) or "None of your sequences is paused.",
        f"Ask {mailbox_owner}. When you have permission again, you see who gets what before you resume."
        if facts.touched
        else "",
        links=[(f"Ask {facts.mailbox_owner or 'for permission'}", ask(mailbox)), *see(facts.touched)],
    )


def _member_left(facts: Facts) -> Notice:
    person = facts.payload.get("person", "a colleague")
    return compose(
        f"Paused: {person} is no longer active",
        f"{facts.actor} deactivated {person}.",
        paused(facts.touched, owners=True) or f"None of your sequences depends on {person}.",
        f"They stay paused until an operator reactivates {person} or hands them over."
        if facts.touched
        else "",
        links=see(facts.touched),
    )


def _did_it_leave(facts: Facts) -> Notice:
    count = max(facts.count, 1)
    people = listed(facts.names, facts.count) or facts.payload.get("person", "a candidate")
    everybody = listed(facts.names, facts.count, len(facts.names)) or people
    one = next(iter(facts.touched), None) if len(facts.touched) == 1 else None
    look = (
        "Look" if facts.mailbox_is_mine or not facts.mailbox_owner else f"Ask {facts.mailbox_owner} to look"
    )
    refused = facts.payload.get("review_reason") == "still_in_drafts"
    if count == 1:
        title, never = f"Did the email to {people} leave?", "We never send it again by ourselves."
        what = (
            f"The mail provider did not confirm the email from {facts.mailbox}, and we found no trace of it."
        )
        if refused:
            what = (
                f"Microsoft refused a second time to send the email from {facts.mailbox} to {people}. It is still in Drafts,"
                " but it may have left the first time."
            )
    else:
        title, never = (
            f"Did {count:,} emails from {facts.mailbox} leave?",
            "We never send them again by ourselves.",
        )
        what = (
            f"The mail provider did not confirm {count:,} emails from {facts.mailbox}, and we found no trace of them:"
            f" to {everybody}."
        )
        if refused:
            what = (
                f"Microsoft refused a second time to send {count:,} emails from {facts.mailbox}: to {everybody}. They are still"
                " in Drafts, but they may have left the first time."
            )
    who = f"{people} gets" if count == 1 else "These people get"
    return compose(
        title,
        f"{what} {never}",
        "\n".join(f"- {each.name}: {each.people:,} emails" for each in facts.touched)
        if len(facts.touched) > 1
        else "",
        f"{who} nothing more from {one.name if one else 'the sequence'} until you decide. {look} in Sent Items of {facts.mailbox}.",
        links=[("Decide", f"/attention?sequence={one.id}" if one and one.id else "/attention")],
    )


def _step_refused(facts: Facts) -> Notice:
    step = facts.payload.get("step", "")
    name = listed([each.name for each in facts.touched]) or "a sequence"
    return compose(
        f"Step {step} of {name} cannot be sent".replace("Step  ", "A step "),
        facts.payload.get("reason", ""),
        f"Nobody got this text, and nobody was left out. {paused(facts.touched)}".strip(),
        "Correct the step and import the sequence again. Then resume it: everybody gets the corrected text.",
        links=resume(facts.touched),
    )


def _decide(kind: EventKind, facts: Facts) -> Notice:
    sequence = next(iter(facts.touched), None)
    name = sequence.name if sequence else "a sequence"
    page = f"/attention?sequence={sequence.id}" if sequence and sequence.id else "/attention"
    people = listed(facts.names, facts.count) or "a candidate"
    several = facts.count > 1
    match kind:
        case EventKind.DELIVERIES_FAILED:
            reason = facts.payload.get("failed_reason", "")
            return compose(
                f"{f'{facts.count:,} emails' if several else 'An email'} of {name} failed",
                f"{why_failed(reason)} {'They' if several else 'It'} did not leave: {people}.",
                f"{'These people get' if several else 'This person gets'} no further steps unless you send again.",
                links=[("Send again or leave out", page)],
            )
        case _:
            field_name = facts.payload.get("field", "a field").replace("_", " ")
            return compose(
                f"{field_name[:1].upper()}{field_name[1:]} is missing for {people}",
                f"The next step of {name} uses it. {'They get' if several else 'This person gets'} no email until you fill it in.",
                links=[("Fill in", page)],
            )
