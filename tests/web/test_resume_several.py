"""All paused sequences are one decision: what may resume does so by one button, and the others say why they do not."""

from uuid import UUID

import httpx
import pytest

from actions import withdraw
from lab.factories import World
from lab.records import Sequence
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli, ok  # noqa: F401 - a fixture
from tests.web.test_api import Api, client, is_problem, key_of  # noqa: F401 - a fixture
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of

ALL = "/sequences/resume"


class Paused:
    """Rita's four sequences: two that her lost permission paused and that may resume, one by hand, and one from Nora's mailbox."""

    def __init__(self, stage: Stage) -> None:
        world = stage.world
        hans, nora, self.rita = world.member("Hans Holder"), world.member("Nora"), member(stage, "Rita")
        box, noras = stage.mailbox(hans), stage.mailbox(nora)
        grant, noras_grant = world.grant(box, self.rita), world.grant(noras, self.rita)
        self.first, self.second = world.sequence(self.rita, box), world.sequence(self.rita, box)
        self.blocked = world.sequence(self.rita, noras)
        for each in (self.first, self.second, self.blocked):
            world.enroll(each, 2)
        withdraw.revoke_grant(stage.runtime, grant, actor="Hans")
        withdraw.revoke_grant(stage.runtime, noras_grant, actor="Nora")
        stage.run_outbox()
        world.grant(box, self.rita)
        self.by_hand = world.sequence(self.rita, box)
        world.enroll(self.by_hand, 2)
        withdraw.pause_sequence(stage.runtime, self.by_hand, actor="Rita", reason="holidays")
        stage.run_outbox()
        self.stage = stage

    def running(self) -> set[UUID]:
        return {each.id for each in self.stage.all(Sequence) if each.status == "active"}


@pytest.fixture
def paused(stage: Stage) -> Paused:
    return Paused(stage)


def test_one_button_resumes_what_may_and_the_rest_says_why(stage: Stage, paused: Paused) -> None:
    visitor = Visitor(stage).sign_in(email_of(stage, paused.rita)).get(ALL)
    text = visitor.text
    for each in (paused.first, paused.second):
        assert f'value="{each}" checked' in text
    assert f'value="{paused.by_hand}">' in text  # offered, not ticked
    assert f'value="{paused.blocked}"' not in text
    assert "1 sequence cannot resume yet" in text
    assert "2 leave" in text
    chosen = [str(each) for each in (paused.first, paused.second)]
    for _ in range(2):
        visitor.send(ALL, sequence=chosen, act="resume").follow()
        assert paused.running() == {paused.first, paused.second}
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == 4


def test_the_preview_shows_other_choices_and_nothing_chosen_is_an_error(stage: Stage, paused: Paused) -> None:
    visitor = Visitor(stage).sign_in(email_of(stage, paused.rita)).get(ALL)
    visitor.send(ALL, sequence=str(paused.by_hand), act="show", late="3").follow()
    assert f'value="{paused.by_hand}" checked' in visitor.text
    assert f'value="{paused.first}">' in visitor.text
    assert visitor.send(ALL, act="resume").status == 422
    assert "Choose at least one sequence" in visitor.text
    assert paused.running() == set()


def test_what_is_blocked_meanwhile_stays_and_is_said(stage: Stage, paused: Paused) -> None:
    visitor = Visitor(stage).sign_in(email_of(stage, paused.rita)).get(ALL)
    chosen = [str(each) for each in (paused.first, paused.blocked)]
    visitor.send(ALL, sequence=chosen, act="resume").follow()
    assert "1 sequence resumed. 1 stays paused." in visitor.text
    assert paused.running() == {paused.first}


def test_only_ones_own_are_listed_and_resumed(stage: Stage, paused: Paused) -> None:
    mona = member(stage, "Mona")
    visitor = Visitor(stage).sign_in(email_of(stage, mona)).get(f"{ALL}?whose=all")
    assert str(paused.first) not in visitor.text
    visitor.send(ALL, sequence=str(paused.first), act="resume", whose="all").follow()
    assert paused.running() == set()


def test_programs_and_operators_do_the_same(
    stage: Stage,
    paused: Paused,
    client: httpx.Client,  # noqa: F811
    cli: Cli,  # noqa: F811
) -> None:
    api = Api(client, key_of(stage.world, "read", "manage"))
    items = api.get(f"/sequences/resumption?owner={paused.rita}").json()["items"]
    assert {each["sequence_id"]: (bool(each["blockers"]), each["by_hand"]) for each in items} == {
        str(paused.first): (False, False),
        str(paused.second): (False, False),
        str(paused.blocked): (True, False),
        str(paused.by_hand): (False, True),
    }
    ids = [str(each) for each in (paused.first, paused.blocked)]
    (done, stayed) = api.post("/sequences/resume", {"sequence_ids": ids}).json()["items"]
    assert (done["blockers"], len(done["planned"])) == ([], 2)
    assert stayed["sequence_id"] == str(paused.blocked)
    assert stayed["blockers"]
    elsewhere = World(stage.world.database)
    stranger = Api(client, key_of(elsewhere, "read", "manage"))
    is_problem(stranger.post("/sequences/resume", {"sequence_ids": ids}), 404)
    said = ok(cli("sequence", "resume-all", email_of(stage, paused.rita), "--yes", "--json"))
    assert [each["sequence_id"] for each in said["items"]] == [str(paused.second)]
    assert paused.running() == {paused.first, paused.second}
