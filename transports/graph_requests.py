"""Our requests to Microsoft Graph, built with msgraph-sdk's builders and models. Nothing here does I/O."""

from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.store import InMemoryBackingStore
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.message import Message
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty
from msgraph.generated.models.subscription import Subscription
from msgraph.generated.organization.organization_request_builder import OrganizationRequestBuilder
from msgraph.generated.users.item.mail_folders.item.mail_folder_item_request_builder import (
    MailFolderItemRequestBuilder,
)
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import (
    MessagesRequestBuilder as FolderMessagesRequestBuilder,
)
from msgraph.generated.users.item.messages.item.create_reply_all.create_reply_all_post_request_body import (
    CreateReplyAllPostRequestBody,
)
from msgraph.generated.users.item.messages.item.message_item_request_builder import MessageItemRequestBuilder
from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder

from domain.connection import Folder
from domain.message import ONE_CLICK, OutgoingMessage
from transports.base import Thread
from transports.graph_client import Mailbox, Request

# Exchange compares the name with case and the value without ("singleValueLegacyExtendedProperty: get").
CORRELATION_ID_PROPERTY = "String {00020329-0000-0000-C000-000000000046} Name OnbehalfDelivery"
IN_REPLY_TO_PROPERTY, REFERENCES_PROPERTY = "String 0x1042", "String 0x1039"
UNSUBSCRIBE_PROPERTY = "String 0x1045"
# PS_INTERNET_HEADERS. The name is always the same, because Exchange counts the names that a mailbox has ever seen.
UNSUBSCRIBE_POST_PROPERTY = "String {00020386-0000-0000-C000-000000000046} Name List-Unsubscribe-Post"
_FOUND_FIELDS = ["id", "isDraft", "parentFolderId", "internetMessageId", "conversationId"]


def get_person() -> Request:
    """Get the token's owner."""
    query = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(
        select=["id", "mail", "userPrincipalName", "proxyAddresses"]
    )
    return lambda client: client.me.get(RequestConfiguration(query_parameters=query))


def get_organization() -> Request:
    """Get the tenant's domains. ``User.Read`` suffices for its id, name and domains ("Get organization")."""
    query = OrganizationRequestBuilder.OrganizationRequestBuilderGetQueryParameters(
        select=["id", "verifiedDomains"]
    )
    return lambda client: client.organization.get(RequestConfiguration(query_parameters=query))


def get_settings() -> Request:
    """Get the mailbox's zone, working hours, automatic replies and purpose."""
    return lambda client: client.me.mailbox_settings.get()


def get_drafts_folder() -> Request:
    """Get the id of the Drafts folder."""
    query = MailFolderItemRequestBuilder.MailFolderItemRequestBuilderGetQueryParameters(select=["id"])
    return lambda client: client.me.mail_folders.by_mail_folder_id("drafts").get(
        RequestConfiguration(query_parameters=query)
    )


def get_draft(draft_id: str) -> Request:
    """Get one item: its location and subject."""
    query = MessageItemRequestBuilder.MessageItemRequestBuilderGetQueryParameters(
        select=[*_FOUND_FIELDS, "subject"]
    )
    return lambda client: client.me.messages.by_message_id(draft_id).get(
        RequestConfiguration(query_parameters=query)
    )


def create_draft(
    message: OutgoingMessage, subject: str, correlation_id: str, answers: Thread | None = None
) -> Request:
    """Create a new email as a draft, with its correlation id. ``answers``: the thread it continues, whose last email is gone."""
    draft = _message(message, subject=subject, correlation_id=correlation_id)
    if answers is not None and answers.internet_message_id:
        draft.single_value_extended_properties = [
            *properties_of(message, correlation_id),
            *_threading(answers),
        ]
    return lambda client: client.me.messages.post(draft)


def _threading(thread: Thread) -> list[SingleValueLegacyExtendedProperty]:
    # Graph refuses headers that do not start with "x-" but takes their properties (MS-OXPROPS, PidTagInReplyToId and
    # PidTagInternetReferences).
    return [
        _property(IN_REPLY_TO_PROPERTY, thread.internet_message_id),
        _property(REFERENCES_PROPERTY, thread.chain),
    ]


def create_reply(parent_id: str, message: OutgoingMessage, correlation_id: str) -> Request:
    """Create a reply draft to one of our emails. Reply *all*: a plain reply to one's own email goes to oneself."""
    reply = _message(message, correlation_id=correlation_id)
    body = CreateReplyAllPostRequestBody(backing_store=_Values(), message=reply)
    return lambda client: client.me.messages.by_message_id(parent_id).create_reply_all.post(body)


def patch_draft(
    draft_id: str, message: OutgoingMessage, *, subject: str | None = None, correlation_id: str | None = None
) -> Request:
    """Replace a draft's content; None leaves a field unchanged."""
    changes = _message(message, subject=subject, correlation_id=correlation_id)
    return lambda client: client.me.messages.by_message_id(draft_id).patch(changes)


def send(draft_id: str) -> Request:
    """Submit a draft."""
    return lambda client: client.me.messages.by_message_id(draft_id).send.post()


