"""One mailbox at Gmail: its requests, and reading it. Sending from it is in ``transports/gmail.py``."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from domain.address import Address
from domain.connection import SendsBy
from domain.delivery import STEP_BACK_AFTER
from domain.errors import DeliveryInDoubt, ProviderUnavailable
from transports import gmail_log, gmail_watch
from transports import gmail_reading as reading
from transports.base import Added, Content, Header, TokenSource
from transports.gmail_answers import Json, json_of, labels_of
from transports.gmail_client import GmailClient, Request
from transports.gmail_errors import Purpose, failure, is_gone
from transports.gmail_headers import KnownHeaders
from transports.gmail_quota import LOOK, Pace, gives_way
from transports.hints import Watch
from transports.once import MAX_ANSWER, Answer, UnansweredError

ME = "me"
Spend = Callable[[int], None]  # hears what a request costs before it leaves


class GmailMailbox:
    """``KeepsLog`` and ``Publishes`` for one mailbox."""

    def __init__(
        self,
        client: GmailClient,
        known: KnownHeaders,
        pace: Pace,
        tokens: TokenSource,
        sends_by: Callable[[], SendsBy],
    ) -> None:
        self._client, self._known, self._pace = client, known, pace
        self._tokens, self._sends_by = tokens, sends_by
        self._sender: Address | None = None
        self._spent = 0

    def incoming(self, since: datetime) -> Iterator[Sequence[Header]]:
        """Yield pages of what was received at ``since`` or later, oldest first, wherever it is. See ``gmail_reading.pages``."""
        return reading.pages(self._read, self._header, since)

    def message(self, provider_id: str) -> Content | None:
        """Return what an item says. None: it is gone."""
        answer = self.answer(_get(provider_id, "full"), Purpose.READ, most=reading.MAX_TEXT, spend=self.spend)
        if is_gone(answer.status, answer.body):
            return None
        if answer.cut:
            return reading.preview_of(self._read(_get(provider_id, "minimal")))
        return reading.content_of(decoded_answer(answer, Purpose.READ))

    def raw(self, provider_id: str) -> bytes | None:
        """Return an item as MIME: its first ``MAX_RAW`` bytes. None: it is gone."""
        answer = self.answer(
            _get(provider_id, "raw", "raw"), Purpose.READ, most=reading.RAW_ANSWER, spend=self.spend
        )
        if is_gone(answer.status, answer.body):
            return None
        if not 200 <= answer.status < 300:
            raise failure(answer.status, answer.headers, answer.body, Purpose.READ)
        return reading.raw_of(answer.body)

    def stands(self) -> str:
        """Return the mailbox's history id."""
        return gmail_log.stands(self._read)

    def added(self, since: str) -> Added | None:
        """Return what the history has since an id. See ``gmail_log.added``."""
        found = gmail_log.added(lambda request: self.answer(request, Purpose.READ, spend=self.spend), since)
        return None if found is None else Added(found.stands, reading.headers(self._header, found.ids))

    def watch(self, topic: str) -> Watch:
        """Have what comes into the inbox published. See ``gmail_watch.watch``."""
        return gmail_watch.watch(lambda request: self.answer(request, Purpose.READ), topic)

    def unwatch(self) -> None:
        """Have nothing of the account published any more."""
        gmail_watch.unwatch(lambda request: self.answer(request, Purpose.READ))

    def spend(self, units: int) -> None:
        """Wait until a request to read or to look, which costs so much, may leave."""
        self._spent += units
        self._pace.spend(self.address.email, units)

    def gives_way(self) -> timedelta:
        """Return how long the mailbox's emails should wait for what was read since the last call."""
        spent, self._spent = self._spent, 0
        return gives_way(spent)

    def close(self) -> None:
        """Do nothing: the provider owns the connections."""

    def _header(self, item_id: str) -> Json | None:
        if (known := self._known.get(self.address.email, item_id)) is not None:
            return known
        answer = self.answer(_get(item_id, "metadata", reading.HEADER_FIELDS), Purpose.READ, spend=self.spend)
        if is_gone(answer.status, answer.body):
            return None
        item = decoded_answer(answer, Purpose.READ)
        if "DRAFT" not in labels_of(item):
            self._known.keep(self.address.email, item_id, item)
        if "SENT" in labels_of(item):
            self._spent -= LOOK  # of the email's own share
        return item

    def _read(self, request: Request) -> Json:
        return self.ask(request, Purpose.READ, self.spend)

    @property
    def address(self) -> Address:
        """The address that the mailbox writes from."""
        if self._sender is None:
            found = self._sends_by()
            self._sender = Address(found.address, found.sender_name)
        return self._sender

    def ask(self, request: Request, purpose: Purpose, spend: Spend | None = None) -> dict[str, object]:
        """Return what the answer to a request holds, or raise what it means."""
        return decoded_answer(self.answer(request, purpose, spend=spend), purpose)

    def answer(
        self, request: Request, purpose: Purpose, most: int = MAX_ANSWER, spend: Spend | None = None
    ) -> Answer:
        """Return the answer, whatever its status."""
        leave_by = None
        if purpose is Purpose.SEND:
            leave_by = time.monotonic() + STEP_BACK_AFTER.total_seconds()
        try:
            return self._client.call(self._tokens, request, leave_by=leave_by, most=most, spend=spend)
        except UnansweredError as error:
            text = "Google did not answer."
            if purpose is Purpose.SEND and error.left:
                raise DeliveryInDoubt(f"{text} The email may have left anyway.", code=str(error)) from error
            raise ProviderUnavailable(text, code=str(error)) from error


def decoded_answer(answer: Answer, purpose: Purpose) -> dict[str, object]:
    """Return an answer's content, or raise what it means."""
    if not 200 <= answer.status < 300:
        raise failure(answer.status, answer.headers, answer.body, purpose)
    return json_of(answer.body)


def _get(item_id: str, kind: str, fields: str | None = None) -> Request:
    return lambda gmail: gmail.messages.get(userId=ME, id=item_id, format=kind, fields=fields)
