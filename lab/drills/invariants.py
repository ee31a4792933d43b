"""The judge: each promise as a question that the evidence can answer with no.

It identifies emails by what the recipient sees (address, and sequence and step in the text), never by the product's correlation ids.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable

from domain.delivery import LIMIT_REACHED
from lab.drills import answers, withdrawals
from lab.drills.evidence import OPEN, Email, Evidence
from lab.drills.finding import Finding

_CLOCKS = 0.25  # seconds by which the provider's and the database's clock readings of one moment may differ


def judge(evidence: Evidence) -> list[Finding]:
    """Check all invariants, in the order of the promises P1 to P10."""
    return [question(evidence) for question in _QUESTIONS]


def judge_early(evidence: Evidence) -> list[Finding]:
    """Check, while work goes on, the invariants that no later event can undo."""
    return [question(evidence) for question in _NEVER]


def sent_once(evidence: Evidence) -> Finding:
    """P1: a recipient gets a step at most once."""
    counts = Counter(each.key for each in evidence.emails)
    doubled = [f"{to} got step {step} {count} times" for (to, _, step), count in counts.items() if count > 1]
    return Finding("each step reaches each person at most once", f"{len(evidence.emails)} emails", doubled)


def accounted_for(evidence: Evidence) -> Finding:
    """P2: what the product records is what happened."""
    got = Counter(each.key for each in evidence.emails)
    breaches = [
        f"{key[0]} got step {key[2]}, which nobody planned" for key in got if key not in evidence.by_key
    ]
    states: Counter[str] = Counter()
    for key, each in evidence.by_key.items():
        states[each.state] += 1
        name = f"{each.recipient} step {each.step}"
        if each.state == "sent" and not got[key] and not (each.still_draft or each.unchecked):
            breaches.append(f"{name} is recorded as sent, and nobody got it")
        if each.state in ("pending", "queued", "preparing", "drafted", "closed") and got[key]:
            breaches.append(f"{name} was received, and is recorded as {each.state} ({each.reason})")
        if each.outcome == "failed" and each.reason == LIMIT_REACHED:
            breaches.append(f"{name} was given up for a limit that ends by itself")
        if each.state == "review" and not each.submitted and each.reason != "crashed_repeatedly":
            breaches.append(f"{name} is in review ({each.reason}), and was never submitted")
    shown = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return Finding("every step is accounted for", shown, breaches)


def nothing_forgotten(evidence: Evidence) -> Finding:
    """P2, once all is quiet: nothing waits without a reason, and nothing is stuck."""
    waiting = [
        f"{each.recipient} step {each.step} is still {each.state} ({each.reason})"
        for each in evidence.deliveries
        if each.state in OPEN
        and not (each.held or each.searched_for or each.behind_a_draft or each.put_off)
        and (each.active or each.state not in ("pending", "queued"))
    ]
    breaches = waiting + [f"{count} {what}" for what, count in evidence.leaked.items() if count]
    breaches += [f"{person} is on the way, and no step is planned" for person in evidence.forgotten]
    if evidence.parked_jobs:
        breaches.append(f"{evidence.parked_jobs} jobs were given up")
    searched_for = sum(each.searched_for for each in evidence.deliveries)
    paused = sum(each.state in OPEN for each in evidence.deliveries) - len(waiting) - searched_for
    figure = (
        f"{paused} wait for a person, {searched_for} in doubt are looked for, {len(waiting)} wait for nobody"
    )
    return Finding("nothing is forgotten", figure, breaches)


def in_order(evidence: Evidence) -> Finding:
    """P4: steps come in order, none is left out, and none comes before its delay."""
    breaches = []
    shortest = float("inf")
    people: dict[tuple[str, int], list[Email]] = defaultdict(list)
    for email in evidence.emails:
        people[email.recipient, email.sequence].append(email)
    for (recipient, sequence), got in people.items():
        steps = [email.step for email in got]
        if steps != sorted(steps):
            breaches.append(f"{recipient} got steps in the order {steps}")
        if sorted(set(steps)) != list(range(1, len(set(steps)) + 1)):
            breaches.append(f"{recipient} got steps {sorted(set(steps))}")
        for before, after in itertools.pairwise(got):
            planned = evidence.by_key.get((recipient, sequence, after.step))
            if planned is not None and after.step == before.step + 1:
                early = planned.delay - (after.accepted_at - before.accepted_at)
                shortest = min(shortest, -early)
                if early > _CLOCKS:
                    breaches.append(f"{recipient} got step {after.step} {early:.2f} s early")
    figure = f"{len(people)} people" + (
        f", the earliest came {shortest:.2f} s after it was due" if shortest < float("inf") else ""
    )
    return Finding("steps come in order and not early", figure, breaches)


def own_sender(evidence: Evidence) -> Finding:
    """Every email comes from its sequence's mailbox and from no other address."""
    breaches = []
    for email in evidence.emails:
        planned = evidence.by_key.get(email.key)
        if planned is not None and not email.mailbox == email.sender == planned.mailbox:
            breaches.append(f"{email.recipient} was written to from {email.sender} in {email.mailbox}")
    return Finding(
        "the sender is the permitted one", f"{len({e.sender for e in evidence.emails})} senders", breaches
    )