def purge(draft_id: str) -> Request:
    """Delete an item past Deleted Items, so that its id finds nothing any more."""
    return lambda client: client.me.messages.by_message_id(draft_id).permanent_delete.post()


def _marked(correlation_id: str) -> str:
    value = correlation_id.replace("'", "''")
    return f"singleValueExtendedProperties/Any(ep: ep/id eq '{CORRELATION_ID_PROPERTY}' and ep/value eq '{value}')"


def search(correlation_id: str) -> Request:
    """Find all items with the correlation id, in all folders that a person sees."""
    query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        filter=_marked(correlation_id), select=_FOUND_FIELDS, top=50
    )
    return lambda client: client.me.messages.get(RequestConfiguration(query_parameters=query))


def search_purged(correlation_id: str) -> Request:
    """Find permanently deleted items with the correlation id that Exchange still keeps."""
    return _in_folder("recoverableitemspurges", _FOUND_FIELDS, 50, _marked(correlation_id))


def list_drafts() -> Request:
    """List the ids of everything in Drafts."""
    return _in_folder("drafts", ["id", "isDraft"], 1000)


def search_inbox(subject: str) -> Request:
    """Find items in the Inbox with this subject."""
    value = subject.replace("'", "''")
    return _in_folder("inbox", _FOUND_FIELDS, 50, f"subject eq '{value}'")


def _in_folder(folder: str, fields: list[str], top: int, matching: str | None = None) -> Request:
    query = FolderMessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        filter=matching, select=fields, top=top
    )
    return lambda client: client.me.mail_folders.by_mail_folder_id(folder).messages.get(
        RequestConfiguration(query_parameters=query)
    )


def next_page(link: str) -> Request:
    """Get the page that an answer links to."""
    return lambda client: client.me.messages.with_url(link).get()


_FOLDERS: dict[Folder, str] = {"sent": "sentitems", "inbox": "inbox"}


def subscribe(url: str, secret: str, until: datetime, folder: Folder) -> Request:
    """Subscribe to new items in a folder and to lifecycle notifications."""

    def request(client: Mailbox) -> Coroutine[Any, Any, object]:
        wanted = Subscription(
            change_type="created",
            resource=f"{client.path}/mailFolders('{_FOLDERS[folder]}')/messages",
            notification_url=url,
            lifecycle_notification_url=url,
            client_state=secret,
            expiration_date_time=until,
        )
        return client.subscriptions.post(wanted)

    return request


def renew_subscription(subscription_id: str, until: datetime) -> Request:
    """Extend a subscription."""
    later = Subscription(expiration_date_time=until)
    return lambda client: client.subscriptions.by_subscription_id(subscription_id).patch(later)


class _Values(InMemoryBackingStore):
    """Storage for the values of an email's models, which are written once, as a whole. The SDK's own store also tracks changes,
    which takes five times as long as the rest of building an email (docs/decisions/0016).
    """

    is_initialization_completed = True

    def __init__(self) -> None:
        self._values: dict[str, object] = {}

    def get(self, key: str) -> object:
        return self._values.get(key)

    def set(self, key: str, value: object) -> None:
        self._values[key] = value


def _message(
    message: OutgoingMessage, *, subject: str | None = None, correlation_id: str | None = None
) -> Message:
    recipient, name = message.recipient, message.recipient.name or None
    address = EmailAddress(backing_store=_Values(), address=recipient.email, name=name)
    return Message(
        backing_store=_Values(),
        to_recipients=[Recipient(backing_store=_Values(), email_address=address)],
        cc_recipients=[],
        bcc_recipients=[],
        body=ItemBody(backing_store=_Values(), content_type=BodyType.Html, content=message.html),
        subject=subject,
        single_value_extended_properties=properties_of(message, correlation_id) or None,
    )


def properties_of(
    message: OutgoingMessage, correlation_id: str | None
) -> list[SingleValueLegacyExtendedProperty]:
    """Return the extended properties of an email: its correlation id and how to unsubscribe."""
    # Graph refuses headers without "x-", but Exchange makes them of these (MS-OXCMAIL, PidTagListUnsubscribe).
    held = [] if correlation_id is None else [_property(CORRELATION_ID_PROPERTY, correlation_id)]
    if (way_out := message.unsubscribe) is not None:
        held.append(_property(UNSUBSCRIBE_PROPERTY, way_out.ways))
        if way_out.url and way_out.one_click_header:
            held.append(_property(UNSUBSCRIBE_POST_PROPERTY, ONE_CLICK))
    return held


def _property(name: str, value: str) -> SingleValueLegacyExtendedProperty:
    return SingleValueLegacyExtendedProperty(backing_store=_Values(), id=name, value=value)


def recipients_of(item: dict[str, object]) -> list[str]:
    """Return all addresses that an item would go to, in lower case."""
    found: list[str] = []
    for field in ("toRecipients", "ccRecipients", "bccRecipients"):
        entries = item.get(field) or []
        for entry in entries if isinstance(entries, list) else ["unreadable"]:
            address = entry.get("emailAddress") if isinstance(entry, dict) else None
            value = address.get("address") if isinstance(address, dict) else None
            found.append(value.lower() if isinstance(value, str) else "unreadable")
    return found
