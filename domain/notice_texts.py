"""The texts of notices: what happened, what it means for the recipient, and links to what they can do."""

from domain.notice import Facts, Notice
from domain.notice_parts import (
    ask,
    can_resume,
    compose,
    hand_over,
    listed,
    once_over,
    paused,
    resume,
    see,
    sent_in_name,
    waiting,
)


def sequence_paused(facts: Facts) -> Notice:
    """Somebody paused a sequence."""
    reason = facts.payload.get("reason", "")
    said = f" Reason: {reason}." if reason and reason != "on the Sequences page" else ""
    return compose(
        f"{facts.actor} paused {listed([each.name for each in facts.touched]) or 'a sequence'}",
        f"{waiting(facts.touched)}{said}",
        "Resume it when you are ready. You first see who gets what, and when.",
        links=resume(facts.touched),
    )


def grant_to_confirm(facts: Facts) -> Notice:
    """Somebody gave a permission in the mailbox owner's name."""
    return compose(
        f"Confirm who may send from {facts.mailbox}",
        f"{facts.actor[:1].upper()}{facts.actor[1:]} gave {facts.payload.get('person', 'colleagues')} permission to send"
        f" from {facts.mailbox} on your behalf.",
        "Confirm the permission or end it. Ending it takes effect at once.",
        links=[("Confirm or end it", "/settings/sequences")],
    )


def first_email_waiting(facts: Facts) -> Notice:
    """The first email on a permission waits for the mailbox's owner."""
    person, sequence = facts.payload.get("person", "A colleague"), facts.payload.get("sequence", "a sequence")
    return compose(
        f"The first email of {person} from {facts.mailbox} waits for you",
        f"You asked to read the first email that {person} sends from your mailbox. It is of {sequence}, and due now.",
        "Approve it, and this permission sends by itself from then on. Until you do, nothing leaves on it.",
        links=[("Read the email", f"/settings/sequences/grants/{facts.payload.get('grant_id')}/first")],
    )


def sequence_set_back(facts: Facts) -> Notice:
    """A sequence is a draft again."""
    sequence, key = facts.payload.get("sequence", "a sequence"), facts.payload.get("sequence_id")
    return compose(
        f"{facts.actor} set {sequence} back to draft",
        f"No email from {sequence} leaves while it is a draft.",
        "Start it when you are ready. You first see who gets what, and when.",
        links=[("Start", f"/sequences/{key}/activate" if key else "/sequences?status=draft")],
    )


def sequence_handed_over(facts: Facts) -> Notice:
    """A sequence has another owner or sender."""
    sequence = facts.payload.get("sequence", "A sequence")
    return compose(
        f"{sequence} has a new owner or sender",
        f"{facts.actor} changed {sequence}. {facts.payload.get('person', 'Somebody')} owns it now, and it sends from"
        f" {facts.mailbox}. People who had an email from another mailbox get the next one in a new thread.",
        "Nothing leaves until you start or resume it. You first see who gets what, and when.",
        links=[("See the sequences", "/sequences")],
    )


def grant_given(facts: Facts) -> Notice:
    """A permission was given."""
    giver = f"{facts.mailbox_owner or facts.actor} lets you send" if facts.given_by_hand else "You may send"
    able = [each for each in facts.touched if each.authorized]
    return compose(
        f"You may send from {facts.mailbox}",
        f"{giver} from {facts.mailbox}{facts.bounds}.",
        "" if facts.given_by_hand else f"{facts.actor} entered this permission.",
        can_resume(able),
        links=[*resume(able), ("See your permissions", "/settings/sequences")],
    )


def grant_ends_soon(facts: Facts) -> Notice:
    """The last day of a permission is near."""
    return compose(
        f"Your permission to send from {facts.mailbox} ends soon",
        f"The last day is {facts.until or 'near'}. {waiting(facts.touched)}",
        "Emails that have not left by then wait. Nothing is lost.",
        links=[(f"Ask {facts.mailbox_owner} for more time", ask(facts.mailbox))],
    )


def admin_approved(facts: Facts) -> Notice:
    """The app is approved, or somebody says so."""
    if facts.payload.get("claimed"):
        return compose(
            "Onbehalf may be approved now",
            "Somebody with your approval link says that Onbehalf is approved. Connect your mailbox to find out.",
            links=[("Connect your mailbox", "/settings/sequences")],
        )
    return compose(
        "Your IT team has approved Onbehalf",
        "You can connect your mailbox now. Mailboxes that were connected before work again without a new sign-in.",
        links=[("Connect your mailbox", "/settings/sequences")],
    )


