"""What others sent from my mailbox, on my page alone, and the mailbox that I send from by default."""

from uuid import UUID

import httpx
import pytest

from actions import by_hand, default_mailbox, withdraw
from db.core.ids import new_id
from db.sequences import built
from domain.errors import InvalidInput
from lab.access_records import Member
from lab.records import AuditEntry, Receipt, Sequence
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli, ok
from tests.web.test_api import Api, client, is_problem, key_of
from tests.web.visitor import Visitor, email_of, known_account

__all__ = ["cli", "client"]
SENT = "/settings/sent"
HERE = "/settings/sequences"


class Office:
    """Rita and Theo each sent from Hans' mailbox, and so did Hans; Rita has a mailbox of her own."""

    def __init__(self, stage: Stage) -> None:
        self.stage, world = stage, stage.world
        self.hans, self.rita, self.theo = (
            world.member(each) for each in ("Hans Okafor", "Rita Berger", "Theo Marsh")
        )
        for each in (self.hans, self.rita, self.theo):
            known_account(stage, email_of(stage, each))
        self.box, self.ritas = stage.mailbox(self.hans), stage.mailbox(self.rita)
        self.grants = [world.grant(self.box, each) for each in (self.rita, self.theo)]
        for owner, name in ((self.rita, "Weber"), (self.theo, "Lawal"), (self.hans, "Grubor")):
            world.enroll(world.sequence(owner, self.box), 1, first_name="", last_name=name)
        stage.send_due()
        assert len(stage.left()) == 3

    def visit(self, member: UUID, path: str) -> Visitor:
        return Visitor(self.stage).sign_in(email_of(self.stage, member)).get(path)


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_a_mailboxs_owner_sees_what_others_sent_and_each_receipt(stage: Stage, office: Office) -> None:
    hans = office.visit(office.hans, HERE)
    assert "2 today, 2 in the last 30 days" in hans.text
    hans.get(SENT)
    assert all(name in hans.text for name in ("Weber", "Lawal", "Rita Berger", "Theo Marsh"))
    assert "Grubor" not in hans.text
    receipt = hans.text.split('href="/people/')[1].split('"')[0]
    person, _, anchor = receipt.partition("#")
    hans.get(f"/people/{person}")
    assert f'id="{anchor}"' in hans.text
    assert "<summary>Receipt</summary>" in hans.text
    assert "You see what is in your own mailbox." in hans.text


def test_it_is_filtered_by_permission_also_by_one_that_has_ended(stage: Stage, office: Office) -> None:
    withdraw.revoke_grant(stage.runtime, office.grants[0], actor="Hans")
    hans = office.visit(office.hans, f"{SENT}?permission={office.grants[0]}")
    assert "Rita Berger (ended)</option>" in hans.text
    assert ("Weber" in hans.text, "Lawal" in hans.text) == (True, False)
    assert "permission ended" in hans.text


def test_nobody_else_sees_it(stage: Stage, office: Office) -> None:
    for who in (office.rita, office.theo):
        visitor = office.visit(who, SENT)
        assert "Nothing was sent in your name." in visitor.text
        visitor.get(f"{SENT}?permission={office.grants[1]}&before={stage.all(Receipt)[0].delivery_id}")
        assert "Lawal" not in visitor.text


def test_new_sequences_and_emails_by_hand_start_with_the_chosen_mailbox(stage: Stage, office: Office) -> None:
    rita = office.visit(office.rita, "/sequences/new")
    assert rita.text.index(stage.address(office.ritas)) < rita.text.index(stage.address(office.box))
    rita.get(HERE).send(f"{HERE}/default", default=str(office.box)).follow()
    assert "Saved. New sequences and emails by hand start with it." in rita.text
    rita.get("/sequences/new")
    assert rita.text.index(stage.address(office.box)) < rita.text.index(stage.address(office.ritas))
    rita.send("/sequences/new", name="Designers", key="a form").follow()
    assert stage.only(Sequence, name="Designers").mailbox_id == office.box
    person = stage.world.candidates(1)[0]
    with stage.world.database.transaction() as tx:
        first = by_hand.choices(tx, stage.world.organization_id, person, office.rita)[0]
    assert first.sender.id == office.box
    (entry,) = [each for each in stage.all(AuditEntry) if each.action == "default_mailbox_chosen"]
    assert entry.data == {"mailbox_id": str(office.box)}


def test_a_choice_counts_no_longer_once_the_permission_has_ended(stage: Stage, office: Office) -> None:
    assert default_mailbox.choose(stage.runtime, office.rita, office.box, actor="Rita")
    assert not default_mailbox.choose(stage.runtime, office.rita, office.box, actor="Rita")
    withdraw.revoke_grant(stage.runtime, office.grants[0], actor="Hans")
    with stage.world.database.transaction() as tx:
        found = built.senders(tx, stage.world.organization_id, office.rita)
    assert [each.id for each in found][:1] == [office.ritas]
    with pytest.raises(InvalidInput, match="may not send from that mailbox"):
        default_mailbox.choose(stage.runtime, office.theo, office.ritas, actor="Theo")
    rita = office.visit(office.rita, HERE)
    rita.send(f"{HERE}/default", default=str(new_id()))
    assert rita.status == 422
    assert "may not send from that mailbox" in rita.text
    rita.send(f"{HERE}/default", default="").follow()
    assert stage.only(Member, office.rita).default_mailbox_id is None


def test_programs_and_operators_do_it_too(
    stage: Stage,
    office: Office,
    cli: Cli,
    client: httpx.Client,
) -> None:
    api = Api(client, key_of(stage.world, "read", "manage"))
    path = f"/members/{office.rita}/default-mailbox"
    assert api.post(path, {"mailbox_id": str(office.box)}).json() == {"mailbox_id": str(office.box)}
    assert api.get(path).json() == {"mailbox_id": str(office.box)}
    is_problem(api.post(path, {"mailbox_id": str(new_id())}), 422)
    first = api.get(f"/mailboxes/{office.box}/sent-by-others", limit=1).json()
    rest = api.get(f"/mailboxes/{office.box}/sent-by-others", before=first["next_before"]).json()
    assert {each["by"] for each in (*first["items"], *rest["items"])} == {"Rita Berger", "Theo Marsh"}
    assert rest["next_before"] is None
    is_problem(api.get(f"/mailboxes/{new_id()}/sent-by-others"), 404)
    rita, box = email_of(stage, office.rita), stage.address(office.box)
    assert box in cli("member", "default-mailbox", rita).output
    assert ok(cli("member", "default-mailbox", rita, "--none", "--json"))["mailbox"] is None
    assert cli("member", "default-mailbox", rita, stage.address(office.ritas)).exit_code == 0
    assert stage.only(Member, office.rita).default_mailbox_id == office.ritas
    assert len(ok(cli("mailbox", "sent-by-others", box, "--json"))) == 2
