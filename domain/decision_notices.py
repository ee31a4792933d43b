"""The texts of notices about emails that a person has to decide about: what happened, what it means, and links to what they can do."""

from domain.notice import Facts, Notice, why_failed
from domain.notice_parts import compose, listed, paused, resume


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
                f"{facts.words.at_start} refused a second time to send the email from {facts.mailbox} to {people}. It is still in Drafts,"
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
                f"{facts.words.at_start} refused a second time to send {count:,} emails from {facts.mailbox}: to {everybody}. They are still"
                " in Drafts, but they may have left the first time."
            )
    who = f"{people} gets" if count == 1 else "These people get"
    return compose(
        title,
        f"{what} {never}",
        "\n".join(f"- {each.name}: {each.people:,} emails" for each in facts.touched)
        if len(facts.touched) > 1
        else "",
        f"{who} nothing more from {one.name if one else 'the sequence'} until you decide. {look} in {facts.words.sent_folder} of {facts.mailbox}.",
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
