"""Machines' reports about an email: RFC 3464 and what Exchange, Gmail, Postfix, Exim, qmail, Yahoo and others write instead."""

import re
from collections.abc import Collection, Mapping, Sequence
from email import message_from_bytes, policy
from email.errors import MessageError

from flufl.bounce import all_failures

from domain.listening.bounces import own_words, reads_like_one
from domain.listening.message import Report, ReportedRecipient
from inbox.charsets import decoded, header_text
from inbox.headers import addresses, message_ids
from inbox.mime import Part, parts, split

_MAX_RECIPIENTS = 100
_MAX_BYTES = 300_000  # that flufl.bounce is given; it takes many passes
# Parts within parts that it is given. The standard library's parser recurses into each; where that ends at Python's limit, the
# finalizers of whatever is collected just then fail, too, unseen.
_MAX_NESTED = 20
_ORIGINALS = (
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/global-headers",
    "message/rfc822-headers",
)
_REPORT_TYPE = {
    "message/delivery-status": "delivery-status",
    "message/global-delivery-status": "delivery-status",
    "message/disposition-notification": "disposition-notification",
    "message/global-disposition-notification": "disposition-notification",
    "message/feedback-report": "feedback-report",
}
_STATUS_PARTS = tuple(_REPORT_TYPE)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
# What a server answered, quoted in the words of a report: a code of RFC 5321 and the text behind it.
_REPLY = re.compile(
    r"(?<![\d.:])(4[25][0-9]|47[0-9]|50[0-4]|511|52[013]|530|541|55[0-9]|571|441)(?:[ -]|: ?)(?=[<(#\"'\[\w])(.{3,400})"
)
_ADDRESS = re.compile(r"(?<![\w.+-])([\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,63})")
_MAX_NAMED = (
    8  # addresses in the words of a report; the first is the recipient, if none of the others is known
)
_HELPERS = re.compile(r"(?:postmaster|mailer-daemon|support|helpdesk|abuse)@")
_ID_IN_TEXT = re.compile(
    r"^[\s>]*(?:message-id|resent-message-id|x-original-message-id)\s*:\s*(<[^<>\s]{3,300}>)",
    re.IGNORECASE | re.MULTILINE,
)


def report_of(
    raw: bytes,
    found: Sequence[Part],
    headers: Mapping[str, tuple[str, ...]],
    *,
    sender: str,
    sender_name: str,
    subject: str,
    text: str,
) -> Report | None:
    """The report that this message is, or None. ``found``: its parts; ``text``: its text."""
    status = next(
        (each for each in found if each.content_type in _STATUS_PARTS and _is_outermost(each)), None
    )
    reported = headers.get("content-type", ("",))[0].lower().replace(" ", "").startswith("multipart/report")
    failed = [each for value in headers.get("x-failed-recipients", ()) for each in addresses(value)]
    ndr = "x-ms-exchange-message-is-ndr" in headers or headers.get(
        "x-ms-exchange-generated-message-source", ("",)
    )[0].lower().startswith("ndr")
    formal = status is not None or reported or failed or ndr
    if not formal and not reads_like_one(sender, sender_name, subject, text):
        return None
    recipients = _of_status(status) if status is not None else []
    kind = _REPORT_TYPE[status.content_type] if status is not None else "text"
    if reported and status is None:
        kind = _declared(headers) or "text"
    words = own_words(text)
    if kind in ("delivery-status", "text") and not recipients:
        mailbox = {each for value in headers.get("to", ()) for each in addresses(value)}
        recipients = _of_text(raw, failed, words, mailbox)
    original = next((each for each in found if each.content_type in _ORIGINALS and _is_outermost(each)), None)
    ids, original_sender, original_text = _original(original)
    ids += [each for value in headers.get("x-original-message-id", ()) for each in message_ids(value)]
    ids += [each.strip("<>") for each in _ID_IN_TEXT.findall(text[:60_000])]
    if status is not None:
        block = decoded(status.content(), "utf-8")
        ids += [
            each.strip("<>") for each in re.findall(r"(?im)^original-message-id:\s*(<[^<>\s]{3,300}>)", block)
        ]
    return Report(
        kind=kind,
        recipients=tuple(recipients[:_MAX_RECIPIENTS]),
        original_ids=tuple(dict.fromkeys(ids)),
        original_sender=original_sender,
        original_text=original_text,
        feedback=_feedback(status),
    )


def _is_outermost(part: Part) -> bool:
    """Is it the message's own, not deep in something attached?"""
    return part.depth <= 3 and all(each.startswith("multipart/") for each in part.above)


