"""Gmail as a transport: drafts with our Message-ID, submitted once, found again by it.

A draft has an id that stays; its message changes its id with every change and again when it is sent. "When the draft is sent,
the draft is automatically deleted and a new message with an updated ID is created with the SENT system label" ("Create and
send email drafts", developers.google.com/workspace/gmail/api/guides/drafts). So ids of drafts say nothing about sent emails.

What we assume of Gmail and nobody has measured: it keeps the Message-ID of a draft that it sends (huacnlee/omamail pull
request 85 says that it does not; FlowCrypt/flowcrypt-browser issue 4269 leaves it open). If it does not, an email in doubt
is not found, and a person decides: nothing is sent twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from domain.connection import SendsBy
from domain.errors import DeliveryInDoubt, PreviousStillDraft, ProviderUnavailable
from domain.message import OutgoingMessage, reply_subject
from transports.base import Accepted, Draft, Found, MailboxFacts, Thread, TokenSource
from transports.gmail_answers import Item, id_of, item_of, json_of, list_of, text_of
from transports.gmail_client import GmailClient, Request
from transports.gmail_errors import Purpose, failure, is_gone
from transports.gmail_headers import KnownHeaders
from transports.gmail_mailbox import ME, GmailMailbox, Spend, decoded_answer
from transports.gmail_message import CORRELATION_HEADER, header_value, message_id, raw
from transports.gmail_quota import Pace
from transports.gmail_settings import mailbox_facts
from transports.subjects import same_thread_subject

_DRAFT_FIELDS = "id,message(id,threadId)"
_HEADERS = ["Message-ID", "In-Reply-To", "References", "Subject", CORRELATION_HEADER]
_ITEM_FIELDS = "id,threadId,labelIds,payload/headers"
_MAX_PAGES = 20  # a search for one Message-ID has one item
_MAX_TRIES = 3  # a draft is being sent or changed while we look


class GmailProvider:
    """One per process: holds the client that its transports share, and opens it at first use. ``url``: an emulator's, or empty."""

    def __init__(self, url: str = "") -> None:
        self._client, self._known, self._pace = GmailClient(url), KnownHeaders(), Pace()

    def transport(self, tokens: TokenSource, sends_by: Callable[[], SendsBy]) -> "GmailTransport":
        """Return a transport for one mailbox. ``sends_by``: reads its address and the name that it sends under."""
        return GmailTransport(self._client, self._known, self._pace, tokens, sends_by)

    def close(self) -> None:
        """Close connections and the loop thread."""
        self._client.close()


