"""Notices of what came in: somebody answered, is away, has left, wants no more emails, or cannot be reached."""

from domain.notice import Facts, Notice
from domain.notice_parts import compose


def candidate_answered(facts: Facts) -> Notice:
    """Somebody answered."""
    person, sequence = _person(facts), _sequence(facts)
    by = facts.payload.get("from_address")
    return compose(
        f"{person} answered",
        f"{person} answered your email in {sequence}{f', from {by}' if by else ''}.",
        _no_more(facts),
        links=[("Read the answer", _page(facts))],
    )


def candidate_away(facts: Facts) -> Notice:
    """A machine answered for somebody."""
    person, until = _person(facts), facts.payload.get("until", "later")
    day = "The automatic reply names no day of return. " if facts.payload.get("guessed") else ""
    return compose(
        f"{person} is away until {until}",
        f"{person} has automatic replies on. {day}Emails to {person} wait until {until}, in every sequence.",
        links=[("See the automatic reply", _page(facts))],
    )


def candidate_left(facts: Facts) -> Notice:
    """Somebody no longer works there."""
    person = _person(facts)
    return compose(
        f"{person} has left the company",
        f"An automatic reply says that {person} no longer works there.",
        _no_more(facts),
        links=[("See the automatic reply", _page(facts))],
    )


def address_bounced(facts: Facts) -> Notice:
    """An email could not be delivered."""
    person, address = _person(facts), facts.payload.get("address", "the address")
    why = f"The mail server of {address} says that this address does not exist."
    if facts.payload.get("gave_up"):
        why = f"The mail server of {address} refused our email each time we tried."
    return compose(
        f"The email to {person} came back",
        why,
        _no_more(facts),
        "Correct the address if you know a better one."
        + ("" if facts.payload.get("gave_up") else f" Nobody in your organization can email {address}."),
        links=[("Correct the address", f"{_page(facts)}/address")],
    )


def candidate_opted_out(facts: Facts) -> Notice:
    """Somebody wants no more emails."""
    person = _person(facts)
    return compose(
        f"{person} opted out",
        f"{person} opted out. Nobody in your organization can email this address.",
        links=[("See the person", _page(facts))],
    )


def opt_out_proposed(facts: Facts) -> Notice:
    """Somebody's words sound like an opt-out."""
    person, words = _person(facts), facts.payload.get("words", "")
    return compose(
        f"Does {person} want no more emails?",
        f"{person} wrote: “{words}”" if words else f"The answer of {person} sounds like it.",
        f"{person} gets no email until you decide.",
        links=[("Decide", _page(facts))],
    )


def answer_unclear(facts: Facts) -> Notice:
    """Nobody knows whether a person or a machine answered."""
    person, until = _person(facts), facts.payload.get("until", "tomorrow")
    return compose(
        f"Did {person} answer?",
        facts.payload.get("reason", "We could not tell whether a person or a machine wrote."),
        f"{person} gets no email until {until}. Then {_sequence(facts)} continues, unless you stop it.",
        links=[("Decide", _page(facts))],
    )


def sender_wrote(facts: Facts) -> Notice:
    """The mailbox owner wrote to somebody by hand."""
    person = _person(facts)
    who = "You" if facts.mailbox_is_mine else facts.actor
    return compose(
        f"{who} wrote to {person}",
        f"{who} wrote to {person} from {facts.mailbox} by hand.",
        _no_more(facts),
        links=[("See the conversation", _page(facts))],
    )


def _person(facts: Facts) -> str:
    return facts.payload.get("person", "A candidate")


def _sequence(facts: Facts) -> str:
    return facts.payload.get("sequence", "the sequence")


def _no_more(facts: Facts) -> str:
    others = int(facts.payload.get("others", "0"))
    more = "" if not others else f" and {others} other {'sequence' if others == 1 else 'sequences'}"
    return f"{_person(facts)} will get no more emails from {_sequence(facts)}{more}."


def _page(facts: Facts) -> str:
    return f"/people/{facts.payload.get('candidate_id', '')}"
