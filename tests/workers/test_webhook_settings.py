"""Webhooks hear of the events that they chose, are disabled, get a new secret without a gap, and get a delivery again."""

import json
import re
from uuid import UUID

import httpx
import pytest
import standardwebhooks

from actions import webhooks, withdraw
from db.core.ids import new_id
from domain.errors import InvalidInput, NotFound, NotPermitted
from lab.access_records import Organization, WebhookCall
from lab.records import AuditEntry, Event
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli, ok
from tests.web.test_api import Api, client, is_problem, key_of
from tests.web.visitor import Visitor, email_of, known_account
from tests.workers.test_call_webhook import Receiver, add, paused, receiver

__all__ = ["cli", "client", "paused", "receiver"]
pytestmark = pytest.mark.usefixtures("paused")


@pytest.fixture
def hook(stage: Stage, receiver: Receiver) -> tuple[UUID, str]:
    return add(stage, receiver)


@pytest.fixture
def whole(stage: Stage) -> UUID:
    return stage.world.organization_id


def end_permission(stage: Stage, grant: UUID) -> None:
    withdraw.revoke_grant(stage.runtime, grant, actor="Hans Holder")
    stage.run_outbox()


def verifies(secret: str, call: tuple[dict[str, str], bytes]) -> bool:
    try:
        standardwebhooks.Webhook(secret).verify(call[1].decode(), call[0])
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


def test_it_hears_of_the_events_that_it_chose(
    stage: Stage,
    receiver: Receiver,
    hook: tuple[UUID, str],
    paused: UUID,
    whole: UUID,
) -> None:
    assert webhooks.choose_events(stage.runtime, whole, hook[0], ["mailbox.connected"], actor="Ada")
    assert not webhooks.choose_events(stage.runtime, whole, hook[0], ["mailbox.connected"], actor="Ada")
    end_permission(stage, paused)
    assert receiver.calls == []
    for wrong in ([], ["nothing"]):
        with pytest.raises(InvalidInput):
            webhooks.choose_events(stage.runtime, whole, hook[0], wrong, actor="Ada")
    assert webhooks.choose_events(stage.runtime, whole, hook[0], None, actor="Ada")
    withdraw.disconnect_mailbox(stage.runtime, stage.only(Event).payload["mailbox_id"], actor="Hans")
    stage.run_outbox()
    assert [json.loads(body)["type"] for _, body in receiver.calls] == ["mailbox.disconnected"]


def test_disabled_it_is_not_called_and_what_waited_is_sent_again_once_enabled(
    stage: Stage,
    receiver: Receiver,
    hook: tuple[UUID, str],
    paused: UUID,
    whole: UUID,
) -> None:
    receiver.statuses = [503]
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans Holder")
    assert webhooks.disable(stage.runtime, whole, hook[0], actor="Ada")
    assert not webhooks.disable(stage.runtime, whole, hook[0], actor="Ada")
    stage.run_outbox()
    assert receiver.calls == []
    assert webhooks.enable(stage.runtime, whole, hook[0], actor="Ada")
    stage.run_outbox()
    assert receiver.calls == [], "what happened meanwhile is not kept for it"


def test_a_delivery_is_sent_again_however_it_ended(
    stage: Stage,
    receiver: Receiver,
    hook: tuple[UUID, str],
    paused: UUID,
    whole: UUID,
) -> None:
    end_permission(stage, paused)
    assert len(receiver.calls) == 1
    event = stage.only(WebhookCall).event_id
    assert webhooks.send_again(stage.runtime, whole, hook[0], event)
    assert not webhooks.send_again(stage.runtime, whole, hook[0], event), "a second click"
    stage.run_outbox()
    assert [headers["webhook-id"] for headers, _ in receiver.calls] == [str(event)] * 2
    stage.put(WebhookCall, state="given_up", answer="503")
    assert webhooks.send_again(stage.runtime, whole, hook[0], event)
    webhooks.disable(stage.runtime, whole, hook[0], actor="Ada")
    stage.run_outbox()
    assert (stage.only(WebhookCall).state, stage.only(WebhookCall).answer) == ("given_up", "disabled")
    with pytest.raises(NotPermitted, match="Enable it first"):
        webhooks.send_again(stage.runtime, whole, hook[0], event)
    webhooks.enable(stage.runtime, whole, hook[0], actor="Ada")
    with pytest.raises(NotFound):
        webhooks.send_again(stage.runtime, whole, hook[0], new_id())
    assert webhooks.send_again(stage.runtime, whole, hook[0], event)
    stage.run_outbox()
    assert len(receiver.calls) == 3


