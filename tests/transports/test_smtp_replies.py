"""Whom a mail server's refusal is about: the recipient, the email, or the sender. Texts as servers send them."""

import pytest

from domain.errors import (
    ConnectionRefused,
    MailboxDisconnected,
    MessageRejected,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
    SendingLimitReached,
    Throttled,
)
from transports.smtp_replies import Stage, refusal

GREETING, SIGN_IN, SENDER, RECIPIENT, CONTENT = Stage
LIMIT, SLOWER, PAUSED, SIGN_IN_AGAIN = SendingLimitReached, Throttled, PolicyBlocked, MailboxDisconnected

ABOUT_THE_SENDER = [
    # Gmail and Google Workspace
    (RECIPIENT, "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail", LIMIT),
    (CONTENT, "550 5.4.5 Daily user sending quota exceeded. r12sm - gsmtp", LIMIT),
    (CONTENT, "550 5.4.5 Daily SMTP relay limit exceeded for customer.", LIMIT),
    (CONTENT, "550 5.7.1 Email quota exceeded. gsmtp", LIMIT),
    (RECIPIENT, "550 5.7.0 Mail relay denied [203.0.113.5]. Invalid credentials for relay for one of the domains", PAUSED),
    (CONTENT, "550 5.7.0 Mail Sending denied. This error occurs if the sender account is disabled", PAUSED),
    (RECIPIENT, "550 5.7.1 Invalid credentials for relay [203.0.113.5]", PAUSED),
    (CONTENT, "550 5.7.26 This mail has been blocked because the sender is unauthenticated.", PAUSED),
    (CONTENT, "550 5.7.25 [203.0.113.5] The IP address sending this message does not have a PTR record setup", PAUSED),
    (CONTENT, "421 4.7.0 Try again later, closing connection.", SLOWER),
    (CONTENT, "421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address", SLOWER),
    (SENDER, "530 5.7.0 Must issue a STARTTLS command first", PAUSED),
    (SENDER, "530 5.5.1 Authentication Required.", PAUSED),
    (SIGN_IN, "535 5.7.8 Username and Password not accepted.", SIGN_IN_AGAIN),
    (SIGN_IN, "534 5.7.9 Application-specific password required.", SIGN_IN_AGAIN),
    (SIGN_IN, "534 5.7.14 Please log in via your web browser and then try again.", SIGN_IN_AGAIN),
    (SIGN_IN, "454 4.7.0 Too many login attempts, please try again later.", SLOWER),
    # Exchange Online
    (CONTENT, "550 5.1.8 Access denied, bad outbound sender AS(42004)", PAUSED),
    (RECIPIENT, "550 5.1.8 Access denied, bad outbound sender", PAUSED),
    (CONTENT, "550 5.7.501 Access denied, spam abuse detected from 203.0.113.5.", PAUSED),
    (CONTENT, "550 5.7.502 Access denied, banned sender", PAUSED),
    (CONTENT, "550 5.7.509 Access denied, sending domain acme.example does not pass DMARC verification", PAUSED),
    (CONTENT, "550 5.7.606 Access denied, banned sending IP [203.0.113.5]", PAUSED),
    (CONTENT, "550 5.7.705 Access denied, tenant has exceeded threshold.", PAUSED),
    (CONTENT, "550 5.7.708 Access denied, traffic not accepted from this IP.", PAUSED),
    (CONTENT, "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains.", PAUSED),
    (CONTENT, "550 5.7.57 Client not authenticated to send mail.", PAUSED),
    (CONTENT, "550 5.7.232 Your message can't be sent because your trial tenant has exceeded its daily limit", LIMIT),
    (CONTENT, "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending email", LIMIT),
    (CONTENT, "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", LIMIT),
    (CONTENT, "550 5.2.0 STOREDRV.Submission.Exception: SubmissionQuotaExceededException", LIMIT),
    (CONTENT, "554 5.2.2 mailbox full; STOREDRV.Submission QuotaExceeded", PAUSED),
    (SENDER, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", PAUSED),
    (SENDER, "432 4.3.2 Concurrent connections limit exceeded.", SLOWER),
    (SIGN_IN, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.", PAUSED),
    (SIGN_IN, "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", PAUSED),
    (SIGN_IN, "550 5.7.30 Basic authentication is not supported for Client Submission.", PAUSED),
    (CONTENT, "550 5.7.30 Basic authentication is not supported for Client Submission.", PAUSED),
    # Postfix
    (RECIPIENT, "554 5.7.1 <ann@example.org>: Relay access denied", PAUSED),
    (RECIPIENT, "454 4.7.1 <ann@example.org>: Relay access denied", PAUSED),
    (RECIPIENT, "553 5.7.1 <hans@acme.example>: Sender address rejected: not owned by user hans", PAUSED),
    (RECIPIENT, "550 5.1.0 <hans@acme.example>: Sender address rejected: User unknown", PAUSED),
    (RECIPIENT, "554 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using zen.spamhaus.org", PAUSED),
    (RECIPIENT, "550 5.7.1 Message rejected: hourly sending limit reached", LIMIT),
    # Exim, cPanel
    (RECIPIENT, "550 relay not permitted", PAUSED),
    (RECIPIENT, "550 authentication required", PAUSED),
    (RECIPIENT, "550 Sender verify failed", PAUSED),
    (RECIPIENT, "550 Administrative prohibition", PAUSED),
    (CONTENT, "550 Domain acme.example has exceeded the max emails per hour (150/150 (100%)) allowed. Message discarded.", LIMIT),
    (RECIPIENT, "550 Domain acme.example has exceeded the max defers and failures per hour (5/5 (100%)) allowed.", LIMIT),
    (CONTENT, 'Outgoing mail from "hans@acme.example" has been suspended.', PAUSED),
    # Amazon SES
    (CONTENT, "454 Throttling failure: Daily message quota exceeded.", LIMIT),
    (CONTENT, "454 Throttling failure: Maximum sending rate exceeded.", SLOWER),
    (CONTENT, "554 Message rejected: Email address is not verified. The following identities failed the check", PAUSED),
    (CONTENT, "554 Message rejected: Sending paused for this account.", PAUSED),
    (CONTENT, "554 Access denied: User `arn:aws:iam::1:user/x' is not authorized to perform `ses:SendRawEmail'", PAUSED),
    (SIGN_IN, "535 Authentication Credentials Invalid", SIGN_IN_AGAIN),
    (SIGN_IN, "421 Too many concurrent SMTP connections", SLOWER),
    # SendGrid
    (CONTENT, "550 The from address does not match a verified Sender Identity. Mail cannot be sent", PAUSED),
    (SENDER, "550 Unauthenticated senders not allowed", PAUSED),
    (SIGN_IN, "451 Authentication failed: Maximum credits exceeded", LIMIT),
    (RECIPIENT, "452 Too many recipients received this hour", LIMIT),
    # Mailgun
    (CONTENT, "550 Sandbox subdomains are for test purposes only. Please add your own domain", PAUSED),
    (CONTENT, "550 Domain mg.acme.example is not allowed to send: The domain is unverified", PAUSED),
    (RECIPIENT, "420 Domain mg.acme.example is not allowed to send: recipient limit exceeded, try again after", LIMIT),
    (RECIPIENT, "550 5.7.1 Relaying denied", PAUSED),
    # Yahoo
    (CONTENT, "554 5.7.1 Too many messages sent; sending limit exceeded", LIMIT),
    (SENDER, "553 5.7.1 [BL21] Connections will not be accepted from 203.0.113.5, because the ip is in Spamhaus's list", PAUSED),
    (CONTENT, "421 4.7.0 [TSS04] Messages from 203.0.113.5 temporarily deferred due to user complaints", SLOWER),
    # GMX, IONOS
    (SENDER, "550 Requested action not taken: mailbox unavailable. Sender address is not allowed.", PAUSED),
    (RECIPIENT, "550 Requested action not taken: Sender address is not allowed.", PAUSED),
    (CONTENT, "554 5.7.0 limit on the number of allowed outgoing messages was exceeded. Try again later.", LIMIT),
    (RECIPIENT, "450 Requested mail action not taken: Mail send limit exceeded.", LIMIT),
    # Zoho
    (CONTENT, "550 5.4.6 Unusual sending activity detected. Please try after sometime.", LIMIT),
    (RECIPIENT, "553 Relaying disallowed as hans@acme.example", PAUSED),
    (CONTENT, "554 5.1.8 Email Outgoing Blocked.", PAUSED),
    (SENDER, "553 Sender is not allowed to relay emails", PAUSED),
    # Others
    (CONTENT, "550 5.7.1 User hans@acme.example has exceeded its 24-hour sending limit. Messages to 500 recipients out of 500 allowed", LIMIT),
    (CONTENT, "554 5.7.1 Your account has been locked because it sends too many messages", PAUSED),
    (RECIPIENT, "550 Verification failed for <hans@acme.example> 550 Sender verify failed", PAUSED),
    (RECIPIENT, "550 Requested action not taken: mailbox unavailable invalid DNS MX or A/AAAA resource record", PAUSED),
    (RECIPIENT, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", PAUSED),
    (RECIPIENT, "553 5.7.2 [TSS09] All messages from 203.0.113.5 will be permanently deferred", PAUSED),
    (RECIPIENT, "550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.", PAUSED),
    (RECIPIENT, "554 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=203.0.113.5", PAUSED),
    (RECIPIENT, "550 5.7.1 Service unavailable; client blocked by b.barracudacentral.org", PAUSED),
    (CONTENT, "550 5.7.1 Unauthorized to send: sender not valid", PAUSED),
    (CONTENT, "502 5.7.0 Your SMTP account is not yet activated", PAUSED),
    (CONTENT, "550 5.7.1 Unconfigured Sending Domain <acme.example>", PAUSED),
    (CONTENT, "550 The 'From' address you supplied is not a Sender Signature on your account.", PAUSED),
    (RECIPIENT, "550 5.7.1 Sie haben Ihr Versandlimit erreicht", LIMIT),
    (RECIPIENT, "550 5.7.1 Vous avez atteint votre limite d'envoi", LIMIT),
    (RECIPIENT, "554 5.7.1 Límite de envío diario superado", LIMIT),
    (RECIPIENT, "450 4.7.1 too many errors from your IP", SLOWER),
    (SENDER, "451 4.3.0 Temporary lookup failure", SLOWER),
    # Answers to the recipient, some with codes of the recipient, in words about the sender
    (RECIPIENT, "550 Your account has been disabled", PAUSED),
    (RECIPIENT, "550 Sender account is disabled", PAUSED),
    (RECIPIENT, "550 5.1.0 Your mailbox is suspended", PAUSED),
    (RECIPIENT, "554 5.7.1 Your account is no longer allowed to send mail", PAUSED),
    (RECIPIENT, "554 5.7.1 sender mailbox quota exceeded", PAUSED),
    (RECIPIENT, "552 5.2.2 Your mailbox is full", PAUSED),
    (RECIPIENT, "552 5.2.2 Your account has exceeded its daily sending quota", LIMIT),
    (RECIPIENT, "550 5.2.0 Hourly sending limit reached", LIMIT),
    (RECIPIENT, "550 sender address does not exist", PAUSED),
    (RECIPIENT, "550 5.1.1 <hans@acme.example>: Sender is unknown", PAUSED),
    (RECIPIENT, "550 5.1.0 From address not allowed", PAUSED),
    (RECIPIENT, "550 Requested action not taken: mailbox unavailable. Sender address is not allowed.", PAUSED),
    (RECIPIENT, "550 5.1.0 Authentication required", PAUSED),
    (RECIPIENT, "550 5.1.1 You must authenticate first", PAUSED),
    (RECIPIENT, "550 5.1.2 relay not allowed", PAUSED),
    (RECIPIENT, "550 5.1.1 Relaying denied", PAUSED),
    (RECIPIENT, "550 5.4.1 We do not relay", PAUSED),
    (RECIPIENT, "550 5.2.1 Sender mailbox disabled", PAUSED),
    (RECIPIENT, "550 5.2.1 The sender's account <hans@acme.example> has been locked", PAUSED),
    (RECIPIENT, "550 5.1.0 Client host [203.0.113.5] blocked using zen.spamhaus.org", PAUSED),
    (RECIPIENT, "550 Domain acme.example is not allowed to send", PAUSED),
    (RECIPIENT, "550 Outgoing mail from hans@acme.example has been suspended", PAUSED),
    (RECIPIENT, "552 5.2.2 Your account exceeded its daily recipient limit", LIMIT),
    (RECIPIENT, "550 Your IP address blacklisted", PAUSED),
    (RECIPIENT, "550 5.1.0 The sender address is block-listed", PAUSED),
    (RECIPIENT, "550 Your account is inactive", PAUSED),
    (RECIPIENT, "550 Domain of sender address hans@acme.example does not exist", PAUSED),
    (CONTENT, "552 Your mailbox has exceeded its size limit", PAUSED),
    (RECIPIENT, "450 4.1.8 <hans@acme.example>: Sender address rejected: Domain not found", SLOWER),
    (RECIPIENT, "450 4.7.25 Client host rejected: cannot find your hostname, [203.0.113.5]", SLOWER),
    (RECIPIENT, "451 Could not verify the sender, try again later", SLOWER),
    (CONTENT, "552 daily sending size limit exceeded", LIMIT),
    (CONTENT, "550 5.6.0 Message refused: sender suspended", PAUSED),
    (CONTENT, "550 5.6.0 hourly sending limit reached", LIMIT),
    (CONTENT, "550 5.1.1 Your account is blocked", PAUSED),
    (GREETING, "421 4.3.2 Service not available", SLOWER),
    (GREETING, "554 5.7.1 No SMTP service here", SLOWER),
]  # fmt: skip

ABOUT_THE_RECIPIENT = [
    "550 5.1.1 Please check your recipient address, user not found",
    "550 5.1.1 Dear sender, the user bob does not exist",
    "550 5.1.1 The email account that you tried to reach does not exist.",
    "550 5.1.1 <ann@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    "550 5.2.1 The email account that you tried to reach is disabled.",
    "552 5.2.2 The email account that you tried to reach is over quota.",
    "553 5.1.2 We weren't able to find the recipient domain.",
    "550 5.1.3 The recipient address is not a valid RFC-5321 address.",
    "550 5.4.1 Recipient address rejected: Access denied.",
    "550 5.7.505 Access denied, banned recipient",
    "550 No such user here",
    "550 Unrouteable address",
    "550 user unknown",
    "550 Request failed; Mailbox unavailable",
    "554 delivery error: This user doesn't have an account",
    "541 5.4.1 Mail rejected by destination domain",
    "550 mailbox quota exceeded for this user",
    "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
    "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized",
    "550 5.7.124 Sender not in allowed-senders list",
    "550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized",
    "511 sorry, no mailbox here by that name (#5.1.1 - chkuser)",
    "550 #5.1.0 Address rejected.",
    "554 delivery error: dd This user doesn't have a yahoo.com account (ann@yahoo.com) [0]",
    "550 5.7.1 Policy rejection on the target address",
    "550 5.1.1 User unknown in relay recipient table",
    "550 5.1.1 <ann@relay.example.org>: Recipient address rejected: User unknown",
    "550 5.1.1 <sender@example.org>: Recipient address rejected: this account does not exist",
    "550 5.1.1 Your message could not be delivered because the address does not exist",
    "550 5.2.1 Notice to sender: the recipient mailbox is disabled",
    "552 5.2.2 The recipient's mailbox is full and cannot accept your message",
    "550 5.1.1 Rejected by the recipient's server: no such user",
    "550 5.1.10 The domain of your recipient does not exist",
]


@pytest.mark.parametrize(("stage", "line", "kind"), ABOUT_THE_SENDER)
def test_what_concerns_the_sender_says_nothing_about_the_person_it_met(
    stage: Stage, line: str, kind: type[ProviderError]
) -> None:
    code, words = (int(line[:3]), line[4:]) if line[:3].isdigit() else (550, line)
    error = refusal(stage, code, words)
    assert type(error) is kind
    if isinstance(error, Throttled):
        assert error.untaken
        assert error.retry_after.total_seconds() >= 30
    if kind is LIMIT:
        assert error.retry_after.total_seconds() >= 3600  # type: ignore[attr-defined]
    assert "acme.example" not in str(error)


ABOUT_THE_EMAIL = [
    "552 5.2.3 Your message exceeded Google's message size limits.",
    "552 5.3.4 Message size exceeds fixed limit",
    "554 5.6.0 Mail message is malformed. Not accepted.",
    "552 5.7.0 This message was blocked because its content presents a potential security issue.",
    "550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant",
]


@pytest.mark.parametrize(
    ("stage", "line", "kind"),
    [(Stage.RECIPIENT, line, RecipientRejected) for line in ABOUT_THE_RECIPIENT]
    + [(Stage.CONTENT, line, MessageRejected) for line in ABOUT_THE_EMAIL],
)
def test_what_will_never_be_taken_is_given_up_at_once(
    stage: Stage, line: str, kind: type[RecipientRejected | MessageRejected]
) -> None:
    error = refusal(stage, int(line[:3]), line[4:])
    assert isinstance(error, kind)
    assert error.certain


@pytest.mark.parametrize(
    ("stage", "line", "kind"),
    [
        (Stage.RECIPIENT, "550 Requested action not taken", RecipientRejected),
        (Stage.RECIPIENT, "554 5.7.1 Access denied", RecipientRejected),
        (Stage.RECIPIENT, "550 5.7.1 Refused by local policy (42)", RecipientRejected),
        # Whose mailbox, and whose block?
        (Stage.RECIPIENT, "550 Mailbox suspended", RecipientRejected),
        (Stage.RECIPIENT, "550 Account locked", RecipientRejected),
        (Stage.RECIPIENT, "550 recipient domain blocked", RecipientRejected),
        (Stage.RECIPIENT, "550 5.7.1 The recipient's domain has been blacklisted", RecipientRejected),
        (Stage.RECIPIENT, "571 Email from you is blocked by the recipient", RecipientRejected),
        (Stage.RECIPIENT, "550 5.7.1 Your address is banned by this recipient", RecipientRejected),
        (Stage.RECIPIENT, "550 5.7.1 Your address is not allowed to send mail to this group", RecipientRejected),
        (Stage.RECIPIENT, "550 5.7.1 Sender is not permitted to post to this list", RecipientRejected),
        (Stage.CONTENT, "550 5.7.1 You are blocked by the recipient's organization", MessageRejected),
        (Stage.CONTENT, "550 The user no longer works here", MessageRejected),
        (Stage.CONTENT, "554 Transaction failed", MessageRejected),
        (Stage.CONTENT, "554 5.7.9 Message not accepted for policy reasons", MessageRejected),
        (Stage.CONTENT, "550 5.7.1 Our system has detected that this message is likely unsolicited mail.", MessageRejected),
    ],
)  # fmt: skip
def test_a_refusal_that_names_no_reason_is_not_believed_at_once(
    stage: Stage, line: str, kind: type[ProviderError]
) -> None:
    error = refusal(stage, int(line[:3]), line[4:])
    assert isinstance(error, kind)
    assert not error.certain  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    [
        "450 4.2.0 Greylisted",
        "451 4.7.1 Greylisting in action",
        "451 Sender greylisted, try again in five minutes",
        "450 4.2.1 receiving mail too quickly",
        "452 4.2.2 over quota",
        "550 5.2.121 Recipient's per hour message receive limit from specific sender exceeded.",
        "550 5.2.122 Recipient's per hour message receive limit exceeded.",
        "550 5.2.1 The user you are trying to contact is receiving email at a rate that prevents additional messages",
    ],
)
def test_a_recipient_that_asks_to_wait_holds_nobody_else(line: str) -> None:
    error = refusal(Stage.RECIPIENT, int(line[:3]), line[4:])
    assert type(error) is ProviderUnavailable


def test_a_sign_in_with_a_password_that_microsoft_has_switched_off_is_named_as_such() -> None:
    line = "5.7.30 Basic authentication is not supported for Client Submission."
    for stage in (Stage.SIGN_IN, Stage.SENDER, Stage.CONTENT):
        error = refusal(stage, 550, line)
        assert str(error).startswith("Sending by SMTP is switched off")
        assert isinstance(error, ConnectionRefused)
        assert not error.on_send  # a sign-in shows that it is over, and needs no test email
    assert "block list" in str(refusal(Stage.CONTENT, 550, "5.7.30 DKIM authentication did not pass"))


def test_no_answer_repeats_the_servers_words() -> None:
    for stage in Stage:
        for code in (421, 450, 501, 535, 550, 554):
            error = refusal(stage, code, f"5.7.1 <secret@example.org> https://evil.example {code}")
            assert "secret" not in str(error) + getattr(error, "code", "")
            assert "evil" not in str(error)


def test_a_reply_that_never_ends_is_judged_in_no_time() -> None:
    error = refusal(Stage.CONTENT, 550, "sender account " * 20_000)
    assert isinstance(error, ConnectionRefused | MessageRejected)
