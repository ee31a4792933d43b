"""The requests we make of Microsoft Graph. Nothing here does IO.

Questions come from msgraph-sdk's builders. What is written about emails is written out: the SDK's models and URL templates
take 0.6 ms of CPU for the two requests of an email, twice what sending them takes (docs/decisions/0013).
"""

import re
from datetime import datetime
from urllib.parse import quote

import orjson
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.models.subscription import Subscription
from msgraph.generated.organization.organization_request_builder import OrganizationRequestBuilder
from msgraph.generated.users.item.mail_folders.item.mail_folder_item_request_builder import (
    MailFolderItemRequestBuilder,
)
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import (
    MessagesRequestBuilder as FolderMessagesRequestBuilder,
)
from msgraph.generated.users.item.messages.item.message_item_request_builder import MessageItemRequestBuilder
from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
from msgraph.graph_service_client import GraphServiceClient

from domain.message import OutgoingMessage
from transports.base import Thread
from transports.graph_client import Builder, Written

# The name's case matters to Exchange, the value's does not ("singleValueLegacyExtendedProperty: get").
MARKER_PROPERTY = "String {00020329-0000-0000-C000-000000000046} Name OnbehalfDelivery"
IN_REPLY_TO_PROPERTY, REFERENCES_PROPERTY = "String 0x1042", "String 0x1039"
_FOUND_FIELDS = ["id", "isDraft", "parentFolderId", "internetMessageId", "conversationId"]
_REPLY_PREFIX = re.compile(
    r"^\s*((re|aw|sv|antw|r|odp|vs|ré|rép|res|tr|fw|fwd)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE
)


def get_person(client: GraphServiceClient) -> RequestInformation:
    """Who the token's owner is."""
    parameters = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(
        select=["id", "mail", "userPrincipalName", "proxyAddresses"]
    )
    return client.me.to_get_request_information(RequestConfiguration(query_parameters=parameters))


def get_organization(client: GraphServiceClient) -> RequestInformation:
    """The tenant's domains. ``User.Read`` is enough for its id, name and domains ("Get organization")."""
    parameters = OrganizationRequestBuilder.OrganizationRequestBuilderGetQueryParameters(
        select=["id", "verifiedDomains"]
    )
    return client.organization.to_get_request_information(RequestConfiguration(query_parameters=parameters))


def get_settings(client: GraphServiceClient) -> RequestInformation:
    """Zone, working hours, automatic replies and purpose of the mailbox."""
    return client.me.mailbox_settings.to_get_request_information()


def get_drafts_folder(client: GraphServiceClient) -> RequestInformation:
    """The id of the Drafts folder."""
    parameters = MailFolderItemRequestBuilder.MailFolderItemRequestBuilderGetQueryParameters(select=["id"])
    return client.me.mail_folders.by_mail_folder_id("drafts").to_get_request_information(
        RequestConfiguration(query_parameters=parameters)
    )


def get_draft(draft_id: str) -> Builder:
    """One item: where it is and what it is called."""
    parameters = MessageItemRequestBuilder.MessageItemRequestBuilderGetQueryParameters(
        select=[*_FOUND_FIELDS, "subject"]
    )
    return lambda client: client.me.messages.by_message_id(draft_id).to_get_request_information(
        RequestConfiguration(query_parameters=parameters)
    )


def create_draft(
    message: OutgoingMessage, subject: str, marker: str, answers: Thread | None = None
) -> Written:
    """A new email as a draft, with its marker. ``answers``: the thread that it goes on with, whose last email is gone."""
    body = _message(message, subject=subject, marker=marker)
    if answers is not None and answers.internet_message_id:
        body["singleValueExtendedProperties"] = [*_marks(marker), *_threading(answers)]
    return _write("POST", "/me/messages", body)


def _threading(thread: Thread) -> list[dict[str, str]]:
    # Headers that do not start with "x-" are refused; their properties are taken (MS-OXPROPS, PidTagInReplyToId and
    # PidTagInternetReferences).
    return [
        {"id": IN_REPLY_TO_PROPERTY, "value": thread.internet_message_id},
        {"id": REFERENCES_PROPERTY, "value": thread.chain},
    ]


def create_reply(parent_id: str, message: OutgoingMessage, marker: str) -> Written:
    """A reply draft on an email of ours. Reply *all*: a plain reply to one's own email goes to oneself."""
    body: dict[str, object] = {"Message": _message(message, marker=marker)}
    return _write("POST", f"{_item(parent_id)}/createReplyAll", body)


def patch_draft(
    draft_id: str, message: OutgoingMessage, *, subject: str | None = None, marker: str | None = None
) -> Written:
    """New contents for a draft; what is None stays as it is."""
    return _write("PATCH", _item(draft_id), _message(message, subject=subject, marker=marker))


