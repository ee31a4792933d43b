"""Graph mail as the emulator implements it: what a client sees, and what recipients would receive."""

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.lab.emulator.local import MARKER, RITA, Local, at, code, filtering, marked, to


@pytest.fixture
def graph() -> Iterator[Local]:
    local = Local()
    yield local
    local.runner.close()


def test_a_sent_draft_leaves_once_and_the_ledger_shows_what_its_recipients_receive(graph: Local) -> None:
    body = marked() | {"ccRecipients": to("Cc@Example.org"), "bccRecipients": to("bcc@example.org")}
    draft = graph.draft(body)
    assert (draft["isDraft"], graph.ledger()) == (True, [])
    answer = graph.send(draft)
    assert (answer.status_code, answer.content) == (202, b"")
    (entry,) = graph.ledger()
    assert entry["to"] == ["anna@example.org", "cc@example.org", "bcc@example.org"]
    assert (entry["mailbox"], entry["sender"], entry["via"]) == (RITA, RITA, "graph")
    assert (entry["subject"], entry["body"], entry["correlation_id"]) == ("An offer", "<p>Hello</p>", "key-1")
    assert entry["internet_message_id"] == draft["internetMessageId"]
    assert entry["conversation_id"] == draft["conversationId"]
    assert entry["token"] == hashlib.sha256(f"Bearer {graph.token}".encode()).hexdigest()[:16]


def test_an_accepted_item_stays_in_drafts_for_a_while_although_its_copy_has_left(graph: Local) -> None:
    graph.switch(drafts_delay=60.0)
    draft = graph.draft()
    graph.send(draft)
    assert len(graph.ledger()) == 1
    assert [each["isDraft"] for each in graph.listed("drafts")] == [True]
    assert graph.listed("sentitems") == []
    graph.world.mailboxes[RITA].messages[draft["id"]].accepted_at -= 60.0  # type: ignore[operator]
    (sent,) = graph.listed("sentitems")
    assert (sent["isDraft"], graph.listed("drafts")) == (False, [])
    assert sent["parentFolderId"] == graph("GET", "/v1.0/me/mailFolders/sentitems").json()["id"]
    assert len(graph.ledger()) == 1


def test_an_item_can_stay_a_draft_for_ever(graph: Local) -> None:
    graph.switch(leaves_drafts=False)
    graph.send(graph.draft())
    assert (len(graph.listed("drafts")), graph.listed("sentitems"), len(graph.ledger())) == (1, [], 1)


def test_between_the_folders_an_item_is_in_neither(graph: Local) -> None:
    graph.switch(sent_gap=60.0)
    graph.send(graph.draft(marked()))
    assert graph.listed("drafts") == graph.listed("sentitems") == graph.listed(**filtering()) == []
    graph.switch(sent_gap=0.0)
    assert len(graph.listed("sentitems")) == len(graph.listed(**filtering())) == 1


@pytest.mark.parametrize("switches", [{"copy_delay": 60.0}, {"copy_leaves": False}])
def test_a_copy_leaves_late_or_never(graph: Local, switches: dict[str, Any]) -> None:
    graph.switch(**switches)
    assert graph.send(graph.draft()).status_code == 202
    assert graph.ledger() == []
    graph.switch(copy_delay=0.0, copy_leaves=True)
    assert len(graph.ledger()) == 1


@pytest.mark.parametrize("survives", [True, False])
def test_an_id_survives_the_move_or_the_item_gets_a_new_one(graph: Local, survives: bool) -> None:
    graph.switch(immutable_id_survives=survives)
    draft = graph.draft(marked())
    graph.send(draft)
    assert graph("GET", at(draft)).status_code == (200 if survives else 404)
    (sent,) = graph.listed("sentitems")
    assert (sent["id"] == draft["id"]) is survives
    assert graph.listed(**filtering()) == [sent]
    assert graph.listed(**{"$filter": f"internetMessageId eq '{draft['internetMessageId']}'"}) == [sent]


@pytest.mark.parametrize("keeps", [True, False])
def test_the_sent_item_keeps_its_internet_message_id_or_not(graph: Local, keeps: bool) -> None:
    graph.switch(keeps_internet_message_id=keeps)
    draft = graph.draft()
    graph.send(draft)
    assert (graph.listed("sentitems")[0]["internetMessageId"] == draft["internetMessageId"]) is keeps


