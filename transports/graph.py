"""Microsoft Graph as a transport: drafts with our correlation id, submitted once, found again by it.

What Graph does and when: "Things to know about sending mail", "message: send", "message: createReplyAll",
"singleValueLegacyExtendedProperty" and "message: permanentDelete" in Microsoft's Graph documentation.
"""

import time
from collections.abc import Sequence
from datetime import datetime

import orjson

from domain.delivery import STEP_BACK_AFTER
from domain.errors import DeliveryUnknown, PreviousStillDraft, ProviderUnavailable
from domain.message import OutgoingMessage, reply_subject
from transports import graph_requests as requests
from transports.base import Accepted, Draft, Found, MailboxFacts, Thread, TokenSource
from transports.graph_adapter import UnansweredError, WithdrawalResult
from transports.graph_client import GraphClient, Request, read_token
from transports.graph_errors import Purpose, failure, is_gone, request_id
from transports.graph_settings import addresses_of, domains_of, mailbox_facts

# A search by property may answer empty pages with a link to the next one; more than this is no answer.
_MAX_PAGES = 20


class GraphProvider:
    """Made once per process: holds the HTTP client that all its transports share. Opens it at first use."""

    def __init__(self, graph_url: str) -> None:
        self._client = GraphClient(graph_url)

    def transport(self, tokens: TokenSource) -> "GraphTransport":
        """A transport for one mailbox, the one whose owner's token ``tokens`` gives."""
        return GraphTransport(self._client, tokens)

    def close(self) -> None:
        """Close connections and the loop thread."""
        self._client.close()