def grant_declined(facts: Facts) -> Notice:
    """The mailbox's owner declined a request."""
    return compose(
        f"No permission to send from {facts.mailbox}",
        f"{facts.actor} declined your request to send from {facts.mailbox}.",
    )


def sent_in_your_name(facts: Facts) -> Notice:
    """A week of emails from a mailbox, for its owner."""
    return compose(
        f"Sent in your name, {facts.payload.get('week', 'last week')}",
        f"People you allow sent these from {facts.mailbox}:\n{facts.payload.get('lines', '')}",
        "End a permission at any time. Ending it takes effect at once.",
        links=sent_in_name(facts.payload.get("ends", "")),
    )


def approvals_waiting(facts: Facts) -> Notice:
    """Emails wait for the recipient's approval."""
    count = int(facts.payload.get("count", "1"))
    return compose(
        f"{count:,} {'email waits' if count == 1 else 'emails wait'} for your approval",
        facts.payload.get("lines", ""),
        "Read them, then approve, edit or skip each. Nothing leaves until you do.",
        links=[("Read and approve", "/outbox/approvals")],
    )


def grant_asked(facts: Facts) -> Notice:
    """Somebody, or a program in their place, asks for a permission."""
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
    asked = facts.payload.get("request_id")
    path = f"/settings/sequences/requests/{asked}" if asked else "/settings/sequences"
    return compose(
        title,
        what,
        ((f"Message from the program: “{words}”" if program else f"“{words}”") if words else ""),
        "Nothing is sent from your mailbox unless you allow it.",
        links=[("Answer", path)],
    )


def grant_revoked(facts: Facts) -> Notice:
    """Somebody ended a permission."""
    if facts.actor in ("Onbehalf", "somebody"):
        return _permission_over(
            facts,
            f"Your permission to send from {facts.mailbox} has ended",
            f"The permission to send from {facts.mailbox} has ended.",
        )
    whose = f"of {facts.person}" if facts.person else "for everyone"
    return _permission_over(
        facts,
        f"{facts.actor} ended your permission to send from {facts.mailbox}",
        f"{facts.actor} ended the permission {whose} to send from {facts.mailbox}.",
    )


def grant_expired(facts: Facts) -> Notice:
    """A permission reached its end."""
    return _permission_over(
        facts,
        f"Your permission to send from {facts.mailbox} has expired",
        f"Its last day was {facts.until}." if facts.until else "It had an end date, which has passed.",
    )


def grant_missing(facts: Facts) -> Notice:
    """There never was a permission."""
    mailbox_owner = facts.mailbox_owner or f"the owner of {facts.mailbox}"
    return _permission_over(
        facts,
        f"No permission to send from {facts.mailbox}",
        f"{mailbox_owner[:1].upper()}{mailbox_owner[1:]} has not given you permission to send from {facts.mailbox}.",
    )


def _permission_over(facts: Facts, title: str, what: str) -> Notice:
    mailbox, actor = facts.mailbox, facts.actor
    if facts.mailbox_is_mine:
        return compose(
            f"{actor} ended the permission of {facts.person or 'everyone'} to send from {mailbox}",
            "No more emails leave your mailbox on this permission. Only you can give it again.",
            links=[("See who may send", "/settings/sequences")],
        )
    mailbox_owner = facts.mailbox_owner or f"the owner of {mailbox}"
    return compose(
        title,
        what,
        paused(facts.touched) or "None of your sequences is paused.",
        f"Ask {mailbox_owner}. When you have permission again, you see who gets what before you resume."
        if facts.touched
        else "",
        links=once_over(facts.mailbox_owner, mailbox, facts.touched, facts.mailbox_id),
    )


def member_left(facts: Facts) -> Notice:
    """A member was deactivated."""
    person = facts.payload.get("person", "a colleague")
    return compose(
        f"Paused: {person} is no longer active",
        f"{facts.actor} deactivated {person}.",
        paused(facts.touched, owners=True) or f"None of your sequences depends on {person}.",
        f"Hand them over, or have {person} reactivated, to resume." if facts.touched else "",
        links=[*hand_over(facts.touched), *see(facts.touched)],
    )