def _declared(headers: Mapping[str, tuple[str, ...]]) -> str:
    declared = re.search(
        r"report-type\s*=\s*\"?([\w-]+)", headers.get("content-type", ("",))[0], re.IGNORECASE
    )
    return declared[1].lower() if declared else ""


def _of_status(part: Part) -> list[ReportedRecipient]:
    """The fields of each recipient. The first block is about the message, unless it names one."""
    found: list[ReportedRecipient] = []
    for block in re.split(rb"\r?\n[ \t]*\r?\n", part.content()):
        fields, _ = split(block.lstrip(b"\r\n") + b"\r\n\r\n")
        named = (
            fields.get("final-recipient")
            or fields.get("original-recipient")
            or fields.get("x-actual-recipient")
        )
        original = fields.get("original-recipient")
        if not named:
            continue
        address = _typed_address((original or named)[0]) or _typed_address(named[0])
        if (
            part.content_type.startswith("message/disposition")
            or part.content_type == "message/feedback-report"
        ):
            address = _typed_address(named[0]) or address
        action = re.match(r"[a-z]*", fields.get("action", ("",))[0].strip().lower())
        status = _STATUS.search(fields.get("status", ("",))[0])
        diagnostic = header_text(fields.get("diagnostic-code", ("",))[0]).partition(";")
        said = diagnostic[2].strip() or diagnostic[0]
        if not said and "x-supplementary-info" in fields:
            said = header_text(fields["x-supplementary-info"][0])
        found.append(
            ReportedRecipient(address, action[0] if action else "", status[1] if status else "", said[:1000])
        )
        if len(found) >= _MAX_RECIPIENTS:
            break
    return found


def _typed_address(value: str) -> str:
    """The address in ``rfc822; ann@example.org``."""
    kind, _, rest = value.partition(";")
    given = rest or kind
    return next(iter(addresses(header_text(given))), "")


def _of_text(
    raw: bytes, failed: Sequence[str], text: str, mailbox: Collection[str]
) -> list[ReportedRecipient]:
    """Who a report names without a status part: in its header, by flufl.bounce, or by its own words."""
    named = [each.lower() for each in failed]
    delayed: set[str] = set()
    if not named:
        soon, never = _by_detectors(raw)
        named, delayed = sorted(never) + sorted(soon - never), soon - never
    if not named:
        written = dict.fromkeys(each.lower().rstrip(".") for each in _ADDRESS.findall(text[:6000]))
        named = [each for each in written if each not in mailbox and not _HELPERS.match(each)][:_MAX_NAMED]
    said = " ".join(text[:4000].split())
    reply = _REPLY.search(said)
    status = _STATUS.search(reply[0] if reply else said) or _STATUS.search(said)
    return [
        ReportedRecipient(
            each,
            "delayed" if each in delayed else "",
            status[1] if status else "",
            f"{reply[1]} {reply[2]}" if reply else "",
        )
        for each in named
    ]


def _by_detectors(raw: bytes) -> tuple[set[str], set[str]]:
    """What flufl.bounce finds, in a message small and flat enough for the parser that it needs: delayed and failed."""
    if (
        len(raw) > _MAX_BYTES
        or raw.count(b"\n--") > 200
        or max((each.depth for each in parts(raw)), default=0) > 6
        or _may_nest(raw) > _MAX_NESTED
    ):
        return set(), set()
    try:
        soon, never = all_failures(message_from_bytes(raw, policy=policy.compat32))
    except (MessageError, LookupError, ValueError, TypeError, AttributeError):
        # Its detectors decode whatever they are given. Nothing found is an answer, too: the words are read next.
        return set(), set()
    return {_ascii(each) for each in soon}, {_ascii(each) for each in never}


def _may_nest(raw: bytes) -> int:
    """How many parts at most hold others: each says so."""
    lower = raw.lower()
    return lower.count(b"multipart/") + lower.count(b"message/")


def _ascii(address: bytes) -> str:
    return address.decode("ascii", "replace").strip().strip("<>").lower()


def _original(part: Part | None) -> tuple[list[str], str, str]:
    if part is None:
        return [], "", ""
    content = part.content(60_000)
    fields, body = split(content.lstrip(b"\r\n"))
    ids = [each for value in fields.get("message-id", ()) for each in message_ids(value)]
    sender = next(iter(addresses(fields.get("from", ("",))[0])), "")
    return ids, sender, decoded(content[:20_000], "utf-8") if body or fields else ""


def _feedback(part: Part | None) -> str:
    if part is None or part.content_type != "message/feedback-report":
        return ""
    fields, _ = split(part.content().lstrip(b"\r\n"))
    return fields.get("feedback-type", ("",))[0].strip().lower()[:40]
