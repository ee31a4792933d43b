"""What is it: bounce, automatic reply, opt-out or answer, in this order."""

import re
from collections.abc import Collection

from domain.listening import left_company
from domain.listening.auto_replies import Sign, answered, auto_reply, from_robot, is_notification, to_many
from domain.listening.bounces import bounce_of, is_bounce
from domain.listening.kinds import Bounce, BounceClass, Classified, Kind
from domain.listening.match import is_own
from domain.listening.message import Incoming, Match, MatchedBy
from domain.listening.opt_outs import opt_out_words
from domain.listening.quoted import newly_written
from domain.opt_out import without_code

_BOUNCED = {
    BounceClass.HARD: "A server says that {who} will never get our email{status}.",
    BounceClass.SOFT: "A server could not deliver our email to {who} this time{status}.",
    BounceClass.SENDER: "A server refused our email to {who} because of the sender{status}.",
}
_RECEIPT_CLASSES = (".IPNRN", ".IPNNRN", ".DR")
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
_CALENDARS = re.compile(
    r"\b(?:has|have) (?:tentatively )?(?:accepted|declined)|\bhat (?:diese|die|ihre|deine) (?:einladung|besprechung|termin)|\ba (?:accepté|décliné|refusé)|\bha (?:aceptado|rechazado|accettato|rifiutato)|\b(?:aceitou|recusou)\b|\bheeft [^.\n]{0,40}(?:geaccepteerd|afgewezen)|zaakceptował|odrzucił|принял|отклонил|承諾|辞退|已接受|已拒绝",
    re.IGNORECASE,
)
_OPT_OUT_SUBJECT = re.compile(
    r"\s*(?:(?:re|aw|sv|antw|odp|rv)\s*:\s*)?(?:unsubscribe|opt[- ]?out|remove(?: me)?|stop|abmelden|abmeldung|désabonnement|désinscription|baja|darme de baja|cancellami|disiscrizione|descadastrar|remover|afmelden|uitschrijven|wypisz|配信停止|退订)\b(?P<rest>.*)",
    re.IGNORECASE,
)


def classify(
    incoming: Incoming,
    match: Match | None,
    *,
    mailbox_addresses: Collection[str] = (),
    unmatched_counts: bool = False,
) -> Classified:
    """Say what an incoming email is, and why.

    ``match``: what ``match`` found. ``unmatched_counts``: there was nothing to compare it with; say what it would be if it
    concerned an email of ours.
    """
    written = newly_written(incoming.text, match.sent.text if match else "")
    if is_bounce(incoming):
        bounce = bounce_of(incoming, match)
        return Classified(Kind.BOUNCE, _bounced(bounce), bounce)
    if receipt := _receipt(incoming):
        return receipt
    if is_own(incoming, mailbox_addresses):
        if match is None:
            return Classified(
                Kind.OTHER, "It comes from the mailbox itself, and goes to no candidate by hand."
            )
        return Classified(Kind.SENDER_WROTE, f"The sender wrote to the candidate by hand. {match.why}")
    concerns = match is not None or unmatched_counts
    if many := _list_mail(incoming, written, match):
        return Classified(Kind.OTHER, f"It is mail to many ({many}).")
    if _is_calendars(incoming, written):
        return Classified(Kind.OTHER, "A calendar answers an invitation.")
    if automatic := _by_machine(incoming, written, match, concerns=concerns):
        return automatic
    if not concerns:
        return Classified(Kind.OTHER, "It answers no email of ours, and comes from no candidate.")
    return _by_person(incoming, written, match)


def _list_mail(incoming: Incoming, written: str, match: Match | None) -> str:
    """The header by which it is mail to many and answers nobody, or ""."""
    many = to_many(incoming)
    if not many or (match is not None and match.matched_by is not MatchedBy.ADDRESS):
        return ""
    if not many.startswith("Precedence"):
        return many
    automatic = auto_reply(incoming, written)  # old programs mark their absence notices so, too
    return "" if automatic is not None and automatic.sign is Sign.CERTAIN else many


def _is_calendars(incoming: Incoming, written: str) -> bool:
    """Is it a calendar's answer to an invitation, without a word of the person's own?"""
    item = (incoming.message_class or "").lower()
    answers = incoming.calendar == "REPLY" or item.startswith("ipm.schedule.meeting.resp")
    return answers and (not written.strip() or bool(_CALENDARS.search(written[:500])))


