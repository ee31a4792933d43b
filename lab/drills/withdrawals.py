"""The judge of withdrawals and of who hears of them (P3, P5)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from domain.event_types import EVENT_TYPES
from domain.withdrawal import RETURNS_WITHIN
from lab.drills.evidence import OPEN, Email, Evidence
from lab.drills.finding import Finding
from lab.drills.journal import Call

_OF_A_NO = {"GrantRevoked", "GrantMissing", "MailboxDisconnected", "MemberDeactivated", "SequencePaused"}
# What these tell may have passed before a mail service takes it; what pauses is news while the pause stands.
_PASSES = {kind for kind, each in EVENT_TYPES.items() if each.passes}


def nothing_after_a_no(evidence: Evidence) -> Finding:
    """P3: no email is accepted between a withdrawal's return and the next permission in its scope."""
    breaches, judged, closest = [], 0, float("inf")
    emails: dict[str, list[Email]] = defaultdict(list)
    named: dict[int, str] = {}
    for email in evidence.emails:
        delivery = evidence.by_key.get(email.key)
        if delivery is None:
            continue
        named[id(email)] = delivery.id
        for key in delivery.keys:
            emails[key].append(email)
    for call, key, until in forbidden(evidence.calls):
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
    """P3: a withdrawal answers within its limit and names what is in doubt."""
    answers = [call for call in evidence.calls if call.forbids and call.done]
    seconds = sorted((call.returned_at or 0.0) - call.called_at for call in answers)
    limit = RETURNS_WITHIN.total_seconds() + 2
    breaches = [f"a withdrawal took {each:.1f} s" for each in seconds if each > limit]
    named = sum(len(call.in_doubt) for call in answers)
    figure = f"{len(seconds)} answers"
    if seconds:
        figure += f", median {seconds[len(seconds) // 2]:.2f} s, slowest {seconds[-1]:.2f} s, {named} emails named as unknown"
    return Finding("a no is answered in time", figure, breaches)


def notified_once(evidence: Evidence) -> Finding:
    """P5: each cause notifies each owner once, and every pause notifies."""
    breaches = []
    for each in evidence.notified:
        if each.pauses and each.in_app != 1:
            breaches.append(f"{each.recipient} was notified {each.in_app} times of {each.cause}")
        if each.in_app > 1 or each.by_mail > 1:
            breaches.append(
                f"{each.recipient} has {each.in_app} notices and {each.by_mail} mails of {each.cause}"
            )
    # Two causes may have the same text: there are at most as many emails as causes.
    mailed = Counter(to for entry in evidence.mails for to in entry.to)
    allowed: Counter[str] = Counter()
    for each in evidence.notified:
        allowed[each.recipient] += each.by_mail
    breaches += [
        f"{to} got {count} mails for {allowed[to]} notices"
        for to, count in mailed.items()
        if count > allowed[to]
    ]
    # Whatever the product calls its causes, nobody is notified of more withdrawals than there were.
    heard = Counter(each.recipient for each in evidence.notified if each.in_app and each.kind in _OF_A_NO)
    said: Counter[str] = Counter()
    for call in evidence.calls:
        # Removing a mailbox also ends its grants: two facts, of which either may be noticed first.
        # The mailbox's owner is notified too.
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
    """P5: trouble at the mail service only delays a notice. In the end each is emailed, or no longer news."""
    by_mail = any(each.by_mail for each in evidence.notified)  # there may be no mail service for notices
    breaches = [
        f"{each.recipient} was never mailed of {each.cause} ({each.kind})"
        for each in evidence.notified
        if by_mail
        and each.in_app
        and not (each.mailed or each.in_doubt)
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
    in_doubt = sum(each.in_doubt for each in evidence.notified)
    return Finding(
        "no notice is lost",
        f"{recorded.total()} mailed, {in_doubt} in doubt, of which {mailed.total() - recorded.total()} came",
        breaches,
    )


def stuck_emails_notify(evidence: Evidence) -> Finding:
    """P2: the owner of a sequence is notified of accepted emails that never left Drafts."""
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
    standing = {key for _, key, until in forbidden(evidence.calls) if until == float("inf")}
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


def forbidden(calls: Sequence[Call]) -> Iterator[tuple[Call, str, float]]:
    """Yield each returned withdrawal, each key it forbids, and until when (a later permission began; infinity = still)."""
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
