"""Drafts on the Sequences page and in the API: what they lack, who gets what first, starting them, setting them back."""

import re
from uuid import UUID

import httpx
import pytest

from lab.access_records import Grant
from lab.records import Sequence
from lab.stage import Stage
from lab.tables import ago
from tests.web.test_api import Api, client, key_of  # noqa: F401 - a fixture
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of


@pytest.fixture
def rita(stage: Stage) -> UUID:
    """Rita, with a draft from Hans's mailbox for two people."""
    hans, rita = stage.world.member("Hans Holder"), member(stage, "Rita Recruiter")
    box = stage.mailbox(hans)
    stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("PT0S", "P1D"), status="draft"), 2)
    return rita


def sequence_of(stage: Stage) -> UUID:
    return stage.only(Sequence).id


def visit(stage: Stage, member_id: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, member_id)).get("/sequences")


def test_a_draft_has_a_button_that_previews_and_starts_it(stage: Stage, rita: UUID) -> None:
    path = f"/sequences/{sequence_of(stage)}/activate"
    visitor = visit(stage, rita)
    assert path in visitor.text
    visitor.get(path)
    assert "2 people get their next email" in visitor.text
    assert visitor.text.count("Step 1") == 2
    visitor.send(path).follow()
    assert "is running." in visitor.text
    stage.later(10)
    stage.send_due()
    assert len(stage.left()) == 2


def test_what_a_draft_lacks_is_a_list_and_there_is_no_button(stage: Stage, rita: UUID) -> None:
    stage.put(Grant, archived_at=ago(), archived_reason="revoked")
    path = f"/sequences/{sequence_of(stage)}/activate"
    visitor = visit(stage, rita).get(path)
    assert "It cannot start yet" in visitor.text
    assert "has no permission to send from" in visitor.text
    assert "Start sequence</button>" not in visitor.text
    visitor.get("/sequences").send(path)
    assert visitor.status == 403
    assert stage.only(Sequence).status == "draft"


def test_a_running_sequence_is_set_back_on_the_page(stage: Stage, rita: UUID) -> None:
    path = f"/sequences/{sequence_of(stage)}"
    visitor = visit(stage, rita).get(f"{path}/activate").send(f"{path}/activate").follow()
    visitor.send(f"{path}/deactivate").follow()
    assert "is a draft again" in visitor.text
    assert stage.only(Sequence).status == "draft"


def test_a_colleagues_draft_is_nobody_elses_to_start(stage: Stage, rita: UUID) -> None:
    other = member(stage, "Olga Other")
    path = f"/sequences/{sequence_of(stage)}/activate"
    visitor = visit(stage, other)
    assert path not in visitor.text
    visitor.get(path)
    assert visitor.status == 404


def test_the_api_previews_starts_and_sets_back(
    stage: Stage,
    rita: UUID,
    client: httpx.Client,  # noqa: F811 - the fixture
) -> None:
    api = Api(client, key_of(stage.world, "read", "manage"))
    path = f"/sequences/{sequence_of(stage)}"
    preview = api.get(f"{path}/activation").json()
    assert (preview["blockers"], len(preview["planned"])) == ([], 2)
    assert Api(client, key_of(stage.world, "read")).post(f"{path}/activate").status_code == 403
    first = api.post(f"{path}/activate", once="k")
    assert first.status_code == 200
    assert api.post(f"{path}/activate", once="k").json() == first.json()
    assert stage.only(Sequence).status == "active"
    stopped = api.post(f"{path}/deactivate", {"reason": "rewrite"}).json()
    assert (stopped["stopped"], stopped["complete"]) == (2, True)
    assert stage.only(Sequence).status == "draft"
    assert api.post("/sequences/00000000-0000-0000-0000-000000000000/activate").status_code == 404
    stage.put(Sequence, status="archived")
    assert api.post(f"{path}/activate").status_code == 409


def test_a_permission_by_file_is_confirmed_with_one_click(stage: Stage, rita: UUID) -> None:
    anna = member(stage, "Anna Admin")
    box = stage.mailbox(anna)
    grant = stage.world.grant(box, rita)
    stage.put(Grant, grant, given_by_kind="import", given_by="operator ops")
    visitor = Visitor(stage).sign_in(email_of(stage, anna)).get("/settings/sequences")
    assert "Given on your behalf by an operator&#39;s file (operator ops)" in visitor.text
    assert "Approve<span" in visitor.text
    assert re.search(f'grants/{grant}/revoke"[^>]*>End<', visitor.text)
    visitor.send(f"/settings/sequences/grants/{grant}/confirm").follow()
    assert "You have confirmed the permission" in visitor.text
    assert "Approve<span" not in visitor.text
    assert stage.only(Grant, grant).confirmed_at is not None


def test_nobody_confirms_what_is_not_theirs(stage: Stage, rita: UUID) -> None:
    grant = stage.only(Grant).id
    stage.put(Grant, given_by_kind="import", given_by="operator ops")
    visitor = visit(stage, rita).get("/settings/sequences")
    visitor.send(f"/settings/sequences/grants/{grant}/confirm")
    assert visitor.status == 404
    assert stage.only(Grant).confirmed_at is None
