"""What a server says of an email that it did not take, and whether the address, this email or the sender is the reason."""

from datetime import UTC, datetime

import pytest

from domain.listening.bounces import bounce_of
from domain.listening.message import Incoming, Report, ReportedRecipient

NOW = datetime(2026, 12, 9, 9, tzinfo=UTC)
FAILED = [
    ("sender", "5.2.1", "550 5.2.1 Sender mailbox disabled"),
    ("sender", "5.1.1", "550 5.1.1 Your account has been suspended"),
    ("sender", "5.1.1", "550 5.1.1 sender address does not exist"),
    ("hard", "5.2.1", "550 5.2.1 Mailbox disabled"),
    ("hard", "5.4.1", "550 5.4.1 Recipient address rejected: Access denied"),
    ("hard", "5.0.0", "550 Requested action not taken: mailbox unavailable"),
    ("hard", "5.0.0", "521 Host does not accept mail"),
    ("hard", "5.0.0", "550 Rule imposed mailbox access for ann refused: user invalid"),
    ("hard", "5.0.0", "551 not our customer"),
    ("hard", "5.0.0", "550 Mailbox for ann@example.org is closed"),
    (
        "hard",
        "5.0.0",
        "550 5.1.1 <ann@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
    ),
    ("hard", "5.0.0", "550 <ann@example.org>: Recipient address rejected"),
    ("hard", "5.7.1", "550 5.7.1 The user you are trying to contact is not known here: user unknown"),
    ("hard", "5.0.0", "550 Invalid recipient ann@example.org (Mode: normal)"),
    ("hard", "5.1.0", "550 5.1.0 Address rejected ann@example.org"),
    ("hard", "5.0.0", "550 Empfänger unbekannt"),
    ("hard", "5.0.0", "550 El usuario no existe"),
    ("hard", "5.0.0", "550 Destinataire inconnu"),
    ("hard", "5.0.0", "550 Nieznany odbiorca"),
    ("hard", "5.3.0", "550 5.3.0 <ann@example.org>... No such user"),
    ("hard", "5.0.0", "550 cuda_nsu Recipient address rejected: user not found"),
    ("soft", "5.0.0", "554 Transaction failed"),
    ("soft", "5.0.0", "550 Message rejected"),
    ("soft", "5.0.0", "554 rejected"),
    ("soft", "5.5.1", "503 5.5.1 bad sequence"),
    ("soft", "5.4.0", "550 5.4.0 remote server misconfigured"),
    (
        "soft",
        "5.7.124",
        "550 5.7.124 RESOLVER.RST.SenderNotInAllowedSendersList; not in allowed-senders list",
    ),
    ("soft", "5.7.133", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"),
    ("soft", "5.7.504", "550 5.7.504 [ann@example.org]: Recipient address rejected: Access denied"),
    ("soft", "4.2.0", "450 4.2.0 <ann@example.org>: Recipient address rejected: Greylisted"),
    ("soft", "5.2.2", "552 5.2.2 mailbox full"),
    ("soft", "5.0.0", "550 Your message was refused: attachment type not allowed"),
    ("soft", "5.7.129", "550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized"),
    ("soft", "5.7.134", "550 5.7.134 RESOLVER.RST.SenderNotAuthenticatedForMailbox; authentication required"),
    ("soft", "5.7.1", "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required"),
    ("soft", "4.7.1", "451 4.7.1 Greylisting in action, please come back later"),
    (
        "soft",
        "4.2.1",
        "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered",
    ),
    ("soft", "4.7.0", "421 4.7.0 Try again later, closing connection."),
    ("soft", "5.0.0", "550 permission denied"),
    ("soft", "5.2.0", "550 5.2.0 STOREDRV.Deliver.Exception:StoragePermanentException"),
    ("sender", "5.0.0", "550 High probability of spam"),
    ("sender", "5.7.1", "554 5.7.1 Email rejected per SPAM policy"),
    ("sender", "5.0.0", "554 Email rejected due to security policies - https://community.mimecast.com"),
    ("sender", "5.7.1", "550 5.7.1 Email rejected"),
    ("sender", "5.7.1", "550 5.7.1 Your email was rejected because the sending MTA is not allowed"),
    ("sender", "5.0.0", "554 This message has been identified as a phishing attempt"),
    ("sender", "5.0.0", "550 HELO/EHLO rejected: bad hostname"),
    ("sender", "5.0.0", "501 5.5.4 Invalid domain name (HELO)"),
    ("sender", "5.0.0", "550 Domain of sender address does not exist"),
    (
        "sender",
        "5.1.0",
        "550 5.1.0 <rita@example.com> sender rejected. Domain of sender address example.com does not exist",
    ),
    ("sender", "5.0.0", "554 delivery error: dd Not accepting messages from this sender"),
    ("sender", "5.7.1", "550 5.7.1 Your account has been temporarily disabled for sending"),
    (
        "sender",
        "4.7.0",
        "421 4.7.0 [TSS04] Messages from 203.0.113.20 temporarily deferred due to unexpected volume or user complaints",
    ),
    (
        "sender",
        "4.7.28",
        "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address",
    ),
    ("sender", "4.7.0", "451 4.7.0 Your IP has been temporarily blocked (S3150)"),
    (
        "sender",
        "4.0.0",
        "421 4.7.1 Trop de connexions, veuillez verifier votre configuration. OFR004_104 [104]",
    ),
    ("sender", "5.0.0", "554 5.7.0 Reject, id=10111-08 - SPAM"),
    ("sender", "5.7.1", "554 5.7.1 Blocked by SpamAssassin"),
    ("sender", "5.0.0", "550 Sorry, your email address has been blacklisted by the recipient"),
    (
        "sender",
        "5.7.1",
        "550 5.7.1 <ann@example.org>: Recipient address rejected: Mail appeared to be SPAM or forged",
    ),
    ("sender", "5.7.0", "550 5.7.0 Local policy violation"),
    ("sender", "5.0.0", "550 permanent failure for one or more recipients (ann@example.org:blocked)"),
    ("sender", "5.0.0", "552 Rejected for policy reasons. Error code: DNSBL"),
    ("sender", "5.0.0", "550 SPF check failed"),
    ("sender", "5.0.0", "553 sorry, that domain isn't in my list of allowed rcpthosts"),
    ("sender", "5.0.0", "550 Unroutable sender address"),
    ("sender", "5.1.0", "550 5.1.0 MAIL FROM domain is invalid"),
    ("sender", "4.7.1", "450 4.7.1 Client host rejected: cannot find your reverse hostname, [203.0.113.7]"),
    ("sender", "5.0.0", "554 Refus&eacute;. Votre message ressemble &agrave; du spam. OFR_506"),
    ("sender", "5.0.0", "550 Absenderadresse abgelehnt"),
    ("sender", "5.0.0", "554 El remitente ha sido rechazado"),
    ("sender", "5.0.0", "550 Expéditeur refusé"),
    ("sender", "5.0.0", "550 Nachricht wegen Spam-Verdachts abgelehnt"),
]
DELAYED = [
    (
        "sender",
        "4.7.650",
        "451 4.7.650 The mail server [203.0.113.20] has been temporarily rate limited due to IP reputation",
    ),
    ("soft", "4.4.1", "connect to mx.example.org[198.51.100.4]:25: Connection timed out"),
    ("soft", "4.7.1", "451 4.7.1 Greylisting in action, please come back later"),
]


def class_of(action: str, status: str, diagnostic: str, text: str = "") -> str:
    report = Report("delivery-status", (ReportedRecipient("ann@example.org", action, status, diagnostic),))
    return bounce_of(Incoming("mailer-daemon@example.org", NOW, report=report, text=text), None).kind.value


@pytest.mark.parametrize(("kind", "status", "diagnostic"), FAILED)
def test_only_an_address_that_never_works_is_hard(kind: str, status: str, diagnostic: str) -> None:
    assert class_of("failed", status, diagnostic) == kind


@pytest.mark.parametrize(("kind", "status", "diagnostic"), DELAYED)
def test_a_delay_is_soft_unless_our_own_server_is_the_reason(kind: str, status: str, diagnostic: str) -> None:
    assert class_of("delayed", status, diagnostic) == kind


def test_a_program_that_calls_every_failure_permanent_says_nothing_of_the_address() -> None:
    permanent = "A message that you sent could not be delivered. This is a permanent error."
    assert class_of("failed", "5.0.0", "", permanent) == "soft"
    assert class_of("failed", "5.0.0", "", f"{permanent} ann@example.org: Unrouteable address") == "hard"
