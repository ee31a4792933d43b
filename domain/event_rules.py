"""In which words ``domain/event_types.py`` says what follows from a kind of event."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from domain.events import Payload
from domain.incidents import Recovery
from domain.notice import Facts, Notice
from domain.notice_preferences import Category


class Touches(Enum):
    """Which sequences an event affects, active or paused. ``db/events/events.py`` finds them."""

    NOBODY = auto()  # the event has one recipient, regardless of sequences
    SEQUENCE = auto()
    MAILBOX = auto()
    RUNNING_OF_MAILBOX = auto()
    RUNNING_OF_ORGANIZATION = auto()
    PAUSED_OF_MAILBOX = auto()
    TENANT = auto()  # those that send from a mailbox that ended with its tenant
    MEMBER = auto()  # the sequences they own, and those that send from their mailboxes
    # The sequences of the people the ended permission was for, unless they may send on another authority.
    UNAUTHORIZED = auto()
    RUNNING_OF_GRANT = auto()
    PAUSED_OF_GRANT = auto()
    WAITING_FOR_SENDER = auto()
    WITH_EMAILS_IN_DRAFTS = auto()


class Also(Enum):
    """Who is notified besides the owners of the affected sequences."""

    MAILBOX_OWNER = auto()
    MAILBOX_OWNER_OF_GRANT = auto()
    MAILBOX_OWNER_IF_BY_ITSELF = auto()  # only if it recovered on its own; a person who connects it knows
    MAILBOX_OWNERS_OF_ORGANIZATION = auto()
    ADMINS_OF_SENDER_ADDRESS = auto()
    ADMINS = auto()
    MAILBOX_OWNERS_OF_TENANT = auto()
    GRANTEE = auto()
    GRANTEES_OF_MAILBOX = auto()
    GRANTEES_OF_MEMBER = auto()


class Names(Enum):
    """Which people, or other notices, the notice names."""

    NOBODY = auto()
    BLOCKED = auto()
    FAILED = auto()
    # These are about single emails: several events of one cause are one notice.
    IN_REVIEW = auto()
    IN_DRAFTS = auto()
    SUMMARIZED = auto()


class News(Enum):
    """Who is notified, and for how long the event is news."""

    TO_OTHERS = auto()  # nobody is notified of their own act
    TO_EVERYBODY = auto()  # the actor too: if it was not really them, this is how they find out
    TO_RESUME = auto()  # the actor too, while they have sequences to resume
    WHILE_IT_TOUCHES = auto()


@dataclass(frozen=True, slots=True)
class Webhook:
    """The webhook's type, and the payload fields it sends. Every webhook also says who acted and what was paused."""

    type: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventType:
    """Everything about one kind of event. ``paused_because``: a clause, or None if the event pauses nothing.

    ``category``: by which members choose how its notices come. ``recovery``: what ends the incident that its notice is; None: it is
    news, and no incident. ``only_by_email``: it has no notice in the app, where everything in it is.
    """

    payload: type[Payload]
    notice: Callable[[Facts], Notice]
    touches: Touches
    paused_because: str | None = None
    also: tuple[Also, ...] = ()
    names: Names = Names.NOBODY
    news: News = News.TO_OTHERS
    webhook: Webhook | None = None
    category: Category = Category.NEWS
    recovery: Recovery | None = None
    only_by_email: bool = False

    @property
    def pauses(self) -> bool:
        """Does it pause the sequences it affects?"""
        return self.paused_because is not None

    @property
    def about_emails(self) -> bool:
        """Is it about individual emails?"""
        return self.names in (Names.IN_REVIEW, Names.IN_DRAFTS)

    @property
    def passes(self) -> bool:
        """Can it be over before anybody is notified?"""
        return self.pauses or self.about_emails or self.news in (News.TO_RESUME, News.WHILE_IT_TOUCHES)