def test_both_secrets_sign_until_the_new_one_is_confirmed(
    stage: Stage,
    receiver: Receiver,
    hook: tuple[UUID, str],
    paused: UUID,
    whole: UUID,
) -> None:
    old = hook[1]
    new = webhooks.replace_secret(stage.runtime, whole, hook[0], actor="Ada")
    end_permission(stage, paused)
    assert [verifies(each, receiver.calls[0]) for each in (old, new)] == [True, True]
    assert webhooks.confirm_secret(stage.runtime, whole, hook[0], actor="Ada")
    assert not webhooks.confirm_secret(stage.runtime, whole, hook[0], actor="Ada")
    webhooks.send_again(stage.runtime, whole, hook[0], stage.only(WebhookCall).event_id)
    stage.run_outbox()
    assert [verifies(each, receiver.calls[1]) for each in (old, new)] == [False, True]
    said = [each.action for each in stage.all(AuditEntry) if each.subject == f"webhook:{hook[0]}"]
    assert said == ["webhook_added", "webhook_secret_made", "webhook_secret_confirmed"]


def test_an_admin_does_it_on_pages(
    stage: Stage,
    receiver: Receiver,
    hook: tuple[UUID, str],
    paused: UUID,
) -> None:
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    visitor = Visitor(stage).sign_in(email_of(stage, ada))
    here = f"/settings/api/webhooks/{hook[0]}"
    assert here in visitor.get("/settings/api").text
    visitor.get(here).send(here, None, which="some", event=["permission.ended"]).follow()
    assert "Saved. It counts for events from now on." in visitor.text
    visitor.send(here, None, which="some")
    assert (visitor.status, "Nothing is chosen." in visitor.text) == (422, True)
    visitor.send(f"{here}/secret").follow()
    (new,) = re.findall(r'id="made" value="([^"]+)"', visitor.text)
    visitor.send(f"{here}/secret").follow()
    assert new in visitor.text, "a second click makes no third secret"
    visitor.send(f"{here}/confirm").follow()
    end_permission(stage, paused)
    assert verifies(new, receiver.calls[0])
    assert "Send again" in visitor.get("/settings/api").text
    visitor.send(f"/settings/api/webhooks/{hook[0]}/calls/{stage.only(WebhookCall).event_id}/again").follow()
    assert "It is sent again." in visitor.text
    visitor.send(f"{here}/disable").follow()
    assert "We do not call it." in visitor.text
    visitor.send(f"{here}/enable").follow()
    assert "It is enabled, for events from now on." in visitor.text


def test_programs_and_operators_do_it_too(
    stage: Stage,
    hook: tuple[UUID, str],
    paused: UUID,
    cli: Cli,
    client: httpx.Client,
) -> None:
    end_permission(stage, paused)
    event = stage.only(WebhookCall).event_id
    api, path = Api(client, key_of(stage.world, "read", "manage")), f"/webhooks/{hook[0]}"
    assert api.post(f"{path}/events", {"events": ["mailbox.lost"]}).json()["changed"]
    assert api.get("/webhooks").json()["items"][0]["events"] == ["mailbox.lost"]
    is_problem(api.post(f"{path}/events", {"events": ["nothing"]}), 422)
    assert [api.post(f"{path}/{each}").json()["changed"] for each in ("disable", "enable")] == [True, True]
    assert api.post(f"{path}/secret").json()["secret"].startswith("whsec_")
    is_problem(api.post(f"{path}/secret", once="a key"), 422)
    assert api.post(f"{path}/secret/confirm").json()["changed"]
    assert api.post(f"{path}/calls/{event}/again").json()["changed"]
    is_problem(api.post(f"/webhooks/{new_id()}/disable"), 404)
    name, which = stage.only(Organization).name, str(hook[0])
    stage.run_outbox()
    assert ok(cli("webhook", "events", name, which, "--all", "--json"))["changed"]
    assert [ok(cli("webhook", each, name, which, "--json"))["changed"] for each in ("disable", "enable")] == [
        True,
        True,
    ]
    assert ok(cli("webhook", "new-secret", name, which, "--json"))["secret"].startswith("whsec_")
    assert ok(cli("webhook", "confirm-secret", name, which, "--json"))["changed"]
    assert ok(cli("webhook", "send-again", name, which, event, "--json"))["changed"]