def _bounced(bounce: Bounce) -> str:
    status = f" (status {bounce.status})" if bounce.status else ""
    return _BOUNCED[bounce.kind].format(who=bounce.recipient or "its recipient", status=status)


def _receipt(incoming: Incoming) -> Classified | None:
    """Reports that are no bounces: read, delivered, marked as spam."""
    item = (incoming.message_class or "").upper()
    report = incoming.report
    if report is not None and report.kind == "feedback-report":
        return Classified(
            Kind.OPT_OUT,
            f"A provider reports that the recipient complained of our email ({report.feedback or 'abuse'}).",
            complained=True,
        )
    if report is not None and report.kind == "disposition-notification":
        return Classified(Kind.OTHER, "It says that an email was read or deleted; nobody wrote it.")
    if item.startswith("REPORT.") and item.endswith(_RECEIPT_CLASSES):
        return Classified(Kind.OTHER, f"It is a receipt ({incoming.message_class}).")
    if report is not None and report.kind == "delivery-status":
        return Classified(Kind.OTHER, "It says that an email was delivered.")
    return None


def _by_machine(
    incoming: Incoming, written: str, match: Match | None, *, concerns: bool
) -> Classified | None:
    automatic = auto_reply(incoming, written)
    left = left_company.left_words(written)
    stranger = match is not None and match.matched_by is MatchedBy.THREAD_STRANGER
    if left and ((automatic and automatic.sign is Sign.CERTAIN) or from_robot(incoming)):
        return Classified(Kind.LEFT_COMPANY, f"An automatic reply says “{left}”.")
    if left and concerns and left_company.is_template(written) and (stranger or not _personal(written)):
        return Classified(Kind.LEFT_COMPANY, f"It says “{left}”, and whom to ask instead.")
    if automatic is None:
        return None
    if automatic.sign is Sign.CERTAIN:
        if match is None and is_notification(incoming, written):
            return Classified(Kind.OTHER, f"A machine wrote it, in answer to nothing. {automatic.why}")
        return Classified(Kind.AUTO_REPLY, automatic.why)
    return Classified(Kind.UNCLEAR, automatic.why) if concerns else None


def _personal(written: str) -> bool:
    """Does its author speak of themselves?"""
    return left_company.is_their_own(written) or (
        bool(re.search(r"\b(?:I|I'm|I've|ich|je|j['’]ai|yo|io|eu|ik|jag|jeg)\b", written))
        and not re.search(
            r"(?:mailbox|postfach|boîte|buzón|casella|caixa|postvak|skrzynka|account|address|adresse)",
            written,
            re.IGNORECASE,
        )
    )


def _by_person(incoming: Incoming, written: str, match: Match | None) -> Classified:
    if words := _asked(incoming, written, match):
        return Classified(Kind.OPT_OUT, f"It asks for no more email: “{words}”.", opt_out_words=words)
    if incoming.header("content-type").lower().startswith(_ENCRYPTED) and not written.strip():
        return Classified(Kind.UNCLEAR, "Its text is encrypted.")
    if not written.strip() and not incoming.text.strip() and not answered(incoming.subject) and match is None:
        return Classified(Kind.UNCLEAR, "It has no text.")
    if from_robot(incoming):
        return Classified(
            Kind.UNCLEAR, "No header says that a machine wrote it, but nobody writes from that address."
        )
    why = match.why if match else "Nothing says that a machine wrote it."
    return Classified(Kind.ANSWER, f"A person wrote it. {why}" if match else why)


def _asked(incoming: Incoming, written: str, match: Match | None) -> str | None:
    token = match.sent.token if match else None
    subject = _OPT_OUT_SUBJECT.fullmatch(incoming.subject)
    if token and token.casefold() in " ".join((incoming.subject, *incoming.recipients)).casefold():
        return without_code(incoming.subject) or "unsubscribe"
    if (
        subject
        and (not subject["rest"].strip(" .!:-") or len(written) < 40)
        and not answered(incoming.subject)
    ):
        return without_code(incoming.subject)
    if subject and not subject["rest"].strip(" .!:-") and len(written) < 20:
        return without_code(incoming.subject)
    return opt_out_words(written)