@pytest.mark.parametrize("survives", [True, False])
def test_the_sent_item_keeps_its_correlation_id_or_not(graph: Local, survives: bool) -> None:
    graph.switch(correlation_id_survives=survives)
    graph.send(graph.draft(marked()))
    assert len(graph.listed("sentitems")) == 1
    assert len(graph.listed(**filtering())) == (1 if survives else 0)
    assert graph.ledger()[0]["correlation_id"] == "key-1"


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        (MARKER, "KEY'S", True),
        (MARKER.replace("C000", "c000"), "key's", True),
        (MARKER.replace("SendKey", "sendkey"), "key's", False),
        (MARKER, "key", False),
    ],
)
def test_a_correlation_id_is_found_by_its_exact_name_and_a_value_in_any_case(
    graph: Local, name: str, value: str, found: bool
) -> None:
    graph.draft(marked("Key's"))
    graph.draft(marked("another"))
    assert len(graph.listed(**filtering(name, value.replace("'", "''")))) == found


def test_a_correlation_id_is_found_in_every_folder_and_shown_only_where_expanded(graph: Local) -> None:
    deleted, sent = graph.draft(marked()), graph.draft(marked())
    graph.draft(marked())
    assert graph("DELETE", at(deleted)).status_code == 204
    graph.send(sent)
    assert [len(graph.listed(folder)) for folder in ("drafts", "sentitems", "deleteditems")] == [1, 1, 1]
    assert len(found := graph.listed(**filtering())) == 3
    assert not any("singleValueExtendedProperties" in each for each in found)
    shown = graph("GET", at(sent), params={"$expand": "singleValueExtendedProperties"}).json()
    assert [each["value"] for each in shown["singleValueExtendedProperties"]] == ["key-1"]


@pytest.mark.parametrize("delay", [0.0, 60.0])
@pytest.mark.parametrize(
    ("switch", "status", "left"), [("404", 404, 1), ("400", 400, 1), ("202", 202, 1), ("duplicate", 202, 2)]
)
def test_a_second_submission_is_answered_as_switched_and_seen(
    graph: Local, delay: float, switch: str, status: int, left: int
) -> None:
    graph.switch(second_send=switch, drafts_delay=delay)
    draft = graph.draft()
    assert graph.send(draft).status_code == 202
    assert graph.send(draft).status_code == status
    assert len(graph.ledger()) == left
    assert graph.world.violations == [f"{RITA}: an accepted item was submitted again"]


@pytest.mark.parametrize("stops", [True, False])
def test_purging_an_accepted_item_stops_its_copy_or_does_not(graph: Local, stops: bool) -> None:
    graph.switch(purge_stops_copy=stops, copy_delay=60.0, drafts_delay=60.0)
    draft = graph.draft()
    graph.send(draft)
    assert graph("POST", at(draft, "/permanentDelete")).status_code == 204
    assert code(graph("GET", at(draft))) == (404, "ErrorItemNotFound")
    graph.switch(copy_delay=0.0)
    assert len(graph.ledger()) == (0 if stops else 1)


@pytest.mark.parametrize("listable", [True, False])
def test_purged_items_are_listed_only_where_switched_so(graph: Local, listable: bool) -> None:
    graph.switch(purges_listable=listable)
    draft = graph.draft(marked())
    graph("POST", at(draft, "/permanentDelete"))
    found = graph.listed("recoverableitemspurges", **filtering())
    assert [each["id"] for each in found] == ([draft["id"]] if listable else [])
    assert graph.listed(**filtering()) == []


@pytest.mark.parametrize(
    ("action", "address"), [("createReply", RITA), ("createReplyAll", "anna@example.org")]
)
def test_only_reply_all_to_ones_own_email_addresses_the_people_written_to(
    graph: Local, action: str, address: str
) -> None:
    parent = graph.draft()
    graph.send(parent)
    answer = graph("POST", at(parent, f"/{action}"), {"Message": {"importance": "high"}})
    assert answer.status_code == 201
    reply = answer.json()
    assert [each["emailAddress"]["address"] for each in reply["toRecipients"]] == [address]
    assert (reply["subject"], reply["importance"], reply["isDraft"]) == ("RE: An offer", "high", True)


