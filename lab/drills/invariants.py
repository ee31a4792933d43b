"""The judge: each promise as a question that the evidence can answer with no.

Emails are judged by what the recipient sees (address and step in the text), never by a correlation id of the product.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from domain.events import NAMES_PEOPLE, PAUSING, EventKind
from domain.withdrawal import RETURNS_WITHIN
from lab.drills.evidence import OPEN, Email, Evidence
from lab.drills.journal import Call

_SHOWN = 5
_OF_A_NO = {"GrantRevoked", "GrantMissing", "MailboxDisconnected", "MemberDeactivated", "SequencePaused"}
# What these tell may have passed before a mail service takes it; what pauses is news while the pause stands.
_PASSES = {*NAMES_PEOPLE, *PAUSING, EventKind.SENDER_AWAY, EventKind.MAILBOX_RECONNECTED}
_CLOCKS = 0.25  # seconds by which the provider's and the database's clock readings of one moment may differ


@dataclass(slots=True)
class Finding:
    """One invariant: ``figure`` in words, ``breaches`` one line each; it holds when there are none."""

    name: str
    figure: str
    breaches: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Was nothing found against it?"""
        return not self.breaches


def judge(evidence: Evidence) -> list[Finding]:
    """All invariants, in the order of the promises P1 to P8."""
    return [question(evidence) for question in _QUESTIONS]


def sent_once(evidence: Evidence) -> Finding:
    """P1: a recipient gets a step at most once."""
    counts = Counter((each.recipient, each.step) for each in evidence.emails)
    doubled = [f"{to} got step {step} {count} times" for (to, step), count in counts.items() if count > 1]
    return Finding("each step reaches each person at most once", f"{len(evidence.emails)} emails", doubled)


def accounted_for(evidence: Evidence) -> Finding:
    """P2: what the product records is what happened."""
    got = Counter((each.recipient, each.step) for each in evidence.emails)
    breaches = [
        f"{to} got step {step}, which nobody planned" for to, step in got if (to, step) not in evidence.by_key
    ]
    states: Counter[str] = Counter()
    for key, each in evidence.by_key.items():
        states[each.state] += 1
        name = f"{each.recipient} step {each.step}"
        if each.state == "sent" and not got[key] and not (each.still_draft or each.unchecked):
            breaches.append(f"{name} is recorded as sent, and nobody got it")
        if each.state in ("pending", "queued", "preparing", "drafted", "closed") and got[key]:
            breaches.append(f"{name} was received, and is recorded as {each.state} ({each.reason})")
        if each.state == "review" and not each.submitted and each.reason != "crashed_repeatedly":
            breaches.append(f"{name} is in review ({each.reason}), and was never submitted")
    shown = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return Finding("every step is accounted for", shown, breaches)


