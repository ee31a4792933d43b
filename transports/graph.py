"""Microsoft Graph as a transport: drafts with our correlation id, submitted once, found again by it.

For Graph's behaviour see "Things to know about sending mail", "message: send", "message: createReplyAll",
"singleValueLegacyExtendedProperty" and "message: permanentDelete" in Microsoft's Graph documentation.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from domain.connection import Folder
from domain.errors import PreviousStillDraft, ProviderUnavailable
from domain.message import OutgoingMessage, reply_subject
from transports import graph_read_requests as reads
from transports import graph_requests as requests
from transports.base import (
    Accepted,
    AppTokens,
    Content,
    Draft,
    Found,
    Header,
    MailboxFacts,
    Thread,
    TokenSource,
    User,
)
from transports.graph_calls import GraphCalls, decoded
from transports.graph_client import GraphClient
from transports.graph_errors import Purpose, failure, is_gone, request_id
from transports.graph_reading import (
    content_of,
    draft_of,
    headers_of,
    id_of,
    items_of,
    pages,
    preview_of,
)
from transports.graph_reading import text_of as _text
from transports.graph_replies import WholeReplies
from transports.graph_settings import addresses_of, domains_of, mailbox_facts
from transports.once import read_token
from transports.subjects import same_thread_subject

_MAX_FOLDERS = 50_000  # remembered at a time


class GraphProvider:
    """One per process: holds the HTTP client that its transports share, and opens it at first use."""

    def __init__(self, graph_url: str) -> None:
        self._client = GraphClient(graph_url)
        self._folders: dict[str, bool] = {}
        self._whole_replies = WholeReplies()

    def transport(self, tokens: TokenSource) -> "GraphTransport":
        """Return a transport for one mailbox: that of the owner whose token ``tokens`` returns."""
        return GraphTransport(self._client, tokens, self._folders, self._whole_replies)

    def transport_of(self, tokens: AppTokens) -> "GraphTransport":
        """Return a transport for one mailbox of a tenant, on the application's own token."""
        return GraphTransport(self._client, tokens, self._folders, self._whole_replies, of_tenant=tokens.user)

    def close(self) -> None:
        """Close connections and the loop thread."""
        self._client.close()


