"""Is it a bounce, and of which class: hard, soft, or about the sender.

Statuses are those of RFC 3463, its registry and Exchange Online's list. Only an address that certainly never works is hard: a
status of the address says so, or words about the address do. What the sender's own quota, reputation or policy caused says nothing
about the candidate. What a server said is weighed by the table that sends go by (``domain/smtp_rules.py``), except that a refusal
which that table lays on the recipient takes words about the address. The rest is soft, and ends after three waits.
"""

import re

from domain.listening import bounce_words
from domain.listening.kinds import Bounce, BounceClass
from domain.listening.message import Incoming, Match, Report, ReportedRecipient
from domain.smtp_rules import Meaning, Stage, meaning_of

_FAILED = ("failed", "delayed", "failure", "error", "")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -])")
_OF_SENDER = re.compile(r"5\.1\.(90|8|7|20)|[45]\.7\.23\d|5\.4\.5")
_NEVER = re.compile(r"5\.1\.([1-469]|10|351)|5\.4\.(4|310)|5\.2\.1")
_OF_ADDRESS = re.compile(r"5\.1\.\d+")
_FOR_NOW = re.compile(r"4\.[07]\.\d+")
# A group or mailbox that takes email from some senders only. It exists, and nothing is wrong with our server.
_RESTRICTED = re.compile(r"5\.7\.(1[23]\d|50[4507]|513|703)")
_LATER = re.compile(r"4\.\d+\.\d+|5\.2\.(2|3|4|12\d)|5\.3\.([1-5]|190)|5\.4\.([67]|1[24]|3\d\d)|5\.6\.\d+")
_MEANINGS = {
    Meaning.RECIPIENT: None,
    Meaning.FULL: BounceClass.SOFT,
    Meaning.MESSAGE: BounceClass.SOFT,
    Meaning.LATER: BounceClass.SOFT,
    Meaning.THIS_LATER: BounceClass.SOFT,
    Meaning.RATE: BounceClass.SOFT,
    Meaning.UNCLEAR_RECIPIENT: None,
    Meaning.UNCLEAR_MESSAGE: None,
}  # None: its words decide. The others are about the sender.
_OWN_QUOTA = re.compile(r"STOREDRV\.Submission|SubmissionQuota|your (?:own )?mailbox is full", re.IGNORECASE)


def is_bounce(incoming: Incoming) -> bool:
    """Does it report that an email was not delivered, or not yet?"""
    item = (incoming.message_class or "").upper()
    if item.startswith("REPORT."):
        return item.endswith((".NDR", ".DELAYED.DR"))
    report = incoming.report
    if report is None or report.kind in ("disposition-notification", "feedback-report"):
        return False
    if report.kind == "delivery-status" and report.recipients:
        return any(each.action in _FAILED for each in report.recipients)
    return report.kind in ("delivery-status", "text")


def reads_like_one(sender: str, sender_name: str, subject: str, text: str) -> bool:
    """Does an email that is no formal report read like a server's?"""
    heading, body = subject.strip(), text[:6000]
    if bounce_words.SENDERS.match(sender):
        return any(
            each.search(body)
            for each in (bounce_words.TEXTS, bounce_words.GONE, bounce_words.CLOSED, bounce_words.FULL)
        ) or bool(bounce_words.SUBJECTS.match(heading))
    named = bool(bounce_words.SENDER_NAMES.search(sender_name)) or not sender
    said = bool(bounce_words.TEXTS.search(body[:1500]))
    return said and bool(bounce_words.SUBJECTS.match(heading)) and (named or _addresses(body) > 0)


def own_words(text: str) -> str:
    """A report's words, without the copy of the email below them."""
    copy = bounce_words.COPY.search(text)
    return text[: copy.start()] if copy and copy.start() > 40 else text


def bounce_of(incoming: Incoming, match: Match | None) -> Bounce:
    """The class of a bounce, for the recipient whom ``match`` names or the first that failed."""
    one = _recipient(incoming.report or Report("text"), match)
    text = own_words(incoming.text)[:6000]
    status = one.status
    if not status or status.endswith(".0.0"):
        status = _status_in(one.diagnostic) or ("" if one.diagnostic else _status_in(text)) or status
    delayed = (incoming.message_class or "").upper().endswith(".DELAYED.DR")
    said_so = (
        not one.action and not status and bounce_words.DELAYED.search(f"{incoming.subject}\n{text[:2000]}")
    )
    if _our_servers(status, one.diagnostic):
        kind = BounceClass.SENDER
    elif one.action == "delayed" or delayed or said_so:
        kind = BounceClass.SOFT
    else:
        kind = _class_of(status, one.diagnostic, text)
    return Bounce(kind, one.address, status)