def nothing_forgotten(evidence: Evidence) -> Finding:
    """P2, when all is quiet again: nothing waits without a reason, nothing is held by nobody."""
    waiting = [
        f"{each.recipient} step {each.step} is still {each.state} ({each.reason})"
        for each in evidence.deliveries
        if each.state in OPEN
        and not (each.held or each.searched_for or each.behind_a_draft)
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


def nothing_after_a_no(evidence: Evidence) -> Finding:
    """P3: no email is taken between the return of a withdrawal and the next permission of its scope."""
    breaches, judged, closest = [], 0, float("inf")
    emails: dict[str, list[Email]] = defaultdict(list)
    named: dict[int, str] = {}
    for email in evidence.emails:
        delivery = evidence.by_key.get((email.recipient, email.step))
        if delivery is None:
            continue
        named[id(email)] = delivery.id
        for key in delivery.keys:
            emails[key].append(email)
    for call, key, until in _forbidden(evidence.calls):
        judged += 1
        returned = call.returned_at or 0.0
        for email in emails[key]:
            if email.accepted_at <= returned:
                closest = min(closest, returned - email.accepted_at)
            elif email.accepted_at < until and named[id(email)] not in call.in_doubt:
                late = email.accepted_at - returned
                breaches.append(
                    f"{email.recipient} step {email.step} left {late:.3f} s after {call.verb} of {key} returned"
                )
    figure = f"{judged} withdrawals"
    if closest < float("inf"):
        figure += f", the closest email left {closest * 1000:.0f} ms before one returned"
    return Finding("nothing leaves after a no", figure, breaches)


def answered_in_time(evidence: Evidence) -> Finding:
    """P3: a withdrawal answers, within its limit, and names what is in doubt."""
    answers = [call for call in evidence.calls if call.forbids and call.done]
    seconds = sorted((call.returned_at or 0.0) - call.called_at for call in answers)
    limit = RETURNS_WITHIN.total_seconds() + 2
    breaches = [f"a withdrawal took {each:.1f} s" for each in seconds if each > limit]
    named = sum(len(call.in_doubt) for call in answers)
    figure = f"{len(seconds)} answers"
    if seconds:
        figure += f", median {seconds[len(seconds) // 2]:.2f} s, slowest {seconds[-1]:.2f} s, {named} emails named as unknown"
    return Finding("a no is answered in time", figure, breaches)


def in_order(evidence: Evidence) -> Finding:
    """P4: steps come in order, none left out, and none before its delay."""
    breaches = []
    shortest = float("inf")
    people: dict[str, list[Email]] = defaultdict(list)
    for email in evidence.emails:
        people[email.recipient].append(email)
    for recipient, got in people.items():
        steps = [email.step for email in got]
        if steps != sorted(steps):
            breaches.append(f"{recipient} got steps in the order {steps}")
        if sorted(set(steps)) != list(range(1, len(set(steps)) + 1)):
            breaches.append(f"{recipient} got steps {sorted(set(steps))}")
        for before, after in itertools.pairwise(got):
            planned = evidence.by_key.get((recipient, after.step))
            if planned is not None and after.step == before.step + 1:
                early = planned.delay - (after.accepted_at - before.accepted_at)
                shortest = min(shortest, -early)
                if early > _CLOCKS:
                    breaches.append(f"{recipient} got step {after.step} {early:.2f} s early")
    figure = f"{len(people)} people" + (
        f", the earliest came {shortest:.2f} s after it was due" if shortest < float("inf") else ""
    )
    return Finding("steps come in order and not early", figure, breaches)


def notified_once(evidence: Evidence) -> Finding:
    """P5: each cause tells each owner once, and no pause goes untold."""
    breaches = []
    for each in evidence.notified:
        if each.pauses and each.in_app != 1:
            breaches.append(f"{each.recipient} was notified {each.in_app} times of {each.cause}")
        if each.in_app > 1 or each.by_mail > 1:
            breaches.append(
                f"{each.recipient} has {each.in_app} notices and {each.by_mail} mails of {each.cause}"
            )
    # The same words may tell of two causes: as many mails as causes, never more.
    mailed = Counter(to for entry in evidence.mails for to in entry.to)
    allowed: Counter[str] = Counter()
    for each in evidence.notified:
        allowed[each.recipient] += each.by_mail
    breaches += [
        f"{to} got {count} mails for {allowed[to]} notices"
        for to, count in mailed.items()
        if count > allowed[to]
    ]
    # Whatever the product calls its causes: nobody hears more often of a no than anybody said it.
    heard = Counter(each.recipient for each in evidence.notified if each.in_app and each.kind in _OF_A_NO)
    said: Counter[str] = Counter()
    for call in evidence.calls:
        # A removed mailbox takes its permission along: two facts, of which either may be noticed first.
        # Its mailbox's owner hears of it too.
        said.update(
            who[key]
            for who in (evidence.recipients, evidence.mailbox_owners)
            for key in call.forbids
            if key in who
        )
    breaches += [
        f"{recipient} heard {count} times of {said[recipient]} withdrawals"
        for recipient, count in heard.items()
        if count > said[recipient]
    ]
    limits = Counter(each.recipient for each in evidence.notified if each.kind == "SendingLimitReached")
    breaches += [
        f"{recipient} heard {count} times of one limit" for recipient, count in limits.items() if count > 1
    ]
    pauses = sum(each.pauses for each in evidence.notified)
    figure = f"{pauses} pauses, {sum(each.in_app for each in evidence.notified)} notices, {len(evidence.mails)} mails"
    return Finding("each cause notifies once", figure, breaches)


def no_notice_is_lost(evidence: Evidence) -> Finding:
    """P5: a mail service in trouble makes a notice late; each is mailed in the end, or what it tells has passed."""
    by_mail = any(each.by_mail for each in evidence.notified)  # a system may have no mail service for notices
    breaches = [
        f"{each.recipient} was never mailed of {each.cause} ({each.kind})"
        for each in evidence.notified
        if by_mail
        and each.in_app
        and not (each.mailed or each.doubted)
        and (each.standing or each.kind not in _PASSES)
    ]
    mailed = Counter(to for entry in evidence.mails for to in entry.to)
    recorded: Counter[str] = Counter()
    for each in evidence.notified:
        recorded[each.recipient] += each.mailed
    breaches += [
        f"{to} got {mailed[to]} mails, and {count} are recorded as sent"
        for to, count in recorded.items()
        if mailed[to] < count
    ]
    doubted = sum(each.doubted for each in evidence.notified)
    return Finding(
        "no notice is lost",
        f"{recorded.total()} mailed, {doubted} in doubt, of which {mailed.total() - recorded.total()} came",
        breaches,
    )


def stuck_emails_notify(evidence: Evidence) -> Finding:
    """P2: what was accepted and never left Drafts is in a notice to the owner of its sequence."""
    heard = {each.recipient for each in evidence.notified if each.kind == "StillInDrafts"}
    stuck = [each for each in evidence.deliveries if each.still_draft]
    breaches = [
        f"{each.recipient} step {each.step} lies in Drafts of {each.mailbox}, and its owner does not know"
        for each in stuck
        if evidence.recipients.get(each.keys[2]) not in heard
    ]
    return Finding("owners hear of what has not left Drafts", f"{len(stuck)} lie there", breaches)


def every_withdrawal_notifies(evidence: Evidence) -> Finding:
    """P5: while a permission or a connection is gone, no sequence that needs it counts as active."""
    standing = {key for _, key, until in _forbidden(evidence.calls) if until == float("inf")}
    unpaused = {
        key
        for each in evidence.deliveries
        if each.state in OPEN and each.active
        for key in each.keys
        if key in standing and key.startswith(("grant:", "mailbox:", "sequence:"))
    }
    return Finding(
        "whoever is affected was paused",
        f"{len(standing)} withdrawals stand",
        [f"{key} is forbidden, and its sequence still counts as active" for key in sorted(unpaused)],
    )


def own_sender(evidence: Evidence) -> Finding:
    """The email comes from the mailbox of its sequence and from no other address."""
    breaches = []
    for email in evidence.emails:
        planned = evidence.by_key.get((email.recipient, email.step))
        if planned is not None and not email.mailbox == email.sender == planned.mailbox:
            breaches.append(f"{email.recipient} was written to from {email.sender} in {email.mailbox}")
    return Finding(
        "the sender is the permitted one", f"{len({e.sender for e in evidence.emails})} senders", breaches
    )


def at_its_pace(evidence: Evidence) -> Finding:
    """P6: at most 30 emails of a mailbox in any 60 s, by the provider's count."""
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
    # To ask again after a refusal is what a refusal asks for, whatever became of the request.
    breaches += [line for line in evidence.violations if line.endswith("submitted again")]
    return Finding("every mailbox keeps its pace", f"at most {fastest} in 60 s", breaches)


def receipted(evidence: Evidence) -> Finding:
    """P8: one receipt for each email recorded as sent, and an audit trail that nobody has touched."""
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
    """After a disconnection returned, its tokens are gone."""
    return Finding(
        "a removed connection leaves no token",
        "0 stored" if not evidence.stored_tokens else "",
        [f"{address} is disconnected, and a token is stored" for address in evidence.stored_tokens],
    )


def _forbidden(calls: Sequence[Call]) -> Iterator[tuple[Call, str, float]]:
    """Each withdrawal that returned, each key it forbids, and until when (a later permission began; infinity = still)."""
    for call in calls:
        if not call.forbids or not call.done:
            continue
        for key in call.forbids:
            # A permission that overlaps the withdrawal may have come after it.
            later = [
                other.called_at
                for other in calls
                if key in other.permits and (other.returned_at or float("inf")) > call.called_at
            ]
            until = min(later, default=float("inf"))
            if until > (call.returned_at or 0.0):
                yield call, key, until


_QUESTIONS: tuple[Callable[[Evidence], Finding], ...] = (
    sent_once,
    accounted_for,
    nothing_forgotten,
    nothing_after_a_no,
    answered_in_time,
    in_order,
    notified_once,
    no_notice_is_lost,
    stuck_emails_notify,
    every_withdrawal_notifies,
    own_sender,
    at_its_pace,
    receipted,
    tokens_erased,
)


def lines(findings: list[Finding]) -> list[str]:
    """For a log: one line each, with the first breaches."""
    out = []
    for each in findings:
        out.append(f"{'holds ' if each.holds else 'BROKEN'} {each.name}: {each.figure}")
        out += [f"         {breach}" for breach in each.breaches[:_SHOWN]]
    return out
