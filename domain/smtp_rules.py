"""What a mail server's refusal is about, as a table: the recipient, the message, or the sender.

Rules are tried from top to bottom, and the first match decides. A refusal about the sender says nothing about the person whose
email met it: it holds the mailbox's lane or pauses the mailbox, and costs no person their email. Enhanced codes are those
of RFC 3463 and its IANA registry. Texts are those that providers document or that their users report:
Exchange Online "Email non-delivery reports and SMTP errors", Gmail "SMTP error codes", Amazon SES "SMTP response codes",
SendGrid "SMTP errors", Mailgun "SMTP responses", Yahoo "SMTP error codes", Zoho "Delivery failures", GMX and IONOS "Error
messages of our mail servers", the messages of Postfix' smtpd(8) and of Exim's default configuration, including cPanel's.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto


class Stage(Enum):
    """The command that the server answered."""

    GREETING = auto()
    SIGN_IN = auto()
    SENDER = auto()
    RECIPIENT = auto()
    CONTENT = auto()


class Meaning(Enum):
    """What a refusal says. The first group is about the sender, the second about one email."""

    QUOTA = auto()  # the sender has reached a limit for now
    RATE = auto()  # too fast, or too many connections
    SIGN_IN = auto()  # name, password or token refused
    SMTP_OFF = auto()  # sign-in by SMTP is switched off
    SIGN_IN_POLICY = auto()  # a security policy refuses the sign-in
    NOT_SIGNED_IN = auto()  # the server requires a sign-in that it did not get
    RELAY = auto()  # the server does not relay email for this sender
    SEND_AS = auto()  # the account may not use this sender address
    BLOCKED = auto()  # the account, its domain or its organization may not send
    REPUTATION = auto()  # the sender is on a block list, or its email is taken for spam
    FULL = auto()  # the sender's own mailbox is full
    LATER = auto()  # the server is busy

    RECIPIENT = auto()
    MESSAGE = auto()
    UNCLEAR_RECIPIENT = auto()  # nothing says what it is about, but it answers the recipient
    UNCLEAR_MESSAGE = auto()  # the same, after the text
    THIS_LATER = auto()  # this recipient or this email cannot be accepted right now


@dataclass(frozen=True, slots=True)
class Rule:
    """Matches a reply ("550 5.1.1 text", white space folded) by ``pattern``, at one of ``stages`` (none: all)."""

    pattern: re.Pattern[str]
    meaning: Meaning
    stages: frozenset[Stage]


def _rule(pattern: str, meaning: Meaning, *stages: Stage) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), meaning, frozenset(stages))


_ADDRESSED = (Stage.RECIPIENT, Stage.CONTENT)
_OPENING = (Stage.GREETING, Stage.SIGN_IN, Stage.SENDER)
_QUOTA_WORDS = (
    r"(sending|send|submission|message|mail|email|relay|outgoing|outbound|recipient|rate|user|account|hourly|daily|monthly|per (hour|day))"
    r"[\w ,'\"@.()-]{0,60}(quota|limit)s?\b(?! on the size)|(quota|limit)s?[\w ]{0,40}(exceeded|reached)|exceeded (the|your|its|their)[\w /]{0,40}(max|quota|limit|allowance|threshold)"
    r"|too many (messages|emails|mails|recipients)|reached your (daily|hourly) limit|max(imum)? (emails|messages|credits|defers)"
    r"|versandlimit|limite (d\Wenvoi|di invio)|l[ií]mite de env[ií]o|limite de envio|verzendlimiet|limit wysy[lł]"
    r"|number of allowed (outgoing )?messages|credits exceeded|unusual sending activity|sends? too (many|much)|sending too many"
)

# The sender's account or address, and the words between it and what is wrong with it.
_SENDER = (
    r"(?:\byour (?!recipient|addressee|destination|intended)(?:[\w-]+ )?(?:account|mailbox|address|user|domain|organi[sz]ation|tenant|subscription)\b"
    r"|(?<![\w.@<-])(?<!dear )(?:envelope[ -]sender|sender|sending (?:account|mailbox|user|domain|address)|from[ -]address|return[ -]path)\b(?![@.]))"
)
_OWN = rf"{_SENDER}(?:(?!recipient|addressee)(?:[\w ',\"()@]|<[^>]{{0,80}}>|[.-](?=\w))){{0,60}}?"
_STOPPED = r"\b(?:suspended|disabled|paused|blocked|locked|deactivated|banned)"
# A person or group that accepts nothing from us, unless the code says why.
_BY_RECIPIENT = (
    r"^5\d\d (?!5\.1\.[1-6]\b).*(\b(blocked|blacklisted|banned|rejected|refused|denied) by (?:(?:the|this|your) )?(recipient|addressee)"
    r"|\brecipient('s)?( (domain|address|mailbox|account|server))? (is |was |has been )?(blocked|blacklisted|banned|suspended)"
    r"|\b(allowed|permitted|authori[sz]ed) to (send|write|post)( \w+){0,2} to (this|the) )"
)

RULES: tuple[Rule, ...] = (
    # Signing in.
    _rule(r"^5.*basic authentication is (not supported|disabled)", Meaning.SMTP_OFF),
    _rule(r"^535 5\.7\.139.*SmtpClientAuthentication is disabled", Meaning.SMTP_OFF),
    _rule(r"^535 5\.7\.139", Meaning.SIGN_IN_POLICY),
    _rule(r"^432 |4\.3\.2 STOREDRV\.ClientSubmit|sender thread limit", Meaning.RATE),
    _rule(r"too many (login|sign-?in|auth)", Meaning.RATE, Stage.SIGN_IN),
    _rule(r"^[45]\d\d.*(credits|quota|limit) exceeded", Meaning.QUOTA, Stage.SIGN_IN),
    _rule(r"^53[45] .*(5\.7\.9|5\.7\.14|application-specific|web browser)", Meaning.SIGN_IN, Stage.SIGN_IN),
    _rule(
        r"^5.*(account|user|mailbox).{0,40}(disabled|suspended|locked|blocked)",
        Meaning.BLOCKED,
        Stage.SIGN_IN,
    ),
    _rule(r"^53[0-9]|^5\d\d 5\.7\.8", Meaning.SIGN_IN, Stage.SIGN_IN),
    # A group or person that accepts email only from some senders: nothing is wrong with this sender.
    _rule(r"^5\d\d 5\.7\.1(2\d|3\d|9\d)\b|RESOLVER\.RST\.", Meaning.RECIPIENT, *_ADDRESSED),
    # Codes about the sender, whichever command they answer.
    _rule(r"^5.*sender verif(y|ication) failed", Meaning.SEND_AS),
    _rule(r"^5.*invalid DNS\b", Meaning.REPUTATION),
    _rule(r"^5.*allowed rcpthosts", Meaning.RELAY),
    _rule(r"^5\d\d.*\[TSS\d+\]", Meaning.REPUTATION),
    _rule(r"^5\d\d 5\.7\.60|SendAsDenied|^5.*sender address rejected", Meaning.SEND_AS),
    _rule(
        r"^[45]\d\d [45]\.1\.90|^[45]\d\d [45]\.7\.23[0-9]|^5\d\d 5\.2\.0 STOREDRV\.Submission", Meaning.QUOTA
    ),
    _rule(r"^5\d\d 5\.4\.5\b", Meaning.QUOTA),
    _rule(
        r"^5\d\d 5\.2\.2.*(Submission|Quota ?Exceeded|mailbox full)", Meaning.FULL, *_OPENING, Stage.CONTENT
    ),
    _rule(r"^5\d\d 5\.1\.8|outgoing (e?mail )?(is )?blocked|outbound (sender|spam)", Meaning.BLOCKED),
    _rule(
        r"^5\d\d 5\.7\.50[4507]|^5\d\d 5\.7\.513", Meaning.RECIPIENT
    ),  # "banned recipient", "rejected by recipient"
    _rule(r"^5\d\d 5\.7\.512", Meaning.MESSAGE),
    _rule(r"^5\d\d 5\.7\.703", Meaning.RECIPIENT),  # the organization's own list blocks this recipient
    _rule(r"^5\d\d 5\.7\.57", Meaning.NOT_SIGNED_IN),
    _rule(r"^5\d\d 5\.7\.(64|54)\b|^5\d\d 5\.7\.750", Meaning.RELAY),
    _rule(r"^5\d\d 5\.7\.(5\d\d|7\d\d)\b", Meaning.BLOCKED),
    _rule(r"^5\d\d 5\.7\.6\d\d\b", Meaning.REPUTATION),
    _rule(
        r"^5\d\d 5\.7\.(2[0-9]|3[0-2])\b", Meaning.REPUTATION
    ),  # SPF, DKIM, DMARC, reverse DNS, rates of spam
    _rule(r"^5\d\d 5\.1\.7\b", Meaning.SEND_AS),
    # Texts about the sender, whatever the code: servers give codes of the recipient because they answer the recipient.
    _rule(_BY_RECIPIENT, Meaning.UNCLEAR_RECIPIENT, Stage.RECIPIENT),
    _rule(_BY_RECIPIENT, Meaning.UNCLEAR_MESSAGE, Stage.CONTENT),
    _rule(
        r"^5.*\b(client|ip|host)\b[^()]{0,60}blocked|^5.*(spamhaus|spamcop|DNSBL)"
        r"|^5.*\b(your|sender|client|ip)\b[\w '.-]{0,40}\b(black|block)[ -]?listed",
        Meaning.REPUTATION,
        *_ADDRESSED,
    ),
    _rule(
        r"^(?!.*(receiv|recipient('s)? (has|is|mailbox|account)))5.*\b(daily|hourly|weekly|monthly|sending(?! size))\b[\w ]{0,40}\b(quota|limit)",
        Meaning.QUOTA,
        *_ADDRESSED,
    ),
    _rule(
        rf"^5.*{_OWN}(is full|over ?quota|quota exceeded|exceed(s|ed) (its|the) (size|storage))",
        Meaning.FULL,
        *_ADDRESSED,
    ),
    _rule(
        rf"^5.*{_OWN}({_STOPPED}|terminated|closed|expired|inactive|not active|no longer|not allowed to send)",
        Meaning.BLOCKED,
        *_ADDRESSED,
    ),
    _rule(
        rf"^5.*{_OWN}(does(n't| not) exist|not found|unknown|invalid|rejected|denied|not (allowed|permitted|owned))",
        Meaning.SEND_AS,
        *_ADDRESSED,
    ),
    _rule(
        r"^5.*\brelay(ing)? (access )?(is )?(not (allowed|permitted|authori[sz]ed)|denied|disallowed|prohibited|refused)|^5.*\b(not|cannot|to) relay\b",
        Meaning.RELAY,
        *_ADDRESSED,
    ),
    _rule(
        r"^5.*(authentication (is )?(required|needed)|(must|please) authenticate)",
        Meaning.NOT_SIGNED_IN,
        *_ADDRESSED,
    ),
    # Codes about the recipient or the message.
    _rule(r"^5\d\d 5\.2\.12[12]\b|^5.*is receiving e?mail at a rate", Meaning.THIS_LATER, *_ADDRESSED),
    _rule(r"^4\d\d 4\.2\.\d", Meaning.THIS_LATER, Stage.RECIPIENT),
    _rule(r"^5\d\d 5\.1\.(0|1|2|3|4|6|10)\b(?!.*sender)", Meaning.RECIPIENT, *_ADDRESSED),
    _rule(r"^5\d\d 5\.2\.[0-4]\b(?!.*(submission|sender))", Meaning.RECIPIENT, Stage.RECIPIENT),
    _rule(r"^5\d\d 5\.4\.1\b(?!.*relay)|^541 ", Meaning.RECIPIENT, Stage.RECIPIENT),
    _rule(
        r"^5\d\d 5\.3\.4\b|^5\d\d 5\.2\.3\b|message (size|is too long|too large)|too big|size limit",
        Meaning.MESSAGE,
        Stage.SENDER,
        *_ADDRESSED,
    ),
    _rule(r"^5\d\d 5\.6\.\d", Meaning.MESSAGE, Stage.CONTENT),
    _rule(r"^5\d\d 5\.7\.0\b.*potential security", Meaning.MESSAGE, Stage.CONTENT),
    _rule(
        r"^5\d\d .*#5\.1\.[0-4]\b", Meaning.RECIPIENT, Stage.RECIPIENT
    ),  # qmail and IronPort put the code last, or mark it
    # Texts about the recipient, if the code says nothing. Somebody else's full mailbox is not our limit.
    _rule(
        r"^5.*(user|address|account|mailbox|recipient|addressee)s? ?(is |was |has been )?(unknown|not found|invalid|unavailable|inactive|does(n't| not) exist|disabled|not exist|no longer)"
        r"|^5.*(no such|unknown|invalid|non-?existent) (user|recipient|address|mailbox|account|person)|^5.*(unrouteable|undeliverable) (address|domain)"
        r"|^5.*(mailbox|recipient|user).{0,30}(is full|over ?quota|quota exceeded|out of storage)|^5.*verification failed for|^5.*address (blacklisted|contains illegal)"
        r"|^5.*(does not|doesn't) (exist|like recipient|have an account)|^5.*host or domain name not found"
        r"|^5.*no mailbox here by that name|^5.*user doesn'?t have an? \S+ account|^5.*on the target address",
        Meaning.RECIPIENT,
        Stage.RECIPIENT,
    ),
    # Texts about the sender.
    _rule(
        r"^5.*account\b.{0,60}(suspended|disabled|paused|blocked|locked|deactivated)",
        Meaning.BLOCKED,
        Stage.SENDER,
        Stage.CONTENT,
    ),
    _rule(rf"^[45].*({_QUOTA_WORDS})", Meaning.QUOTA, Stage.SENDER, *_ADDRESSED),
    _rule(
        r"^[45].*(throttl|rate.?limit|too (fast|quickly|many (connections|concurrent|errors))|concurrent|slow down)",
        Meaning.RATE,
    ),
    _rule(r"^[45].*(relay|relaying)\b", Meaning.RELAY, Stage.SENDER, *_ADDRESSED),
    _rule(
        r"^5.*(authenticat(ion|e)|sign-?in|log ?in).{0,20}(required|needed|first)|^5.*(not authenticated|unauthenticated)|^530 ",
        Meaning.NOT_SIGNED_IN,
        Stage.SENDER,
        *_ADDRESSED,
    ),
    # In answer to the recipient, an account or domain may be the recipient's.
    _rule(
        rf"^5.*(account|domain|mailbox|user)\b.{{0,80}}{_STOPPED}",
        Meaning.BLOCKED,
        Stage.SENDER,
        Stage.CONTENT,
    ),
    _rule(
        rf"^5.*(sender|outgoing mail|sending)\b.{{0,80}}{_STOPPED}"
        r"|^5.*(account|domain|mailbox|user|sender)\b.{0,80}(not (registered|verified|allowed to send)|unverified)"
        r"|^5.*sandbox|^5.*not (yet )?activated|^5.*unconfigured sending domain|^5.*unauthorized to send|^5.*(address|identity) is not verified|^5.*not authorized to perform|^5.*administrative prohibition|^5.*sending denied",
        Meaning.BLOCKED,
        Stage.SENDER,
        *_ADDRESSED,
    ),
    _rule(
        r"^5.*sender signature|^5.*sender not valid|^5.*(sender|from address|mail from|return path).{0,60}(reject|denied|not allowed|refused|invalid|verif|does not match|not match|mismatch|not permitted|not owned)",
        Meaning.SEND_AS,
        Stage.SENDER,
        *_ADDRESSED,
    ),
    _rule(
        r"^5.*\b(client|ip|host)\b[^()]{0,60}blocked|^5.*blocked (- see|by|using) |^5.*\bDBL\b|^5.*your access to .{0,60}rejected"
        r"|^5.*(black ?list|block ?list|blacklisted|spamhaus|spamcop|\bRBL\b|DNSBL|reputation|listed (in|at|by)|banned)",
        Meaning.REPUTATION,
        Stage.SENDER,
        *_ADDRESSED,
    ),
    _rule(
        r"^421 4\.7|^4\d\d 4\.7\.(0|1|2[0-9]|[5-7]\d\d)\b(?!.*(grey|gray))",
        Meaning.RATE,
        Stage.SENDER,
        Stage.CONTENT,
    ),
    # Waits for the sender's domain or server, which meet everybody, are no failures of one person's email.
    _rule(
        rf"^4(?!.*(gr[ea]y|receiv|recipient)).*({_SENDER}|\bclient host\b|\b4\.1\.8\b|your (ip|hostname))",
        Meaning.LATER,
        *_ADDRESSED,
    ),
    # The rest, by command.
    _rule(r"^4", Meaning.THIS_LATER, *_ADDRESSED),
    _rule(r"^4", Meaning.LATER),
    _rule(r"^5", Meaning.LATER, Stage.GREETING),
    _rule(r"^5", Meaning.SIGN_IN_POLICY, Stage.SIGN_IN),
    _rule(r"^53[048]|^554 5\.7\.", Meaning.NOT_SIGNED_IN, Stage.SENDER),
    _rule(r"^5", Meaning.SEND_AS, Stage.SENDER),
    _rule(r"^5", Meaning.UNCLEAR_RECIPIENT, Stage.RECIPIENT),
    _rule(r"^5", Meaning.UNCLEAR_MESSAGE, Stage.CONTENT),
)


def meaning_of(stage: Stage, line: str) -> Meaning | None:
    """Return what a reply means, or None if it refuses nothing (or is no reply at all)."""
    for rule in RULES:
        if (not rule.stages or stage in rule.stages) and rule.pattern.search(line):
            return rule.meaning
    return None
