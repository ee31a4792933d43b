"""Whose is it: which email of ours an incoming one is about."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from domain.listening.auto_replies import by_machine
from domain.listening.message import Incoming, Match, MatchedBy, Report, Sent

_CLOCKS_DIFFER = timedelta(minutes=2)
_REPORTED_WITHIN = timedelta(days=14)  # servers try for up to five days, and some report late
_GMAIL = ("gmail.com", "googlemail.com")


def match(incoming: Incoming, sent: Sequence[Sent], mailbox_addresses: Collection[str]) -> Match | None:
    """Return the email of ours that ``incoming`` is about, or None. ``mailbox_addresses``: the mailbox's own, in lower case.

    A subject or a conversation id alone never matches. An email of our own, or to somebody else, never does either.
    """
    newest_first = sorted(sent, key=lambda each: each.sent_at, reverse=True)
    by_id = {key(each.message_id): each for each in reversed(newest_first) if each.message_id}
    if incoming.message_id and key(incoming.message_id) in by_id:
        return None
    report = incoming.report or (Report("text") if _is_report(incoming) else None)
    if is_own(incoming, mailbox_addresses) and report is None:
        return _written_by_hand(incoming, newest_first, by_id)
    if report is not None:
        return _reported(incoming, report, newest_first, by_id)
    if found := _by_token((incoming.subject, *incoming.recipients), incoming, newest_first):
        return found
    if one := _named(incoming, by_id):
        if _is_candidate(incoming.sender, one):
            return Match(one, MatchedBy.MESSAGE_ID, "It answers our email by its Message-ID.")
        return Match(
            one,
            MatchedBy.THREAD_STRANGER,
            "It answers our email by its Message-ID, from an address that the candidate is not known by.",
        )
    for each in newest_first:
        if _is_candidate(incoming.sender, each) and _same_conversation(incoming, each):
            return Match(
                each, MatchedBy.CONVERSATION, "It comes from the candidate, in the conversation of our email."
            )
    # Only now: whoever answers quotes the link, and says more by the thread they answer in.
    if found := _by_token((incoming.text[:500],), incoming, newest_first):
        return found
    for each in newest_first:
        if _is_candidate(incoming.sender, each) and _after(incoming, each):
            return Match(
                each, MatchedBy.ADDRESS, "It comes from an address of the candidate, after our email."
            )
    return None


def is_own(incoming: Incoming, mailbox_addresses: Collection[str]) -> bool:
    """Is it from the mailbox itself?"""
    return any(same_person(incoming.sender, each) for each in mailbox_addresses)


def same_person(one: str, other: str) -> bool:
    """Are these one mailbox's addresses? What follows a plus does not count, and dots do not for Gmail."""
    return bool(one) and _plain(one) == _plain(other)


def key(message_id: str) -> str:
    """A Message-ID as compared: gateways change the case of its domain, and fold it."""
    return "".join(message_id.split()).strip("<>").casefold()


def _plain(address: str) -> str:
    local, _, domain = address.strip().casefold().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def _is_candidate(address: str, sent: Sent) -> bool:
    return any(same_person(address, each) for each in (sent.recipient, *sent.recipient_addresses))


def _after(incoming: Incoming, sent: Sent) -> bool:
    return incoming.received_at >= sent.sent_at - _CLOCKS_DIFFER


def _named(incoming: Incoming, by_id: dict[str, Sent]) -> Sent | None:
    """The newest of ours that its headers name; what it answers counts before what came earlier in the thread."""
    named = (*incoming.in_reply_to, *reversed(incoming.references))
    return next((by_id[key(each)] for each in named if key(each) in by_id), None)


def _same_conversation(incoming: Incoming, sent: Sent) -> bool:
    if incoming.conversation_id and incoming.conversation_id == sent.conversation_id:
        return True
    named = {key(each) for each in (*incoming.in_reply_to, *incoming.references)}
    return bool(named & {key(each) for each in sent.references})


def _by_token(where: Iterable[str], incoming: Incoming, sent: Iterable[Sent]) -> Match | None:
    """It names the email by a token that nobody else can make: in the opt-out address or subject, or where it quotes our link."""
    where = list(where)
    for each in sent:
        if each.token and any(each.token.casefold() in text.casefold() for text in where):
            known = _is_candidate(incoming.sender, each)
            return Match(
                each,
                MatchedBy.ADDRESS if known else MatchedBy.THREAD_STRANGER,
                "It carries the opt-out token of our email.",
            )
    return None


def _written_by_hand(incoming: Incoming, sent: Sequence[Sent], by_id: dict[str, Sent]) -> Match | None:
    """The sender's own email to the candidate. To anybody else, or by a machine, it is nobody's business."""
    if by_machine(incoming):
        return None
    named = _named(incoming, by_id)
    for each in (named, *sent) if named is not None else sent:
        if not any(_is_candidate(address, each) for address in incoming.recipients):
            continue
        if each is named:
            return Match(each, MatchedBy.MESSAGE_ID, "It goes on in the thread of our email.")
        if _same_conversation(incoming, each):
            return Match(each, MatchedBy.CONVERSATION, "It stands in the conversation of our email.")
        if _after(incoming, each):
            return Match(each, MatchedBy.ADDRESS, "It goes to an address of the candidate, after our email.")
    return None


def _is_report(incoming: Incoming) -> bool:
    """By its class alone: a provider may tell no more."""
    return (incoming.message_class or "").upper().startswith("REPORT.")


def _reported(
    incoming: Incoming, report: Report, sent: Sequence[Sent], by_id: dict[str, Sent]
) -> Match | None:
    """By the original's Message-ID, or by the recipient it names and an email of ours to them not long ago."""
    original = next((by_id[key(each)] for each in report.original_ids if key(each) in by_id), None)
    if original := original or _named(incoming, by_id):
        return Match(original, MatchedBy.MESSAGE_ID, "It reports on our email by its Message-ID.")
    for each in sent:
        recent = _after(incoming, each) and incoming.received_at - each.sent_at < _REPORTED_WITHIN
        if recent and any(_is_candidate(one.address, each) for one in report.recipients):
            return Match(
                each, MatchedBy.ADDRESS, "It reports on an email to the candidate's address, soon after ours."
            )
    return None