class GraphTransport:
    """``Transport`` and ``Traceable`` for one mailbox. See the protocols in ``transports/base.py``."""

    def __init__(self, client: GraphClient, tokens: TokenSource) -> None:
        self._client = client
        self._tokens = tokens
        self._drafts_folder = ""

    def addresses(self) -> list[str]:
        """The account's own addresses and sign-in name, the primary address first. Needs ``User.Read``."""
        return addresses_of(self._ask(requests.get_person(), Purpose.READ))

    def verify(self) -> MailboxFacts:
        """Who the mailbox is and how it is set. Needs ``User.Read`` and ``MailboxSettings.Read``."""
        person = self._ask(requests.get_person(), Purpose.READ)
        settings = self._ask(requests.get_settings(), Purpose.READ)
        return mailbox_facts(person, settings, read_token(self._tokens).value)

    def verified_domains(self, tenant_id: str) -> frozenset[str]:
        """The domains that Microsoft has verified for the tenant of this mailbox; none when it is of another one."""
        answer = self._ask(requests.get_organization(), Purpose.READ)
        return domains_of(answer.get("value"), tenant_id)

    def prepare(self, message: OutgoingMessage, correlation_id: str, thread: Thread | None) -> Draft:
        """Create the draft. ``ProviderUnavailable`` while the thread's last email is still on its way out."""
        subject = message.subject
        if thread is not None:
            found = self.find(thread.correlation_id)
            left = [item for item in found if not item.is_draft]
            if left:
                reply = self._reply(left[0].id, message, correlation_id)
                if reply is not None:
                    return reply
            elif any(item.id == thread.draft_id for item in found):
                # Not any draft with the correlation id: a late request may have left a duplicate, which never leaves.
                # A reply to a draft would not join the conversation (microsoft-graph-docs issue 4355).
                raise PreviousStillDraft(
                    "The email before this one has not left Drafts yet.", code="thread_not_sent_yet"
                )
            # Gone: the candidate has it all the same, so the new email says which one it answers.
            subject = reply_subject(thread.subject)
        return _draft(
            self._ask(requests.create_draft(message, subject, correlation_id, thread), Purpose.WRITE)
        )

    def _reply(self, parent_id: str, message: OutgoingMessage, correlation_id: str) -> Draft | None:
        """A reply draft with our correlation id from its first moment. None: the email to answer is gone."""
        answer = self._answer(requests.create_reply(parent_id, message, correlation_id), Purpose.WRITE)
        if is_gone(answer.status, answer.body):
            return None
        draft = _draft(_decoded(answer, Purpose.WRITE))
        # Which of the reply's properties Graph takes from the request is not promised, and a reply-all that
        # kept recipients of its own would reach the wrong people. So all are set once more, and read back.
        written = self._ask(
            requests.patch_draft(draft.id, message, correlation_id=correlation_id), Purpose.WRITE
        )
        if requests.recipients_of(written) != [message.recipient.email.lower()]:
            self.recall(draft.id)
            raise ProviderUnavailable(
                "Microsoft did not take the recipient of a reply.", code="recipients_not_taken"
            )
        return _draft(written)

    def update(self, draft: Draft, message: OutgoingMessage) -> Draft:
        """New words for a certainly unsent draft. A reply keeps its own subject line, or it would leave its thread."""
        now = self._ask(requests.get_draft(draft.id), Purpose.READ)
        if now.get("isDraft") is not True:
            raise ProviderUnavailable("The draft is not a draft any more.", code="draft_moved")
        keep = requests.same_thread_subject(now.get("subject"), message.subject)
        patch = requests.patch_draft(draft.id, message, subject=None if keep else message.subject)
        return _draft(self._ask(patch, Purpose.WRITE))

    def send(self, draft: Draft) -> Accepted:
        """Submit the draft, once. 202 is acceptance, whatever its headers say (msgraph-sdk-java issue 1487)."""
        answer = self._answer(requests.send(draft.id), Purpose.SEND)
        if answer.status == 202:
            return Accepted(request_id(answer.headers))
        raise failure(answer.status, answer.headers, answer.body, Purpose.SEND)

    def find(self, correlation_id: str) -> Sequence[Found]:
        """All items with the correlation id, in all folders: Drafts, Sent Items, Deleted Items and the owner's own."""
        return self._pages(requests.search(correlation_id))

    def drafts(self) -> frozenset[str]:
        """The ids of everything that lies in Drafts: one request for each thousand."""
        return frozenset(item.id for item in self._pages(requests.list_drafts()))

    def received(self, subject: str) -> int:
        """How many emails with exactly this subject lie in the Inbox."""
        return len(self._pages(requests.search_inbox(subject)))

    def find_purged(self, correlation_id: str) -> Sequence[Found]:
        """Items with the correlation id that were removed for good. Whether Exchange shows them is assumption A6: only a probe asks."""
        return self._pages(requests.search_purged(correlation_id))

    def _pages(self, page: Request) -> Sequence[Found]:
        found: list[Found] = []
        for _ in range(_MAX_PAGES):
            answer = self._ask(page, Purpose.READ)
            items = answer.get("value")
            if not isinstance(items, list):
                raise _unreadable()
            found.extend(_found(item) for item in items)
            link = answer.get("@odata.nextLink")
            if not link:
                return found
            if not isinstance(link, str) or not link.startswith(f"{self._client.base_url}/"):
                raise ProviderUnavailable("Microsoft's next page is somewhere else.", code="foreign_link")
            page = requests.next_page(link)
        raise ProviderUnavailable("Microsoft's search does not end.", code="endless_pages")

    def recall(self, draft_id: str) -> bool:
        """Remove it for good, if it is in Drafts. True: it was, and is gone."""
        answer = self._answer(requests.get_draft(draft_id), Purpose.READ)
        if is_gone(answer.status, answer.body):
            return False
        item = _decoded(answer, Purpose.READ)
        if not self._drafts_folder:
            folder = self._ask(requests.get_drafts_folder(), Purpose.READ).get("id")
            self._drafts_folder = folder if isinstance(folder, str) else ""
        if item.get("isDraft") is not True or item.get("parentFolderId") != self._drafts_folder:
            return False
        answer = self._answer(requests.purge(draft_id), Purpose.WRITE)
        if is_gone(answer.status, answer.body):
            return False
        if not 200 <= answer.status < 300:
            raise failure(answer.status, answer.headers, answer.body, Purpose.WRITE)
        return True

    def subscribe(self, url: str, secret: str, until: datetime) -> str:
        """Have ``url`` notified of new items in Sent Items, and of the subscription's own life; returns its id.

        Graph calls ``url`` before it answers. ``secret`` comes back with every notification.
        """
        return _id(self._ask(requests.subscribe(url, secret, until), Purpose.WRITE))

    def renew_subscription(self, subscription_id: str, until: datetime) -> bool:
        """Let it live until then. False: it is gone."""
        answer = self._answer(requests.renew_subscription(subscription_id, until), Purpose.WRITE)
        if is_gone(answer.status, answer.body):
            return False
        _decoded(answer, Purpose.WRITE)
        return True

    def close(self) -> None:
        """Nothing to give back: the connections are the provider's."""

    def _ask(self, request: Request, purpose: Purpose) -> dict[str, object]:
        return _decoded(self._answer(request, purpose), purpose)

    def _answer(self, request: Request, purpose: Purpose) -> WithdrawalResult:
        """The answer, whatever its status."""
        leave_by = None
        if purpose is Purpose.SEND:
            leave_by = time.monotonic() + STEP_BACK_AFTER.total_seconds()
        try:
            return self._client.call(self._tokens, request, leave_by=leave_by)
        except UnansweredError as error:
            text = "Microsoft did not answer."
            if purpose is Purpose.SEND and error.left:
                raise DeliveryUnknown(f"{text} The email may have left anyway.", code=str(error)) from error
            raise ProviderUnavailable(text, code=str(error)) from error


def _decoded(answer: WithdrawalResult, purpose: Purpose) -> dict[str, object]:
    if not 200 <= answer.status < 300:
        raise failure(answer.status, answer.headers, answer.body, purpose)
    try:
        value = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise _unreadable() from error
    if not isinstance(value, dict):
        raise _unreadable()
    return value


def _unreadable() -> ProviderUnavailable:
    return ProviderUnavailable(
        "Microsoft's answer was cut off, or is not what was asked for.", code="unreadable_answer"
    )


def _draft(item: dict[str, object]) -> Draft:
    return Draft(_id(item), _text(item, "internetMessageId"), _text(item, "conversationId"))


def _found(item: object) -> Found:
    if not isinstance(item, dict) or not isinstance(item.get("isDraft"), bool):
        raise _unreadable()
    return Found(_id(item), item["isDraft"], _text(item, "internetMessageId"), _text(item, "conversationId"))


def _id(item: dict[str, object]) -> str:
    value = _text(item, "id")
    if not value:
        raise _unreadable()
    return value


def _text(item: dict[str, object], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""
