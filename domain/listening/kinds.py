"""The kinds of incoming email, and what is decided of one."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.listening.message import Match


class Kind(StrEnum):
    """What an incoming email is. Each has consequences of its own."""

    ANSWER = "answer"  # a person wrote: ends the enrollment
    AUTO_REPLY = "auto_reply"  # a machine answered for the person, who may be away
    LEFT_COMPANY = "left_company"  # the person no longer works there
    BOUNCE = "bounce"  # our email could not be delivered, or not yet
    OPT_OUT = "opt_out"  # the person wants no more of our emails
    SENDER_WROTE = "sender_wrote"  # the mailbox owner wrote to the candidate by hand
    OTHER = "other"  # nothing that concerns an email of ours
    UNCLEAR = "unclear"  # holds the person for a day, and asks


class BounceClass(StrEnum):
    """What an undelivered email says, and of whom."""

    HARD = "hard"  # this address will never work
    SOFT = "soft"  # it may work later, or for another email: full, too large, greylisted, delayed
    SENDER = "sender"  # the sender's quota, reputation or policy: says nothing about the candidate


@dataclass(frozen=True, slots=True)
class Bounce:
    """``recipient``: lower-case address, "" if the report names none. ``status``: RFC 3463, such as "5.1.1", or ""."""

    kind: BounceClass
    recipient: str
    status: str


@dataclass(frozen=True, slots=True)
class Classified:
    """What an incoming email is. ``why``: one sentence for a person. ``opt_out_words``: the words of the email that ask for it.

    ``complained``: the person's provider reports that they marked our email as spam (RFC 5965).
    """

    kind: Kind
    why: str
    bounce: Bounce | None = None
    opt_out_words: str | None = None
    complained: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """All that is said of an incoming email. ``return_on``: the first day on which a person who is away is back."""

    kind: Kind
    match: Match | None
    bounce: Bounce | None
    return_on: date | None
    opt_out_words: str | None
    why: str
    complained: bool = False


class AnswerClass(StrEnum):
    """What a person says of an answer. The words are the pages'; the order is that of the keys 1 to 5."""

    INTERESTED = "interested"
    NOT_NOW = "not_now"
    NO = "no"
    WRONG_PERSON = "wrong_person"
    REFERRAL = "referral"


class Decision(StrEnum):
    """On a proposed opt-out: it is one, just a no, or neither (an answer, to be filed). On an unclear message: it is no answer."""

    OPT_OUT = "opt_out"
    NO = "no"
    NEITHER = "neither"
    NO_ANSWER = "no_answer"


CLASS_WORDS = {
    AnswerClass.INTERESTED: "Interested",
    AnswerClass.NOT_NOW: "Not now",
    AnswerClass.NO: "No",
    AnswerClass.WRONG_PERSON: "Wrong person",
    AnswerClass.REFERRAL: "Referral",
}
