"""The judge of listening (P9, P10): what reached a mailbox, what left after it, and whom it ended.

``Arrival.kind`` says what an incoming email truly is: a name in ``lab/emulator/answers.py``, ``wrote_by_hand`` or ``opt_out_by_token``.
Mail of any other kind concerns nobody. Whoever lets a person continue says so in the journal: a call that permits ``candidate:<id>``.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from domain.listening.consequences import SOFT_WAITS
from domain.withdrawal import RETURNS_WITHIN
from lab.drills.evidence import Email, Evidence
from lab.drills.finding import Finding
from lab.drills.heard import Enrolled, Heard, Message
from lab.emulator.records import Arrival

_CLOCKS = 0.25  # seconds by which the provider's and the database's clock readings of one moment may differ
_FOREVER = float("inf")
# What it is -> what ends the enrollment.
ENDS = {
    "reply": "answered",
    "reply_new_thread": "answered",
    "reply_from_alias": "answered",
    "reply_from_colleague": "answered",
    "calendar": "answered",
    "left_company": "left_company",
    "wrote_by_hand": "sender_wrote",
    "bounce": "bounced",
    "opt_out_by_token": "opted_out",
}
# What it is -> how it is recorded. Nothing else is.
RECORDED = {
    **dict.fromkeys((kind for kind, reason in ENDS.items() if reason == "answered"), ("answer", None)),
    "left_company": ("left_company", None),
    "wrote_by_hand": ("sender_wrote", None),
    "bounce": ("bounce", "hard"),
    "bounce_soft": ("bounce", "soft"),
    "bounce_sender": ("bounce", "sender"),
    "auto_reply": ("auto_reply", None),
    "opt_out": ("opt_out", None),
    "opt_out_by_token": ("opt_out", None),
    "unclear": ("unclear", None),
}
_EVERYWHERE = {"bounce", "opt_out_by_token", "opt_out", "unclear", "auto_reply"}  # the others: one sequence
_HOLDS = {"opt_out", "unclear", "auto_reply"}
_SUPPRESSES = {"bounce": "bounced", "opt_out_by_token": "opt_out"}
_REASONS = set(ENDS.values())


@dataclass(frozen=True, slots=True)
class _Concerns:
    """An arrival that concerns a person we had written to. ``until``: when something permits to go on (monotonic).

    ``written``: the sequences in which that mailbox had written to them.
    """

    arrival: Arrival
    enrolled: list[Enrolled]
    message: Message | None
    until: float
    written: set[int]  # the sequences that had written to them from that mailbox

    def covers(self, email: Email) -> bool:
        return any(
            (email.recipient, email.sequence) == (each.person, each.sequence) for each in self.enrolled
        )

    def could_be_read(self, email: Email, heard: Heard) -> bool:
        """Was it there to be read before this email? That is asked of the mailbox that sent the email, and of what stays in it."""
        stays = self.message is not None or not (self.arrival.hidden or self.arrival.item in heard.gone)
        return email.mailbox == self.arrival.mailbox and stays


def nothing_after_an_answer(evidence: Evidence) -> Finding:
    """P9: no follow-up is accepted 90 s after an answer was in the mailbox, and nothing passes the gate once it is recorded.

    No receipt says "no answer as of" a moment at which the answer was there.
    """
    heard = evidence.heard
    breaches, judged, latest, in_flight = [], 0, 0.0, 0
    for each in _concerned(evidence):
        if each.arrival.kind not in _HOLDS and each.arrival.kind not in ENDS:
            continue
        judged += 1
        at = each.arrival.at
        for email in evidence.emails:
            if not at < email.accepted_at < each.until or not each.covers(email):
                continue
            name = f"{email.recipient} got step {email.step}"
            since = email.accepted_at - at
            delivery = evidence.by_key.get(email.key)
            passed = None if delivery is None else delivery.passed_at
            if email.step > 1 and each.could_be_read(email, heard):
                latest = max(latest, since)
                checked = 0.0 if passed is None else heard.monotonic(passed) - at
                if since > heard.within + _CLOCKS or checked > heard.fresh + _CLOCKS:
                    breaches.append(
                        f"{name} {since:.1f} s after their {each.arrival.kind} was in the mailbox"
                    )
                said = None if delivery is None else delivery.no_answer_as_of
                if said is not None and heard.monotonic(said) > at + _CLOCKS:
                    breaches.append(
                        f"the receipt of {name} says that there was no answer"
                        f" {heard.monotonic(said) - at:.1f} s after their {each.arrival.kind} was in the mailbox"
                    )
            if each.message is None:
                continue
            late = email.accepted_at - heard.monotonic(each.message.recorded_at)
            if late <= _CLOCKS:
                continue
            if passed is None or passed > each.message.recorded_at:
                breaches.append(f"{name} {late:.1f} s after their {each.arrival.kind} was recorded")
            elif late > RETURNS_WITHIN.total_seconds() + 2:
                breaches.append(f"{name}, which was in flight, {late:.1f} s after their {each.arrival.kind}")
            else:
                in_flight += 1
    figure = f"{judged} answers, bounces, opt-outs and absences"
    if latest:
        figure += f", the last follow-up left {latest:.1f} s after one arrived"
    if in_flight:
        figure += f", {in_flight} were in flight when it was recorded"
    return Finding("nothing leaves after an answer", figure, breaches)


def heard_once(evidence: Evidence) -> Finding:
    """P10: what concerns somebody is recorded once and as what it is, and nothing else is."""
    heard = evidence.heard
    counts = Counter((each.mailbox, each.item) for each in heard.messages)
    breaches = [
        f"an email in {mailbox} is recorded {count} times"
        for (mailbox, _), count in counts.items()
        if count > 1
    ]
    arrivals = {each.item: each for each in heard.arrivals}
    for message in heard.messages:
        arrival = arrivals.get(message.item)
        if arrival is None:
            breaches.append(f"{message.kind} of {message.person} never arrived in {message.mailbox}")
        elif (true := RECORDED.get(arrival.kind)) != (message.kind, message.bounce_class):
            taken = " ".join(filter(None, (message.bounce_class, message.kind)))
            breaches.append(f"{arrival.kind or 'foreign mail'} is taken for {taken} of {message.person}")
        elif true is not None and message.person != arrival.person:
            breaches.append(f"{arrival.kind} of {arrival.person} is taken for one of {message.person}")
    unread = 0
    for each in _concerned(evidence):
        arrival = each.arrival
        if each.message is not None or arrival.hidden or arrival.item in heard.gone:
            continue
        read = heard.read_as_of.get(arrival.mailbox)
        if read is not None and heard.monotonic(read) > arrival.at + _CLOCKS:
            breaches.append(f"{arrival.kind} of {arrival.person} was read over in {arrival.mailbox}")
        else:
            unread += 1
    figure = (
        f"{len(heard.messages)} of {len(heard.arrivals)} emails concern somebody, {unread} are not read yet"
    )
    return Finding("every answer is heard once", figure, breaches)


def ended_rightly(evidence: Evidence) -> Finding:
    """P9, P10: whoever answered has ended for the right reason, and nobody else has."""
    causes: dict[tuple[str, int], set[str]] = {}
    softs: Counter[tuple[str, int]] = Counter()
    ends: dict[tuple[str, int], str] = {}
    for each in _concerned(evidence):
        for one in each.enrolled:
            key = (one.person, one.sequence)
            causes.setdefault(key, set()).add(each.arrival.kind)
            softs[key] += each.arrival.kind == "bounce_soft"
            if each.arrival.kind in ENDS and each.message is not None and each.until == _FOREVER:
                ends[key] = each.arrival.kind
    breaches = []
    for one in evidence.heard.enrolled:
        key = (one.person, one.sequence)
        kinds = causes.get(key, set())
        reasons = {ENDS[kind] for kind in kinds if kind in ENDS}
        reasons |= {"bounced"} if softs[key] > len(SOFT_WAITS) else set()
        asked = any(set(call.forbids) & set(one.keys) for call in evidence.calls)
        name = f"{one.person} in sequence {one.sequence}"
        if one.reason in _REASONS and one.reason not in reasons and not asked:
            breaches.append(f"{name} ended as {one.reason}, and there was {_words(kinds)}")
        if one.status in ("active", "paused") and key in ends:
            breaches.append(f"{name} goes on as {one.status} after {ends[key]} was recorded")
        if one.reason == "opt_out_proposed" and "opt_out" not in kinds:
            breaches.append(f"{name} is held as if they had opted out, and there was {_words(kinds)}")
        everything = {each.kind for each in evidence.heard.arrivals if each.person == one.person}
        if one.away_until is not None and "auto_reply" not in everything:
            breaches.append(f"{one.person} counts as away, and there was {_words(everything)}")
        if one.unclear_until is not None and "unclear" not in everything:
            breaches.append(f"{one.person} is held as unclear, and there was {_words(everything)}")
    counts = Counter(one.reason or "" for one in evidence.heard.enrolled if one.reason in _REASONS)
    figure = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items())) or "nobody ended"
    return Finding("whoever answered has ended, nobody else", figure, breaches)


def suppressed_rightly(evidence: Evidence) -> Finding:
    """P9: who bounced for good or opted out is on the suppression list, and nobody else is for that reason."""
    heard = evidence.heard
    breaches = []
    for each in _concerned(evidence):
        reason = _SUPPRESSES.get(each.arrival.kind)
        recorded = each.message is not None and each.until == _FOREVER
        if reason and recorded and each.arrival.person not in heard.suppressed:
            breaches.append(f"{each.arrival.person} is not suppressed after {each.arrival.kind}")
    asked = {key for call in evidence.calls for key in call.forbids}
    for address, reason in heard.suppressed.items():
        kinds = {each.kind for each in heard.arrivals if each.person == address}
        by_mail = any(_SUPPRESSES.get(kind) == reason for kind in kinds)
        by_call = any(asked & set(one.keys) for one in heard.enrolled if one.person == address)
        if reason in _SUPPRESSES.values() and not by_mail and not by_call:
            breaches.append(f"{address} is suppressed as {reason}, and there was {_words(kinds)}")
    return Finding("the suppression list is right", f"{len(heard.suppressed)} addresses", breaches)


def owners_hear_once(evidence: Evidence) -> Finding:
    """P5: each message notifies each person at most once, and the owner of the sequence that it answers hears of the end."""
    heard = evidence.heard
    breaches = [
        f"{each.recipient} has {each.notices} notices of one message"
        for each in heard.notified
        if each.notices > 1
    ]
    notified = {(each.item, each.recipient) for each in heard.notified}
    waited_for = 0
    concerned = list(_concerned(evidence))
    for one in heard.enrolled:
        asked = any(set(call.forbids) & set(one.keys) for call in evidence.calls)
        if one.status != "stopped" or one.reason not in _REASONS or asked:
            continue
        items = {
            each.message.item
            for each in concerned
            if each.message is not None
            and ENDS.get(each.arrival.kind) == one.reason
            and one in each.enrolled
            and one.sequence in each.written  # of another sequence, the owner there hears
        }
        if not items:
            continue
        waited_for += 1
        if not any((item, one.owner) in notified for item in items):
            breaches.append(f"{one.owner} was not notified that {one.person} ended ({one.reason})")
    return Finding("owners hear of every end once", f"{waited_for} ends, {len(notified)} notices", breaches)


QUESTIONS = (nothing_after_an_answer, heard_once, ended_rightly, suppressed_rightly, owners_hear_once)


def _concerned(evidence: Evidence) -> Iterator[_Concerns]:
    """Yield each arrival that concerns somebody, with the enrollments that it is about."""
    heard = evidence.heard
    messages = {each.item: each for each in heard.messages}
    for arrival in heard.arrivals:
        if arrival.kind not in RECORDED:
            continue
        written = {
            each.sequence
            for each in evidence.emails
            if each.recipient == arrival.person
            and each.mailbox == arrival.mailbox
            and each.accepted_at <= arrival.at
        }
        if not written:
            continue
        enrolled = [
            each
            for each in heard.enrolled
            if each.person == arrival.person and (arrival.kind in _EVERYWHERE or each.sequence in written)
        ]
        message = messages.get(arrival.item)
        yield _Concerns(arrival, enrolled, message, _until(evidence, arrival, enrolled, message), written)


def _until(evidence: Evidence, arrival: Arrival, enrolled: list[Enrolled], message: Message | None) -> float:
    """Return when the person may go on: somebody said so, or an absence ends."""
    keys = {key for each in enrolled for key in each.keys if key.startswith("candidate:")}
    permitted = [
        call.called_at
        for call in evidence.calls
        if keys & set(call.permits) and (call.returned_at or _FOREVER) > arrival.at
    ]
    until = min(permitted, default=_FOREVER)
    if message is None or arrival.kind not in ("auto_reply", "unclear"):
        return until
    ends = [each.away_until if arrival.kind == "auto_reply" else each.unclear_until for each in enrolled]
    known = [evidence.heard.monotonic(each) for each in ends if each is not None]
    return min(until, max(known, default=arrival.at))


def _words(kinds: set[str]) -> str:
    return ", ".join(sorted(filter(None, kinds))) or "no mail of theirs"