class GraphTransport(GraphCalls):
    """``Traceable`` and ``Reads`` for one mailbox. See the protocols in ``transports/base.py``."""

    def __init__(
        self,
        client: GraphClient,
        tokens: TokenSource,
        folders: dict[str, bool],
        whole_replies: WholeReplies,
        of_tenant: Callable[[], User] | None = None,
    ) -> None:
        """``folders``: which ids of folders, of any mailbox, are those of Sent Items. Transports share it and ``whole_replies``.

        ``of_tenant``: as ``GraphCalls`` has it.
        """
        super().__init__(client, tokens, of_tenant)
        self._folders = folders
        self._whole_replies = whole_replies
        self._drafts_folder = ""

    def addresses(self) -> list[str]:
        """Return the account's addresses and sign-in name, primary address first. Needs ``User.Read``."""
        return addresses_of(self._ask(requests.get_person(), Purpose.READ))

    def verify(self) -> MailboxFacts:
        """Return the mailbox's identity and settings. Needs ``User.Read`` and ``MailboxSettings.Read``."""
        if (
            self._of_tenant is not None
        ):  # the application may not read the directory: its owner's sign-in has shown whose it is
            user = self._of_tenant()
            settings = self._ask(requests.get_settings(), Purpose.READ)
            self._ask(requests.get_drafts_folder(), Purpose.READ)
            known = {"id": user.account_id, "mail": user.address}
            return replace(mailbox_facts(known, settings, ""), tenant_id=user.tenant_id)
        person = self._ask(requests.get_person(), Purpose.READ)
        settings = self._ask(requests.get_settings(), Purpose.READ)
        return mailbox_facts(person, settings, read_token(self._tokens).value)

    def verified_domains(self, tenant_id: str) -> frozenset[str]:
        """Return the domains that Microsoft has verified for this tenant; empty if the mailbox is in another one."""
        answer = self._ask(requests.get_organization(), Purpose.READ)
        return domains_of(answer.get("value"), tenant_id)

    def prepare(self, message: OutgoingMessage, correlation_id: str, thread: Thread | None) -> Draft:
        """Create the draft. Raises ``PreviousStillDraft`` while the thread's last email has not left Drafts."""
        subject = message.subject
        if thread is not None:
            reply = self._reply_to(thread, message, correlation_id)
            if reply is not None:
                return reply
            # It is gone, but the candidate still has it, so the new email names the one it answers.
            subject = reply_subject(thread.subject)
        return draft_of(
            self._ask(requests.create_draft(message, subject, correlation_id, thread), Purpose.WRITE)
        )

    def _reply_to(self, thread: Thread, message: OutgoingMessage, correlation_id: str) -> Draft | None:
        """Answer the thread's last email. Returns None if it is gone.

        An email that is known to have left keeps its id, so we answer it without a search. We search if that comes to nothing, as
        after a move of the mailbox, which makes ids invalid.
        """
        known = thread.item_id or (thread.draft_id if thread.left else "")
        if known:
            reply = self._reply(known, message, correlation_id, thread)
            if reply is not None:
                return reply
        found = self.find(thread.correlation_id) if thread.correlation_id else ()
        left = next((item.id for item in found if not item.is_draft), None)
        if left is not None:
            return self._reply(left, message, correlation_id)
        if any(item.id == thread.draft_id for item in found):
            # Not just any draft with the correlation id: a late request may have left a duplicate, which never leaves.
            raise PreviousStillDraft(
                "The email before this one has not left Drafts yet.", code="thread_not_sent_yet"
            )
        return None

    def _reply(
        self, parent_id: str, message: OutgoingMessage, correlation_id: str, unsure: Thread | None = None
    ) -> Draft | None:
        """Create a reply draft that has our correlation id from the start. Returns None if the email to answer is gone.

        ``unsure``: the thread, if nobody has looked whether its email is still there under this id. Returns None too if the reply
        is not of its conversation: a reply to a draft does not join it (microsoft-graph-docs issue 4355), and somebody may have
        moved a draft that never left out of Drafts.
        """
        answer = self._answer(requests.create_reply(parent_id, message, correlation_id), Purpose.WRITE)
        if is_gone(answer.status, answer.body) or (unsure is not None and answer.status in (400, 404)):
            return None
        created = decoded(answer, Purpose.WRITE)
        draft = draft_of(created)
        if unsure is not None and unsure.conversation_id not in ("", draft.conversation_id):
            self.recall(draft.id)
            return None
        if self._whole_replies.hold(
            self._tokens.organization,
            created,
            message,
            correlation_id,
            lambda names: self._read(reads.get_reply(draft.id, names)),
        ):
            return draft
        # A reply-all with other recipients would reach the wrong people. So we set everything again and read it back.
        written = self._ask(
            requests.patch_draft(draft.id, message, correlation_id=correlation_id), Purpose.WRITE
        )
        if requests.recipients_of(written) != [message.recipient.email.lower()]:
            self.recall(draft.id)
            raise ProviderUnavailable(
                "Microsoft did not take the recipient of a reply.", code="recipients_not_taken"
            )
        return draft_of(written)

    def update(self, draft: Draft, message: OutgoingMessage) -> Draft:
        """Replace a certainly unsent draft's content. A reply keeps its own subject, or it would leave its thread."""
        now = self._ask(requests.get_draft(draft.id), Purpose.READ)
        if now.get("isDraft") is not True:
            raise ProviderUnavailable("The draft is not a draft any more.", code="draft_moved")
        keep = same_thread_subject(now.get("subject"), message.subject)
        patch = requests.patch_draft(draft.id, message, subject=None if keep else message.subject)
        return draft_of(self._ask(patch, Purpose.WRITE))

    def send(self, draft: Draft) -> Accepted:
        """Submit the draft once. A 202 means acceptance, whatever its headers say (msgraph-sdk-java issue 1487)."""
        answer = self._answer(requests.send(draft.id), Purpose.SEND)
        if answer.status == 202:
            return Accepted(request_id(answer.headers))
        raise failure(answer.status, answer.headers, answer.body, Purpose.SEND)

    def find(self, correlation_id: str) -> Sequence[Found]:
        """Return all items with the correlation id, in all folders: Drafts, Sent Items, Deleted Items and the owner's own."""
        return self._pages(requests.search(correlation_id))

    def drafts(self) -> frozenset[str]:
        """Return the ids of everything in Drafts, with one request per thousand."""
        return frozenset(item.id for item in self._pages(requests.list_drafts()))

    def received(self, subject: str) -> int:
        """Count emails in the Inbox with exactly this subject."""
        return len(self._pages(requests.search_inbox(subject)))

    def find_purged(self, correlation_id: str) -> Sequence[Found]:
        """Return permanently deleted items with the correlation id.

        Whether Exchange shows them is assumption A6; only a probe asks.
        """
        return self._pages(requests.search_purged(correlation_id))

    def recall(self, draft_id: str) -> bool:
        """Delete a draft permanently if it is in Drafts. Returns True if it was there and is gone."""
        answer = self._answer(requests.get_draft(draft_id), Purpose.READ)
        if is_gone(answer.status, answer.body):
            return False
        item = decoded(answer, Purpose.READ)
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

    def incoming(self, since: datetime) -> Iterator[Sequence[Header]]:
        """Yield pages of what was received at ``since`` or later, oldest first, over all folders. See ``graph_reading.pages``."""
        return pages(self._read, since, self._in_sent_items)

    def written_by(self, address: str) -> Sequence[Header]:
        """Return the newest items from an address, with those that lists leave out."""
        items = items_of(self._read(reads.search_sender(address)))
        return headers_of(items, self._in_sent_items(items))

    def message(self, provider_id: str) -> Content | None:
        """Return what an item says. None: it is gone."""
        answer = self._answer(reads.get_text(provider_id), Purpose.READ)
        if is_gone(answer.status, answer.body):
            return None
        if answer.cut:
            item = self._read(reads.get_preview(provider_id))
            return preview_of(item, self._attachments(provider_id, item))
        item = decoded(answer, Purpose.READ)
        html = self._answer(reads.get_html(provider_id), Purpose.READ)
        shown = None if html.cut else decoded(html, Purpose.READ)
        return content_of(item, shown, self._attachments(provider_id, item))

    def _attachments(self, provider_id: str, item: dict[str, object]) -> list[dict[str, object]]:
        if item.get("hasAttachments") is not True:
            return []
        return items_of(self._read(reads.list_attachments(provider_id)))

    def raw(self, provider_id: str) -> bytes | None:
        """Return an item as MIME: its first ``MAX_RAW`` bytes. None: it is gone."""
        answer = self._answer(reads.get_mime(provider_id), Purpose.READ)
        if is_gone(answer.status, answer.body):
            return None
        if not 200 <= answer.status < 300:
            raise failure(answer.status, answer.headers, answer.body, Purpose.READ)
        return answer.body

    def _in_sent_items(self, items: list[dict[str, object]]) -> list[bool]:
        folders = [_text(item, "parentFolderId") for item in items]
        known = {each: self._folders.get(each) for each in folders}
        if None in known.values():
            sent = id_of(self._read(reads.get_sent_folder()))
            known = {each: each == sent for each in folders}
            if len(self._folders) > _MAX_FOLDERS:
                self._folders.clear()
            self._folders.update({each: each == sent for each in folders})
        return [known[each] is True for each in folders]

    def subscribe(self, url: str, secret: str, until: datetime, folder: Folder) -> str:
        """Subscribe ``url`` to new items in Sent Items and to lifecycle notifications; returns the subscription's id.

        Graph calls ``url`` before it answers. Every notification carries ``secret``.
        """
        return id_of(self._ask(requests.subscribe(url, secret, until, folder), Purpose.WRITE))

    def renew_subscription(self, subscription_id: str, until: datetime) -> bool:
        """Extend a subscription. Returns False if it is gone."""
        answer = self._answer(requests.renew_subscription(subscription_id, until), Purpose.WRITE)
        if is_gone(answer.status, answer.body):
            return False
        decoded(answer, Purpose.WRITE)
        return True

    def close(self) -> None:
        """Do nothing: the provider owns the connections."""