def send(draft_id: str) -> Written:
    """The submission."""
    return _write("POST", f"{_item(draft_id)}/send")


def purge(draft_id: str) -> Written:
    """Removal past Deleted Items, so that no id finds it any more."""
    return _write("POST", f"{_item(draft_id)}/permanentDelete")


def _item(item_id: str) -> str:
    return f"/me/messages/{quote(item_id, safe='=')}"  # ids may hold a slash


def _write(method: str, path: str, body: dict[str, object] | None = None) -> Written:
    return Written(method, path, None if body is None else orjson.dumps(body))


def _marked(marker: str) -> str:
    value = marker.replace("'", "''")
    return f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARKER_PROPERTY}' and ep/value eq '{value}')"


def search(marker: str) -> Builder:
    """All items with the marker, in all folders a person sees."""
    parameters = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        filter=_marked(marker), select=_FOUND_FIELDS, top=50
    )
    return lambda client: client.me.messages.to_get_request_information(
        RequestConfiguration(query_parameters=parameters)
    )


def search_purged(marker: str) -> Builder:
    """Items with the marker that were removed for good and are still kept by Exchange."""
    parameters = FolderMessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        filter=_marked(marker), select=_FOUND_FIELDS, top=50
    )
    return lambda client: client.me.mail_folders.by_mail_folder_id(
        "recoverableitemspurges"
    ).messages.to_get_request_information(RequestConfiguration(query_parameters=parameters))


def list_drafts(client: GraphServiceClient) -> RequestInformation:
    """Everything in Drafts, by ids alone."""
    parameters = FolderMessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        select=["id", "isDraft"], top=1000
    )
    return client.me.mail_folders.by_mail_folder_id("drafts").messages.to_get_request_information(
        RequestConfiguration(query_parameters=parameters)
    )


def search_inbox(subject: str) -> Builder:
    """What came under this subject."""
    value = subject.replace("'", "''")
    parameters = FolderMessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        filter=f"subject eq '{value}'", select=_FOUND_FIELDS, top=50
    )
    return lambda client: client.me.mail_folders.by_mail_folder_id(
        "inbox"
    ).messages.to_get_request_information(RequestConfiguration(query_parameters=parameters))


def next_page(link: str) -> Builder:
    """The page that an answer points at."""
    return lambda client: client.me.messages.with_url(link).to_get_request_information()


def _message(
    message: OutgoingMessage, *, subject: str | None = None, marker: str | None = None
) -> dict[str, object]:
    address = {"address": message.recipient.email}
    if message.recipient.name:
        address["name"] = message.recipient.name
    built: dict[str, object] = {
        "toRecipients": [{"emailAddress": address}],
        "ccRecipients": [],
        "bccRecipients": [],
        "body": {"contentType": "html", "content": message.html},
    }
    if subject is not None:
        built["subject"] = subject
    if marker is not None:
        built["singleValueExtendedProperties"] = _marks(marker)
    return built


def _marks(marker: str) -> list[dict[str, str]]:
    return [{"id": MARKER_PROPERTY, "value": marker}]


def recipients_of(item: dict[str, object]) -> list[str]:
    """All addresses that an item would go to, lower case."""
    found: list[str] = []
    for field in ("toRecipients", "ccRecipients", "bccRecipients"):
        entries = item.get(field) or []
        for entry in entries if isinstance(entries, list) else ["unreadable"]:
            address = entry.get("emailAddress") if isinstance(entry, dict) else None
            value = address.get("address") if isinstance(address, dict) else None
            found.append(value.lower() if isinstance(value, str) else "unreadable")
    return found


def same_thread_subject(present: object, wanted: str) -> bool:
    """Whether two subjects differ at most in ``Re:`` and the like."""
    return isinstance(present, str) and _bare(present) == _bare(wanted)


def _bare(subject: str) -> str:
    return _REPLY_PREFIX.sub("", subject).strip().casefold()


def subscribe(url: str, secret: str, until: datetime) -> Builder:
    """Notifications of new items in Sent Items, and of the subscription's own life."""
    wanted = Subscription(
        change_type="created",
        resource="me/mailFolders('sentitems')/messages",
        notification_url=url,
        lifecycle_notification_url=url,
        client_state=secret,
        expiration_date_time=until,
    )
    return lambda client: client.subscriptions.to_post_request_information(wanted)


def renew_subscription(subscription_id: str, until: datetime) -> Builder:
    """A later end."""
    later = Subscription(expiration_date_time=until)
    return lambda client: client.subscriptions.by_subscription_id(
        subscription_id
    ).to_patch_request_information(later)
