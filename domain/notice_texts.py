"""The texts of notices: what happened, what it means for the recipient, and links to what they can do."""

from domain.notice import Facts, Notice, why_failed
from domain.notice_parts import ask, can_resume, compose, hand_over, listed, paused, resume, see, waiting


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
        links=[(f"Ask {facts.mailbox_owner or 'for permission'}", ask(mailbox)), *see(facts.touched)],
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


def did_it_leave(facts: Facts) -> Notice:
    """We do not know whether emails left."""
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


def step_refused(facts: Facts) -> Notice:
    """A step's text cannot be sent to anybody."""
    step = facts.payload.get("step", "")
    name = listed([each.name for each in facts.touched]) or "a sequence"
    return compose(
        f"Step {step} of {name} cannot be sent".replace("Step  ", "A step "),
        facts.payload.get("reason", ""),
        f"Nobody got this text, and nobody was left out. {paused(facts.touched)}".strip(),
        "Correct the step, then resume. Everyone gets the corrected text.",
        links=[("Correct the step", _step(facts)), *resume(facts.touched)],
    )


def deliveries_failed(facts: Facts) -> Notice:
    """Emails failed for good."""
    name, people, page = _of_one_sequence(facts)
    several = facts.count > 1
    return compose(
        f"{f'{facts.count:,} emails' if several else 'An email'} in {name} failed",
        f"{why_failed(facts.payload.get('failed_reason', ''))} The {'emails' if several else 'email'} to {people} {'were' if several else 'was'} not sent.",
        f"{'These people get' if several else 'This person gets'} no further steps unless you send again.",
        links=[("Send again or leave out", page)],
    )


def people_blocked(facts: Facts) -> Notice:
    """A merge field is empty for somebody."""
    name, people, page = _of_one_sequence(facts)
    field_name = facts.payload.get("field", "a field").replace("_", " ")
    return compose(
        f"{field_name[:1].upper()}{field_name[1:]} is missing for {people}",
        f"The next step of {name} uses it. {'They get' if facts.count > 1 else 'This person gets'} no email until you fill it in.",
        links=[("Fill in", page)],
    )


def _step(facts: Facts) -> str:
    """Return the path of the page where the step is corrected, or of its sequence for events that name no step."""
    sequence, step = facts.payload.get("sequence_id"), facts.payload.get("step_id")
    if not sequence:
        return "/sequences?status=paused"
    return f"/sequences/{sequence}/steps/{step}" if step else f"/sequences/{sequence}"


def _of_one_sequence(facts: Facts) -> tuple[str, str, str]:
    """Return its name, its people, and the page where somebody decides about them."""
    sequence = next(iter(facts.touched), None)
    page = f"/attention?sequence={sequence.id}" if sequence and sequence.id else "/attention"
    return (
        sequence.name if sequence else "a sequence",
        listed(facts.names, facts.count) or "a candidate",
        page,
    )
