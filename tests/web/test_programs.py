"""API and webhooks: keys and secrets are shown once, webhooks are tried, and the reference has every call."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
import standardwebhooks

from lab.access_records import ApiKey, Member, PageResult, Webhook
from lab.factories import World
from lab.records import AuditEntry
from lab.stage import Stage
from scheduler import sweeper
from tests.commands.test_cli import Cli, cli  # noqa: F401 - a fixture
from tests.web.test_api import Api, api, client, key_of  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of
from tests.workers.test_call_webhook import Receiver, receiver  # noqa: F401 - a fixture

HERE = "/settings/api"
URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def ada(stage: Stage) -> UUID:
    ada = member(stage, "Ada Novak")
    stage.put(Member, ada, role="admin")
    return ada


def visit(stage: Stage, who: UUID, path: str = HERE) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, who)).get(path)


def made(visitor: Visitor, form: str, **fields: str) -> Visitor:
    """Send a form of the page, and go where its answer leads."""
    return sent(visitor, form, **fields).follow()


def sent(visitor: Visitor, form: str, **fields: str) -> Visitor:
    key = re.search('name="key" value="([^"]+)"', visitor.text)
    assert key is not None
    return visitor.send(f"{HERE}/{form}", None, key=key[1], **fields)


def shown_once(visitor: Visitor) -> str:
    found = re.search(r'id="made" value="([^"]+)"', visitor.text)
    assert found is not None
    return found[1]


def test_a_key_is_made_shown_once_and_works_until_it_ends(stage: Stage, ada: UUID, api: Api) -> None:  # noqa: F811
    visitor = made(visit(stage, ada), "keys", name="Reporting", may="read")
    key = shown_once(visitor)
    program = Api(api._client, key)
    assert program.get("/sequences").status_code == 200
    assert program.post("/webhooks", {"url": URL}).status_code == 403
    assert key not in visitor.get(HERE).text
    assert key not in stage.world.dump()
    again = sent(visitor, "keys", name="Reporting", may="read")
    assert again.status == 422
    assert "There is, or was, a key called" in again.text
    key_id = stage.only(ApiKey, name="Reporting").id
    assert "refused from this moment" in visitor.get(f"{HERE}/keys/{key_id}/end").text
    visitor.send(f"{HERE}/keys/{key_id}/end").follow()
    assert "The key Reporting has ended." in visitor.text
    visitor.send(f"{HERE}/keys/{key_id}/end").follow()
    assert "The key Reporting had already ended." in visitor.text
    assert program.get("/sequences").status_code == 401
    assert [each.actor_name for each in stage.all(AuditEntry, action="api_key_revoked")] == ["Ada Novak"]


FORMS = [("keys", {"name": "Reporting", "may": "read"}), ("webhooks", {"url": URL})]


@pytest.mark.parametrize(("form", "fields"), FORMS)
def test_a_double_click_leads_to_the_same_page_with_the_secret(
    stage: Stage, ada: UUID, form: str, fields: dict[str, str]
) -> None:
    visitors = [visit(stage, ada) for _ in range(2)]
    visitors[1].text = visitors[0].text  # the same form, twice at once
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda each: sent(each, form, **fields), visitors))
    assert [each.status for each in answers] == [303, 303]
    assert len({each.url for each in answers}) == 1
    assert len({shown_once(each.follow()) for each in answers}) == 1
    assert stage.count(ApiKey) + stage.count(Webhook) == 1


@pytest.mark.parametrize(("form", "fields"), FORMS)
def test_another_form_and_another_member_are_shown_nothing_of_it(
    stage: Stage, ada: UUID, form: str, fields: dict[str, str]
) -> None:
    visitor = sent(visit(stage, ada), form, **fields)
    place = visitor.url
    visitor.follow()
    assert sent(visitor, form, **fields).status == 422  # the page's form is a new one
    hans = member(stage, "Hans Holder")
    stage.put(Member, hans, role="admin")
    assert 'id="made"' not in visit(stage, hans, place).text


@pytest.mark.parametrize(("form", "fields"), FORMS)
def test_a_secret_is_kept_for_a_minute(stage: Stage, ada: UUID, form: str, fields: dict[str, str]) -> None:
    visitor = visit(stage, ada)
    others = stage.count(PageResult)
    place = sent(visitor, form, **fields).url
    secret = shown_once(visitor.follow())
    assert shown_once(visitor.get(place)) == secret
    sweeper.tidy(stage.world.database)
    assert stage.count(PageResult) == others + 1
    stage.older(PageResult, "created_at", seconds=61)
    assert secret not in visitor.get(place).text
    assert "This secret is no longer shown" in visitor.text
    sweeper.tidy(stage.world.database)
    assert stage.count(PageResult) == others


@pytest.mark.parametrize(
    ("name", "may"), [("", "read"), ("x" * 81, "read"), ("ATS", ""), ("ATS", "everything")]
)
def test_a_key_without_a_name_or_a_scope_is_refused_beside_its_field(
    stage: Stage, ada: UUID, name: str, may: str
) -> None:
    visitor = visit(stage, ada).send(f"{HERE}/keys", name=name, may=may)
    assert visitor.status == 422
    assert 'aria-invalid="true"' in visitor.text
    assert stage.all(ApiKey) == []


def test_the_page_is_for_owners_and_admins_of_this_organization(stage: Stage, ada: UUID) -> None:
    rita = member(stage, "Rita Berger")
    for path in ("", "/reference", "/openapi.json"):
        assert visit(stage, rita, HERE + path).status == 403
    assert visit(stage, rita).send(f"{HERE}/keys", name="x", may="read").status == 403
    other = World(stage.world.database)
    key_of(other, "read")
    theirs = stage.only(ApiKey, organization_id=other.organization_id).id
    visitor = visit(stage, ada)
    assert visitor.get(f"{HERE}/keys/{theirs}/end").status == 404
    assert visitor.send(f"{HERE}/keys/{theirs}/end").status == 404
    assert visitor.send(f"{HERE}/webhooks/{theirs}/test").status == 404


def test_a_webhook_is_added_its_secret_shown_once_and_removed(stage: Stage, ada: UUID) -> None:
    visitor = made(visit(stage, ada), "webhooks", url=URL)
    secret = shown_once(visitor)
    assert secret.startswith("whsec_")
    assert secret not in stage.world.dump()
    assert "whsec_" not in visitor.get(HERE).text
    assert "127.0.0.1:9" in visitor.text
    assert visitor.send(f"{HERE}/webhooks", url=URL).status == 422
    assert visitor.send(f"{HERE}/webhooks", url="ftp://hooks.example").status == 422
    hook = stage.only(Webhook).id
    assert "We stop calling it" in visitor.get(f"{HERE}/webhooks/{hook}/remove").text
    visitor.send(f"{HERE}/webhooks/{hook}/remove").follow()
    assert "The webhook is removed." in visitor.text
    visitor.send(f"{HERE}/webhooks/{hook}/remove").follow()
    assert "was already removed" in visitor.text


def test_a_test_is_signed_and_says_what_the_receiver_answered(
    stage: Stage,
    ada: UUID,
    receiver: Receiver,  # noqa: F811
) -> None:
    visitor = made(visit(stage, ada), "webhooks", url=receiver.url)
    secret = shown_once(visitor)
    visitor.send(f"{HERE}/webhooks/{stage.only(Webhook).id}/test").follow()
    assert "The test was accepted: 204" in visitor.text
    ((headers, body),) = receiver.calls
    assert standardwebhooks.Webhook(secret).verify(body.decode(), headers)["type"] == "webhook.test"


def test_a_webhook_that_nobody_answers_at_says_so(stage: Stage, ada: UUID) -> None:
    visitor = made(visit(stage, ada), "webhooks", url=URL)
    visitor.send(f"{HERE}/webhooks/{stage.only(Webhook).id}/test").follow()
    assert "The test was not accepted" in visitor.text


def test_the_reference_has_every_call_with_its_fields_and_no_script(stage: Stage, ada: UUID) -> None:
    visitor = visit(stage, ada, f"{HERE}/reference")
    text = visitor.text.split("<main")[1]
    assert "<script" not in text
    assert "style=" not in text
    document = json.loads(visitor.get(f"{HERE}/openapi.json").text)
    calls = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    assert len(calls) > 40
    assert [
        f"{method} /api/v1{path}" for method, path in calls if f"{method} /api/v1{path}<" not in text
    ] == []
    assert "Idempotency-Key" in text
    assert "read or manage" not in text  # scopes are not a field of a call
    assert "requester_id" in text


def test_the_api_and_the_command_try_a_webhook(stage: Stage, ada: UUID, api: Api, cli: Cli) -> None:  # noqa: F811
    stage.attend()
    hook = api.post("/webhooks", {"url": URL}).json()["id"]
    assert api.post(f"/webhooks/{hook}/test").json()["taken"] is False
    assert api.get("/webhooks/calls").json() == {"items": [], "next_before": None}
    assert api.get("/webhooks/calls", before="nonsense").status_code == 422
    said = cli("webhook", "test", f"Organization {stage.world.organization_id}", hook)
    assert said.exit_code == 1
    assert "The test was not accepted" in said.stdout