def _our_servers(status: str, diagnostic: str) -> bool:
    """Does a server put our email off for where it comes from?"""
    return (
        bool(_FOR_NOW.fullmatch(status))
        and bool(bounce_words.OUR_SERVER.search(diagnostic))
        and not bounce_words.GREYLISTED.search(diagnostic)
    )


def _class_of(status: str, diagnostic: str, text: str) -> BounceClass:
    words = diagnostic or text
    if _OF_SENDER.fullmatch(status) or _OWN_QUOTA.search(words):
        return BounceClass.SENDER
    if not re.match(r"5\.1\.(1|10)$|[45]\.7\.", status) and _may_work_later(words):
        return BounceClass.SOFT
    by_table = _by_table(status, diagnostic) if diagnostic else None
    if _NEVER.fullmatch(status):  # of the recipient, unless the words are about the sender
        return by_table if by_table is BounceClass.SENDER else BounceClass.HARD
    if _LATER.fullmatch(status):
        return BounceClass.SOFT
    if _RESTRICTED.fullmatch(status) or "RESOLVER.RST." in words:
        return BounceClass.SOFT
    if by_table is not None:
        return by_table
    return _by_words(status, words, text)


def _may_work_later(words: str) -> bool:
    """Is it a full mailbox, a large email or a busy recipient, whatever the code?"""
    return any(
        each.search(words)
        for each in (bounce_words.FULL, bounce_words.TOO_LARGE, bounce_words.BUSY_RECIPIENT)
    )


def _by_table(status: str, diagnostic: str) -> BounceClass | None:
    """What the table of refusals says of the server's reply. A remote server answers the recipient, or the text after it."""
    code = _CODE.search(diagnostic)
    said = diagnostic[code.end() :] if code else diagnostic
    said = _STATUS.sub("", said, count=1) if status and said.strip(" -#").startswith(status) else said
    reply = " ".join(filter(None, (code[1] if code else f"{status[:1] or '5'}50", status, said.strip(" -"))))
    meaning = meaning_of(Stage.RECIPIENT, reply[:1000])
    return _MEANINGS.get(meaning, BounceClass.SENDER) if meaning is not None else None


def _by_words(status: str, words: str, text: str) -> BounceClass:
    of_us = bounce_words.SENDER.search(words) or (words != text and bounce_words.OUR_SERVER.search(words))
    if status.startswith("5.7."):  # of policy, unless a server uses it for want of a better one
        return BounceClass.HARD if bounce_words.GONE.search(words) and not of_us else BounceClass.SENDER
    if of_us:  # before words about an address: "domain of sender address does not exist"
        return BounceClass.SENDER
    for each in (words, text):
        if _may_work_later(each):
            return BounceClass.SOFT
        if bounce_words.SENDER.search(each):
            return BounceClass.SENDER
        if bounce_words.GONE.search(each) or bounce_words.CLOSED.search(each):
            return BounceClass.HARD
    # Class 5 is a permanent failure by RFC 3463, of this email. Without a reason it says nothing about the address.
    return BounceClass.HARD if _OF_ADDRESS.fullmatch(status) else BounceClass.SOFT


def _recipient(report: Report, match: Match | None) -> ReportedRecipient:
    failed = [each for each in report.recipients if each.action in _FAILED] or list(report.recipients)
    if match is not None:
        known = {match.sent.recipient, *match.sent.recipient_addresses}
        for each in failed:
            if each.address in known:
                return each
        if len(failed) != 1 and match.sent.recipient:
            first = failed[0] if failed else ReportedRecipient("")
            return ReportedRecipient(match.sent.recipient, first.action, first.status, first.diagnostic)
    return failed[0] if failed else ReportedRecipient("")


def _status_in(text: str) -> str:
    found = [".".join(each.groups()) for each in _STATUS.finditer(text)]
    return next((each for each in found if not each.startswith("2")), "")


def _addresses(text: str) -> int:
    return len(re.findall(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,100}", text[:3000]))
