"""Several sequences of one lost permission get another sender on one page: previewed, by the rules of one, all or none."""

from uuid import UUID

import httpx
import pytest

from actions import change_senders, resume, withdraw
from domain.errors import InvalidInput, NotPermitted
from domain.hand_edits import Overtaken
from domain.handover import TakeOver
from lab.records import Sequence
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli, ok
from tests.web.test_api import Api, client, is_problem, key_of
from tests.web.visitor import Visitor, email_of, known_account

__all__ = ["cli", "client"]


class Office:
    """Rita's three sequences sent their first step from Hans' mailbox; he ended her permission. She has a mailbox of her own."""

    def __init__(self, stage: Stage) -> None:
        self.stage, world = stage, stage.world
        self.hans, self.rita = world.member("Hans Okafor"), world.member("Rita Recruiter")
        for each in (self.hans, self.rita):
            known_account(stage, email_of(stage, each))
        self.box, self.ritas = stage.mailbox(self.hans), stage.mailbox(self.rita)
        self.grant = world.grant(self.box, self.rita)
        self.sequences = [world.sequence(self.rita, self.box, ("PT0S", "P1D")) for _ in range(3)]
        for each in self.sequences:
            world.enroll(each)
        stage.send_due()
        withdraw.revoke_grant(stage.runtime, self.grant, actor="Hans Okafor")
        stage.run_outbox()
        self.path = f"/sequences/sender?from={self.box}"

    def visit(self, member: UUID, path: str) -> Visitor:
        return Visitor(self.stage).sign_in(email_of(self.stage, member)).get(path)

    def senders(self) -> set[UUID]:
        return {each.mailbox_id for each in self.stage.all(Sequence)}

    def change(self, *chosen: UUID, to: UUID | None = None, version: int | None = None) -> None:
        wanted = TakeOver(to or self.ritas)
        change_senders.change(
            self.stage.runtime, self.rita, self.box, dict.fromkeys(chosen, version), wanted, actor="Rita"
        )


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_the_notice_leads_to_one_page_on_which_all_change(stage: Stage, office: Office) -> None:
    rita = office.visit(office.rita, "/notifications")
    assert "Change the sender of these 3 sequences" in rita.text
    rita.get(office.path)
    assert rita.text.count('name="sequence"') == 3
    assert "<dt>New thread</dt><dd>3 people</dd>" in rita.text
    assert "I am taking over from Hans Okafor, who wrote to you before." in rita.text
    fields: dict[str, str | list[str]] = {
        "former": str(office.box),
        "sequence": [str(each) for each in office.sequences],
        "sender": str(office.ritas),
        "introduction": "I write from my own address now.",
    }
    rita.send("/sequences/sender", None, **fields).follow()
    assert "send from another mailbox" in rita.text
    assert office.senders() == {office.ritas}
    assert {each.status for each in stage.all(Sequence)} == {"paused"}
    rita.send("/sequences/sender", None, **fields).follow()
    assert "No sequence of yours sends from that mailbox any more." in rita.text
    for each in office.sequences:
        resume.resume_sequence(stage.runtime, each, actor="Rita")
    stage.later(2 * 86400)
    stage.send_due()
    left = [each for each in stage.left() if each.mailbox == stage.address(office.ritas)]
    assert len(left) == 3
    assert all("I write from my own address now." in each.body for each in left)


def test_some_are_chosen_and_the_others_stay(stage: Stage, office: Office) -> None:
    rita = office.visit(office.rita, office.path)
    fields: dict[str, str | list[str]] = {
        "former": str(office.box),
        "sequence": [str(office.sequences[0])],
        "sender": str(office.ritas),
    }
    rita.send("/sequences/sender", None, do="show", **fields)
    assert "<dt>New thread</dt><dd>1 person</dd>" in rita.text
    assert office.senders() == {office.box}, "it only shows"
    rita.send("/sequences/sender", None, **fields)
    assert [stage.only(Sequence, each).mailbox_id for each in office.sequences] == [
        office.ritas,
        office.box,
        office.box,
    ]
    rita.send("/sequences/sender", None, **(fields | {"sequence": []}))
    assert (rita.status, "No sequence is chosen" in rita.text) == (422, True)


def test_all_change_or_none(stage: Stage, office: Office) -> None:
    theo = stage.world.member("Theo Marsh")
    theirs = stage.world.sequence(theo, office.box)
    with pytest.raises(NotPermitted, match="has another owner"):
        office.change(*office.sequences, theirs)
    with pytest.raises(NotPermitted, match="may not send"):
        office.change(*office.sequences, to=stage.mailbox(theo))
    with pytest.raises(Overtaken):
        office.change(*office.sequences, version=99)
    with pytest.raises(InvalidInput, match="No other sender"):
        office.change(*office.sequences, to=office.box)
    with pytest.raises(InvalidInput, match="No sequence is chosen"):
        office.change()
    assert office.senders() == {office.box}
    office.change(*office.sequences[:1])
    with pytest.raises(Overtaken, match="from another mailbox already"):
        office.change(*office.sequences)
    assert len([each for each in stage.all(Sequence) if each.mailbox_id == office.box]) == 3


def test_nobody_changes_the_sequences_of_somebody_else(stage: Stage, office: Office) -> None:
    hans = office.visit(office.hans, office.path).follow()
    assert "No sequence of yours sends from that mailbox any more." in hans.text
    fields: dict[str, str | list[str]] = {
        "former": str(office.box),
        "sequence": [str(office.sequences[0])],
        "sender": str(office.box),
    }
    hans.send("/sequences/sender", None, **fields)
    assert office.senders() == {office.box}


def test_programs_and_operators_do_it_too(
    stage: Stage,
    office: Office,
    cli: Cli,
    client: httpx.Client,
) -> None:
    api = Api(client, key_of(stage.world, "read", "manage"))
    path = f"/members/{office.rita}/change-sender"
    meant = api.get(path, former_id=office.box, sender_id=office.ritas).json()
    assert (meant["middle"], meant["problems"], len(meant["sequences"])) == (3, {}, 3)
    asked = {
        "former_id": str(office.box),
        "sender_id": str(office.ritas),
        "sequences": [str(office.sequences[0])],
    }
    assert api.post(path, asked).json()["complete"]
    is_problem(api.post(path, asked), 409)
    rita, box, own = (
        email_of(stage, office.rita),
        *(stage.address(each) for each in (office.box, office.ritas)),
    )
    command = ("sequence", "change-senders", "--of", rita, "--from", box, "--to", own)
    assert cli(*command).exit_code == 2, "it asks first"
    assert ok(cli(*command, "--yes", "--json"))["complete"]
    assert office.senders() == {office.ritas}