class GmailTransport(GmailMailbox):
    """``Traceable``, ``KeepsLog`` and ``Publishes`` for one mailbox. See the protocols in ``transports/base.py``."""

    def verify(self) -> MailboxFacts:
        """Return the mailbox's identity and settings."""
        who = self.ask(lambda gmail: gmail.who.get(), Purpose.READ)
        send_as = self.ask(lambda gmail: gmail.send_as.list(userId=ME), Purpose.READ)
        vacation = self.ask(lambda gmail: gmail.settings.getVacation(userId=ME), Purpose.READ)
        return mailbox_facts(who, send_as.get("sendAs"), vacation)

    def prepare(self, message: OutgoingMessage, correlation_id: str, thread: Thread | None) -> Draft:
        """Create the draft. Raises ``PreviousStillDraft`` while the thread's last email is still a draft.

        An email joins a thread by the thread's id, its References and In-Reply-To, and the subject, all of them ("Manage threads").
        """
        subject, thread_id, threading = message.subject, "", dict[str, str]()
        if thread is not None:
            subject = reply_subject(thread.subject)
            parent = self._parent(thread)
            if parent is not None:
                before = thread.references or tuple(parent.headers.get("references", "").split())
                thread = replace(thread, internet_message_id=parent.message_id, references=before)
                thread_id = parent.thread_id
            if thread.internet_message_id:
                # It may be gone here, but the candidate still has it, so the new email names the one it answers.
                threading = {"In-Reply-To": thread.internet_message_id, "References": thread.chain}
        identity = message_id(correlation_id, self.address.email)
        correlation = header_value(correlation_id)
        written = raw(
            message,
            self.address,
            subject=subject,
            identity=identity,
            correlation=correlation,
            threading=threading,
        )
        answer = self.answer(_create(written, thread_id), Purpose.WRITE)
        if thread_id and answer.status in (400, 404):  # the thread is gone since we looked
            answer = self.answer(_create(written, ""), Purpose.WRITE)
        return _draft(decoded_answer(answer, Purpose.WRITE), identity)

    def _parent(self, thread: Thread) -> Item | None:
        """Return the email to answer. None: it is gone."""
        if thread.item_id:
            return self._item(thread.item_id)
        found = self._found(thread.correlation_id) if thread.correlation_id else []
        left = next((item for _, item in found if not item.is_draft), None)
        if left is None and any(draft_id == thread.draft_id for draft_id, _ in found):
            raise PreviousStillDraft(
                "The email before this one is still a draft.", code="thread_not_sent_yet"
            )
        return left

    def update(self, draft: Draft, message: OutgoingMessage) -> Draft:
        """Replace a certainly unsent draft's content. A reply keeps its own subject, or it would leave its thread."""
        answer = self.answer(
            lambda gmail: gmail.drafts.get(
                userId=ME, id=draft.id, format="metadata", fields=f"id,message({_ITEM_FIELDS})"
            ),
            Purpose.READ,
        )
        if is_gone(answer.status, answer.body):
            raise ProviderUnavailable("The draft is not a draft any more.", code="draft_moved")
        now = item_of(decoded_answer(answer, Purpose.READ).get("message"))
        present = now.headers.get("subject", "")
        written = raw(
            message,
            self.address,
            subject=present if same_thread_subject(present, message.subject) else message.subject,
            identity=now.message_id,
            correlation=now.headers.get(CORRELATION_HEADER.lower(), ""),
            threading={
                name: now.headers[name.lower()]
                for name in ("In-Reply-To", "References")
                if name.lower() in now.headers
            },
        )
        body = {"message": {"raw": written, "threadId": now.thread_id}}
        changed = self.ask(
            lambda gmail: gmail.drafts.update(userId=ME, id=draft.id, body=body, fields=_DRAFT_FIELDS),
            Purpose.WRITE,
        )
        return _draft(changed, now.message_id)

    def send(self, draft: Draft) -> Accepted:
        """Submit the draft once. Only an answer that names the sent message means acceptance."""
        answer = self.answer(lambda gmail: gmail.drafts.send(userId=ME, body={"id": draft.id}), Purpose.SEND)
        if not 200 <= answer.status < 300:
            raise failure(answer.status, answer.headers, answer.body, Purpose.SEND)
        try:
            sent = text_of(json_of(answer.body), "id")
        except ProviderUnavailable:
            sent = ""
        if not sent:
            text = "Google's answer does not say whether it took the email."
            raise DeliveryInDoubt(text, code="unreadable_answer")
        return Accepted(sent)

    def find(self, correlation_id: str) -> Sequence[Found]:
        """Return all items with the correlation id, wherever they are, also in Spam and Trash."""
        return [
            Found(draft_id or item.id, item.is_draft, item.message_id, item.thread_id)
            for draft_id, item in self._found(correlation_id, self.spend)
        ]

    def recall(self, draft_id: str) -> bool:
        """Delete a draft permanently. True: it was there and is gone. A sent email has no draft, so it cannot be hit."""
        answer = self.answer(lambda gmail: gmail.drafts.delete(userId=ME, id=draft_id), Purpose.WRITE)
        if is_gone(answer.status, answer.body):
            return False
        if not 200 <= answer.status < 300:
            raise failure(answer.status, answer.headers, answer.body, Purpose.WRITE)
        return True

    def _found(self, correlation_id: str, spend: Spend | None = None) -> list[tuple[str, Item]]:
        """Return the items with the correlation id, each with its draft's id ("" for what has left).

        One answer about an item says both that it is ours and that it is no draft. What changes while we look is looked at again.
        """
        wanted = message_id(correlation_id, self.address.email)
        words = f"rfc822msgid:{wanted.strip('<>')}"
        items: list[Item] = []
        drafts: dict[str, str] = {}
        for _ in range(_MAX_TRIES):
            ids = self._search("messages", words, spend)
            looked = [self._item(each, spend) for each in ids]
            items = [each for each in looked if each is not None]
            drafts = {}
            if any(each.is_draft for each in items):
                drafts = self._search("drafts", words, spend)
            if len(items) == len(ids) and all(each.id in drafts for each in items if each.is_draft):
                break
        correlation = header_value(correlation_id)
        return [
            (drafts.get(each.id, "") if each.is_draft else "", each)
            for each in items
            if each.headers.get(CORRELATION_HEADER.lower()) == correlation
        ]

    def _search(self, kind: Literal["messages", "drafts"], words: str, spend: Spend | None) -> dict[str, str]:
        """Return what a search finds: ids of messages, each with its draft's id (the message's own where messages are searched)."""
        found: dict[str, str] = {}
        shown = "messages/id" if kind == "messages" else "drafts(id,message/id)"
        page: str | None = None
        for _ in range(_MAX_PAGES):
            answer = self.ask(_list(kind, words, f"{shown},nextPageToken", page), Purpose.READ, spend)
            for each in list_of(answer, kind):
                message = each.get("message", each)
                found[id_of(message if isinstance(message, dict) else {})] = id_of(each)
            page = text_of(answer, "nextPageToken") or None
            if page is None:
                return found
        raise ProviderUnavailable("Google's search does not end.", code="endless_pages")

    def _item(self, item_id: str, spend: Spend | None = None) -> Item | None:
        """Return a message. None: it is gone."""
        answer = self.answer(
            lambda gmail: gmail.messages.get(
                userId=ME, id=item_id, format="metadata", metadataHeaders=_HEADERS, fields=_ITEM_FIELDS
            ),
            Purpose.READ,
            spend=spend,
        )
        return None if is_gone(answer.status, answer.body) else item_of(decoded_answer(answer, Purpose.READ))


def _create(written: str, thread_id: str) -> Request:
    body = {"message": {"raw": written} | ({"threadId": thread_id} if thread_id else {})}
    return lambda gmail: gmail.drafts.create(userId=ME, body=body, fields=_DRAFT_FIELDS)


def _list(kind: Literal["messages", "drafts"], words: str, fields: str, page: str | None) -> Request:
    asked = {"userId": ME, "q": words, "includeSpamTrash": True, "fields": fields, "pageToken": page}
    return lambda gmail: (gmail.messages if kind == "messages" else gmail.drafts).list(**asked)


def _draft(made: dict[str, object], identity: str) -> Draft:
    message = made.get("message")
    return Draft(id_of(made), identity, text_of(message if isinstance(message, dict) else {}, "threadId"))
