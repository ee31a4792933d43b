"""The naive way, for comparison: read two rows by ORM, send as documented, mark the row.

No gate, no proof, no receipt.
"""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

import httpx
from azure.core.credentials import AccessToken
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.message import Message
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from transports.graph_requests import CORRELATION_ID_PROPERTY


class Base(DeclarativeBase):
    """Declarative tables."""


class Mailbox(Base):
    """A mailbox with its token in plain text."""

    __tablename__ = "naive_mailboxes"
    id: Mapped[int] = mapped_column(primary_key=True)
    connected: Mapped[bool]
    token: Mapped[str]


class Grant(Base):
    """A permission."""

    __tablename__ = "naive_grants"
    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("naive_mailboxes.id"))
    active: Mapped[bool]


class Outgoing(Base):
    """An email to send."""

    __tablename__ = "naive_outgoing"
    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("naive_grants.id"))
    address: Mapped[str]
    sent_at: Mapped[datetime | None]


class Held:
    """A credential with a fixed token."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_token(self, *_scopes: str, **_: Any) -> AccessToken:
        """The method that azure-core calls."""
        return AccessToken(self._token, int(datetime.now(UTC).timestamp()) + 3600)

    async def close(self) -> None:
        """Nothing to close."""


def client(url: str, token: str, http: httpx.AsyncClient | None = None) -> GraphServiceClient:
    """The SDK's client as documented, except for the address. ``http`` replaces its HTTP client."""
    provider = AzureIdentityAuthenticationProvider(
        Held(token),  # type: ignore[arg-type]  # azure-core's protocol, without the context manager
        scopes=["Mail.Send"],
        allowed_hosts=["127.0.0.1"],
    )
    os.environ.setdefault("NO_PROXY", "127.0.0.1")
    adapter = GraphRequestAdapter(provider, http)
    adapter.base_url = f"{url}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


def message(address: str, correlation_id: str | None = None) -> Message:
    """The email, built as in the SDK's documentation. ``correlation_id``: with the property that our emails have."""
    marked = SingleValueLegacyExtendedProperty(id=CORRELATION_ID_PROPERTY, value=correlation_id)
    return Message(
        single_value_extended_properties=None if correlation_id is None else [marked],
        subject="A role at Acme",
        body=ItemBody(content_type=BodyType.Html, content="<p>Hello there, this is step 1.</p>"),
        to_recipients=[Recipient(email_address=EmailAddress(address=address))],
    )


_engine = (
    create_engine(os.environ["NAIVE_DATABASE_URL"], pool_size=20)
    if "NAIVE_DATABASE_URL" in os.environ
    else None
)


def send(outgoing_id: int) -> None:
    """Check, send, mark."""
    assert _engine is not None
    with Session(_engine) as session:
        outgoing = session.get_one(Outgoing, outgoing_id)
        grant = session.get_one(Grant, outgoing.grant_id)
        mailbox = session.get_one(Mailbox, grant.mailbox_id)
        if not (grant.active and mailbox.connected):
            return
        asyncio.run(_submit(mailbox.token, outgoing.address))
        outgoing.sent_at = datetime.now(UTC).replace(tzinfo=None)
        session.commit()


async def _submit(token: str, address: str) -> None:
    graph = client(os.environ["NAIVE_GRAPH_URL"], token)
    draft = await graph.me.messages.post(message(address))
    assert draft is not None
    assert draft.id is not None
    await graph.me.messages.by_message_id(draft.id).send.post()
