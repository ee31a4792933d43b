"""Provisioning, below Team: tokens are made, shown once, replaced and ended by admins, and on the command line."""

import re
from uuid import UUID

import httpx
import pytest

from db.access.api_keys import PROVISION
from lab.access_records import ApiKey, Member, Organization
from lab.records import AuditEntry
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli, ok  # noqa: F401 - a fixture
from tests.web.test_programs import shown_once, visit
from tests.web.test_scim import Provider, client, is_error, replaces  # noqa: F401 - a fixture
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor

HERE = "/settings/team/provisioning"


@pytest.fixture
def ada(stage: Stage) -> UUID:
    ada = member(stage, "Ada Novak")
    stage.put(Member, ada, role="admin")
    return ada


def made(visitor: Visitor, **fields: str) -> Visitor:
    """Send the form, and go where its answer leads."""
    key = re.search('name="key" value="([^"]+)"', visitor.text)
    assert key is not None
    return visitor.send(HERE, None, key=key[1], **fields)


def test_a_token_is_made_shown_once_replaced_and_ended(
    stage: Stage,
    ada: UUID,
    client: httpx.Client,  # noqa: F811
) -> None:
    visitor = visit(stage, ada, HERE)
    assert "/scim/v2" in visitor.text
    token = shown_once(made(visitor, name="Entra").follow())
    assert Provider(client, token).list()["totalResults"] == 1
    assert token not in visitor.get(HERE).text
    assert token not in stage.world.dump()
    assert "Entra" in visitor.text
    assert "Entra" not in visitor.get("/settings/api").text
    key = stage.only(ApiKey).id
    assert f'href="{HERE}"' in visitor.get(f"/settings/api/keys/{key}/replace").text
    visitor.send(f"/settings/api/keys/{key}/replace").follow()
    second = shown_once(visitor)
    assert "Provisioning" in visitor.text
    assert [Provider(client, each).list()["totalResults"] for each in (token, second)] == [1, 1]
    visitor.get(HERE).send(f"/settings/api/keys/{key}/end").follow()
    assert "The key Entra has ended." in visitor.text
    for each in (token, second):
        is_error(Provider(client, each).ask("GET", "/Users"), 401)
    trail = [each.action for each in stage.all(AuditEntry, subject=f"api_key:{key}")]
    assert trail == ["api_key_made", "api_key_replaced", "api_key_revoked"]


def test_a_form_that_is_refused_keeps_what_was_typed(stage: Stage, ada: UUID) -> None:
    visitor = visit(stage, ada, HERE)
    refused = made(visitor, name="Entra ID", until="2001-01-01")
    assert refused.status == 422
    assert "This day is over" in refused.text
    assert 'value="Entra ID"' in refused.text
    assert stage.count(ApiKey) == 0


def test_members_see_no_tokens_and_make_none(stage: Stage, ada: UUID) -> None:
    hans = member(stage, "Hans Holder")
    assert visit(stage, hans, HERE).status == 403
    visitor = visit(stage, hans, "/settings/sequences")
    assert visitor.send(HERE, None, key="k", name="Mine").status == 403
    assert stage.count(ApiKey) == 0


def test_whoever_left_by_scim_is_handed_over_on_the_page(
    stage: Stage,
    ada: UUID,
    client: httpx.Client,  # noqa: F811
) -> None:
    rita = stage.world.member("Rita Recruiter")
    stage.world.enroll(stage.world.sequence(rita, stage.mailbox(rita), ("P1D",)), 2)
    visitor = visit(stage, ada, HERE)
    provider = Provider(client, shown_once(made(visitor, name="Entra").follow()))
    assert provider.patch(rita, replaces("active", "False")).status_code == 200
    text = visitor.get("/settings/team?which=left").text
    assert f"/settings/team/{rita}/hand-over" in text
    assert "api:Entra" in visitor.get("/settings/audit").text


def test_a_token_by_command_goes_with_no_other_scope(
    stage: Stage,
    cli: Cli,  # noqa: F811
    client: httpx.Client,  # noqa: F811
) -> None:
    name = stage.only(Organization, stage.world.organization_id).name
    made = ok(cli("api-key", "make", name, "--name", "Entra", "--scope", "provision", "--json"))
    assert Provider(client, made["key"]).list()["totalResults"] == 0
    mixed = cli("api-key", "make", name, "--name", "Both", "--scope", "provision", "--scope", "read")
    assert mixed.exit_code == 2
    assert "goes with no other scope" in mixed.stderr
    (row,) = ok(cli("api-key", "list", "--json"))
    assert row["scopes"] == PROVISION