def test_a_reply_to_a_sent_item_carries_its_thread(graph: Local) -> None:
    parent = graph.draft()
    graph.send(parent)
    reply = graph("POST", at(parent, "/createReplyAll")).json()
    graph.send(reply)
    first, second = graph.ledger()
    assert (first["in_reply_to"], second["in_reply_to"]) == ("", parent["internetMessageId"])
    assert first["conversation_id"] == second["conversation_id"]
    again = graph("POST", at(reply, "/createReplyAll")).json()
    assert again["subject"] == "RE: An offer"


def test_a_reply_to_a_draft_carries_no_thread(graph: Local) -> None:
    parent = graph.draft()
    reply = graph("POST", at(parent, "/createReplyAll")).json()
    graph.send(reply)
    (entry,) = graph.ledger()
    assert (entry["in_reply_to"], entry["conversation_id"] == parent["conversationId"]) == ("", False)


def test_a_reply_takes_a_comment_or_a_body_and_not_both(graph: Local) -> None:
    parent = graph.draft()
    both = {"Comment": "Hi", "Message": {"body": {"contentType": "text", "content": "Hi"}}}
    assert code(graph("POST", at(parent, "/createReply"), both)) == (400, "ErrorInvalidRequest")


def test_microsofts_own_client_drafts_sends_and_finds(graph: Local) -> None:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from kiota_authentication_azure.azure_identity_authentication_provider import (
        AzureIdentityAuthenticationProvider,
    )
    from msgraph.generated.models.email_address import EmailAddress
    from msgraph.generated.models.message import Message
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError
    from msgraph.generated.models.recipient import Recipient
    from msgraph.generated.models.single_value_legacy_extended_property import (
        SingleValueLegacyExtendedProperty,
    )
    from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder
    from msgraph.generated.users.item.send_mail.send_mail_post_request_body import SendMailPostRequestBody
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_request_adapter import options as sdk_options
    from msgraph.graph_service_client import GraphServiceClient
    from msgraph_core import GraphClientFactory

    class Credential(AsyncTokenCredential):
        async def get_token(
            self,
            *_scopes: str,
            claims: str | None = None,
            tenant_id: str | None = None,
            enable_cae: bool = False,
            **_: Any,
        ) -> AccessToken:
            return AccessToken(graph.token, 2**31)

        async def close(self) -> None: ...

        async def __aexit__(self, *_: object) -> None: ...

    def email(key: str) -> Message:
        anna = Recipient(email_address=EmailAddress(address="anna@example.org"))
        correlation_id = SingleValueLegacyExtendedProperty(id=MARKER, value=key)
        return Message(
            subject="An offer", to_recipients=[anna], single_value_extended_properties=[correlation_id]
        )

    async def run() -> tuple[Any, Any, Any]:
        wire = httpx.AsyncClient(transport=httpx.ASGITransport(graph.app), trust_env=False)
        http = GraphClientFactory.create_with_default_middleware(client=wire, options=sdk_options)
        authentication = AzureIdentityAuthenticationProvider(
            Credential(), scopes=["Mail.Send"], allowed_hosts=["127.0.0.1"]
        )
        adapter = GraphRequestAdapter(authentication, http)
        adapter.base_url = "http://127.0.0.1/v1.0"
        me = GraphServiceClient(request_adapter=adapter).me
        draft = await me.messages.post(email("key-1"))
        assert draft
        assert draft.id
        await me.messages.by_message_id(draft.id).send.post()
        await me.send_mail.post(SendMailPostRequestBody(message=email("key-2"), save_to_sent_items=True))
        query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(filter=filtering()["$filter"])
        found = await me.messages.get(RequestConfiguration(query_parameters=query))
        with pytest.raises(ODataError) as refused:
            await me.messages.by_message_id("unknown/+=").get()
        assert found
        return draft, found.value, refused.value

    draft, found, refused = graph.runner.run(run())
    assert [(each.id, each.is_draft, each.subject) for each in found] == [(draft.id, False, "An offer")]
    assert (refused.response_status_code, refused.error.code) == (404, "ErrorItemNotFound")
    assert [each["correlation_id"] for each in graph.ledger()] == ["key-1", "key-2"]
