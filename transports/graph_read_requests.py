"""The requests that read a mailbox, built with msgraph-sdk's builders. Nothing here does I/O."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.headers_collection import HeadersCollection
from msgraph.generated.users.item.mail_folders.item.mail_folder_item_request_builder import (
    MailFolderItemRequestBuilder,
)
from msgraph.generated.users.item.messages.item.attachments.attachments_request_builder import (
    AttachmentsRequestBuilder,
)
from msgraph.generated.users.item.messages.item.message_item_request_builder import MessageItemRequestBuilder
from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder

from transports.base import MAX_RAW
from transports.graph_adapter import IMMUTABLE_IDS, FirstBytes
from transports.graph_client import Request
from transports.graph_requests import CORRELATION_ID_PROPERTY, IN_REPLY_TO_PROPERTY, REFERENCES_PROPERTY

PAGE = 50  # items
MAX_TEXT = 4 * 1024 * 1024  # bytes of an answer with a body; the web shows no more of an email
CLASS_PROPERTY, ORIGINAL_ID_PROPERTY = "String 0x001A", "String 0x1046"
_HEADER_FIELDS = [
    "id", "internetMessageId", "conversationId", "from", "toRecipients", "ccRecipients", "subject", "receivedDateTime",
    "isDraft", "parentFolderId", "internetMessageHeaders",
]  # fmt: skip
_HEADER_PROPERTIES = (
    CLASS_PROPERTY,
    CORRELATION_ID_PROPERTY,
    IN_REPLY_TO_PROPERTY,
    REFERENCES_PROPERTY,
    ORIGINAL_ID_PROPERTY,
)
_Headers = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters


def list_received(since: datetime, skip: int) -> Request:
    """List what was received at ``since`` or later in all folders, oldest first ("List messages": Deleted Items included).

    What is sorted by has to lead the filter. ``skip``: how many to leave out.
    """
    moment = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    query = _Headers(
        filter=f"receivedDateTime ge {moment}",
        orderby=["receivedDateTime"],
        top=PAGE,
        skip=skip or None,
        select=_HEADER_FIELDS,
        expand=[_expanded(*_HEADER_PROPERTIES)],
    )
    return lambda client: client.me.messages.get(RequestConfiguration(query_parameters=query))


def search_sender(address: str) -> Request:
    """Search what ``address`` wrote, newest first. Finds automatic replies that lists leave out."""
    plain = address.replace('"', "").replace("\\", "")
    query = _Headers(
        search=f'"from:{plain}"',
        top=PAGE,
        select=_HEADER_FIELDS,
        expand=[_expanded(*_HEADER_PROPERTIES)],
    )
    return lambda client: client.me.messages.get(RequestConfiguration(query_parameters=query))


def _expanded(*names: str) -> str:
    # Show these extended properties ("Get singleValueLegacyExtendedProperty").
    any_of = " or ".join(f"id eq '{name}'" for name in names)
    return f"singleValueExtendedProperties($filter={any_of})"


def get_sent_folder() -> Request:
    """Get the id of Sent Items."""
    query = MailFolderItemRequestBuilder.MailFolderItemRequestBuilderGetQueryParameters(select=["id"])
    return lambda client: client.me.mail_folders.by_mail_folder_id("sentitems").get(
        RequestConfiguration(query_parameters=query)
    )


def get_reply(draft_id: str, names: Sequence[str]) -> Request:
    """Get a draft as it is stored: whom it goes to, its HTML and these extended properties."""
    query = MessageItemRequestBuilder.MessageItemRequestBuilderGetQueryParameters(
        select=[
            "id",
            "toRecipients",
            "ccRecipients",
            "bccRecipients",
            "body",
            "internetMessageId",
            "conversationId",
        ],
        expand=[_expanded(*names)],
    )
    return lambda client: client.me.messages.by_message_id(draft_id).get(
        RequestConfiguration(query_parameters=query)
    )


def get_text(message_id: str) -> Request:
    """Get an item's text, the part of it that quotes nothing, and whether it has attachments."""
    return _item(message_id, ["body", "uniqueBody", "hasAttachments"], body="text")


def get_html(message_id: str) -> Request:
    """Get an item's HTML."""
    return _item(message_id, ["body"], body="html")


def get_preview(message_id: str) -> Request:
    """Get the first 255 characters of an item's text, and whether it has attachments."""
    return _item(message_id, ["bodyPreview", "hasAttachments"], body="text")


def _item(message_id: str, fields: list[str], *, body: str) -> Request:
    query = MessageItemRequestBuilder.MessageItemRequestBuilderGetQueryParameters(select=fields)
    headers = HeadersCollection()
    headers.add("Prefer", f'{IMMUTABLE_IDS}, outlook.body-content-type="{body}"')
    asked = RequestConfiguration(query_parameters=query, headers=headers, options=[FirstBytes(MAX_TEXT)])
    return lambda client: client.me.messages.by_message_id(message_id).get(asked)


def list_attachments(message_id: str) -> Request:
    """List an item's attachments without their content."""
    query = AttachmentsRequestBuilder.AttachmentsRequestBuilderGetQueryParameters(
        select=["name", "size", "contentType"]
    )
    return lambda client: client.me.messages.by_message_id(message_id).attachments.get(
        RequestConfiguration(query_parameters=query)
    )


def get_mime(message_id: str) -> Request:
    """Get the beginning of an item as MIME."""
    asked: RequestConfiguration[Any] = RequestConfiguration(options=[FirstBytes(MAX_RAW)])
    return lambda client: client.me.messages.by_message_id(message_id).content.get(asked)