def at_its_pace(evidence: Evidence) -> Finding:
    """P6: at most 30 emails per mailbox in any 60 s, by the provider's count."""
    fastest = 0
    breaches = []
    mailboxes: dict[str, list[float]] = defaultdict(list)
    for email in evidence.emails:
        mailboxes[email.mailbox].append(email.accepted_at)
    for mailbox, moments in mailboxes.items():
        most = max(sum(start <= at < start + 60 for at in moments) for start in moments)
        fastest = max(fastest, most)
        if most > 30:
            breaches.append(f"{mailbox} sent {most} in 60 s")
    # Asking again after a refusal is right, whatever happened to the request.
    breaches += [line for line in evidence.violations if line.endswith("submitted again")]
    return Finding("every mailbox keeps its pace", f"at most {fastest} in 60 s", breaches)


def receipted(evidence: Evidence) -> Finding:
    """P8: one receipt for each email recorded as sent, and an intact audit trail."""
    breaches = [
        f"{each.recipient} step {each.step} is {each.state} with {each.receipts} receipts"
        for each in evidence.deliveries
        if each.receipts != (each.state == "sent")
    ]
    sent = sum(each.state == "sent" for each in evidence.deliveries)
    if evidence.chain_breaks_at is not None:
        breaches.append(f"the audit trail breaks at entry {evidence.chain_breaks_at}")
    if evidence.broken_receipts:
        breaches.append(f"{evidence.broken_receipts} receipts are not what the audit trail says")
    if evidence.audited_as_sent != sent:
        breaches.append(f"the audit trail tells of {evidence.audited_as_sent} emails, {sent} are recorded")
    return Finding("every email has its receipt", f"{sent} receipts, chain verified", breaches)


def tokens_erased(evidence: Evidence) -> Finding:
    """After a disconnection has returned, its tokens are gone."""
    return Finding(
        "a removed connection leaves no token",
        "0 stored" if not evidence.stored_tokens else "",
        [f"{address} is disconnected, and a token is stored" for address in evidence.stored_tokens],
    )


_QUESTIONS: tuple[Callable[[Evidence], Finding], ...] = (
    sent_once,
    accounted_for,
    nothing_forgotten,
    withdrawals.nothing_after_a_no,
    withdrawals.answered_in_time,
    in_order,
    withdrawals.notified_once,
    withdrawals.no_notice_is_lost,
    withdrawals.stuck_emails_notify,
    withdrawals.every_withdrawal_notifies,
    own_sender,
    at_its_pace,
    receipted,
    tokens_erased,
    *answers.QUESTIONS,
)
_NEVER = (sent_once, withdrawals.nothing_after_a_no, in_order, own_sender, at_its_pace)
