"""All that is said of an incoming email, in one call."""

from collections.abc import Collection, Sequence

from domain.listening.classify import classify
from domain.listening.kinds import Judged, Kind
from domain.listening.match import match
from domain.listening.message import Incoming, Sent
from inbox.dates import return_on


def judge(
    incoming: Incoming,
    sent: Sequence[Sent],
    mailbox_addresses: Collection[str],
    *,
    unmatched_counts: bool = False,
) -> Judged:
    """Match it, classify it, and read the return date of an automatic reply. A person's email is never searched for one.

    ``unmatched_counts``: there is nothing to compare it with; say what it would be if it concerned an email of ours.
    """
    found = match(incoming, sent, mailbox_addresses)
    said = classify(incoming, found, mailbox_addresses=mailbox_addresses, unmatched_counts=unmatched_counts)
    back = None
    if said.kind is Kind.AUTO_REPLY:
        back = return_on(incoming, found.sent.text if found else "")
    return Judged(said.kind, found, said.bounce, back, said.opt_out_words, said.why, said.complained)
