"""Email settings: the default address, the company's own, those of its legal entities, and the name that recipients see."""

from uuid import UUID

import pytest

from actions import resume
from db.core.ids import new_id
from db.mailboxes import senders
from lab.access_records import LegalEntity, Mailbox, Member
from lab.records import Delivery, Receipt, Sequence
from lab.stage import Stage
from tests.web.visitor import Visitor, email_of, known_account

PAGE = "/settings/email"
JOBS = "jobs@acme.example"


@pytest.fixture
def admin(stage: Stage) -> UUID:
    member = stage.world.member("Olga Owner", role="owner")
    known_account(stage, email_of(stage, member))
    known_account(stage, JOBS)
    stage.world.domain()
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "mail.example")
    return member


@pytest.fixture
def visitor(stage: Stage, admin: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, admin)).get(PAGE)


def entity(stage: Stage, name: str, parent: UUID | None = None) -> UUID:
    entity_id = new_id()
    ours = {"organization_id": stage.world.organization_id}
    stage.add(LegalEntity, {"id": entity_id, "name": name, "parent_id": parent, **ours})
    return entity_id


def default_address(stage: Stage) -> str:
    return stage.only(Mailbox, provider="default").address


def connect(stage: Stage, visitor: Visitor, address: str = JOBS, entity_id: UUID | None = None) -> UUID:
    """Give the address and connect it with Microsoft."""
    visitor.get(PAGE)
    visitor.send(
        f"{PAGE}/addresses", entity="" if entity_id is None else str(entity_id), address=address
    ).follow()
    mailbox_id = stage.only(Mailbox, address=address).id
    visitor.send(f"{PAGE}/addresses/{mailbox_id}/connect")
    visitor.come_back(visitor.at_microsoft(address))
    return mailbox_id


def company_sequence(stage: Stage, owner: UUID) -> UUID:
    """A running sequence in the company's name, with one person due."""
    with stage.world.database.transaction() as tx:
        sender = senders.sender_for(tx, owner)
    assert sender is not None
    sequence = stage.world.sequence(owner, sender, ("PT0S",))
    stage.put(Sequence, sequence, uses_sender_address=True)
    stage.world.enroll(sequence)
    return sequence


def sender_of(stage: Stage, sequence: UUID) -> object:
    return stage.address(stage.only(Sequence, sequence).mailbox_id)


@pytest.mark.row("P2", "P8", "P9", "P10")
def test_every_organization_has_a_default_address_and_sees_it(stage: Stage, visitor: Visitor) -> None:
    assert default_address(stage).endswith("-jobs@mail.example")
    assert default_address(stage) in visitor.text
    assert "Ready to use" in visitor.text


@pytest.mark.row("P11", "P28")
def test_the_addresses_shown_are_for_display_and_posting_others_changes_nothing(
    stage: Stage, visitor: Visitor
) -> None:
    before = [each.address for each in stage.all(Mailbox)]
    assert f'value="{default_address(stage)}"' not in visitor.text
    visitor.send(
        f"{PAGE}/sender-name",
        kind="company",
        default_address="evil@mail.example",
        sends_from="evil@mail.example",
    )
    assert [each.address for each in stage.all(Mailbox)] == before
    default = stage.only(Mailbox, provider="default").id
    for path in ("connect", "test", "verify", "remove"):
        assert visitor.get(PAGE).send(f"{PAGE}/addresses/{default}/{path}").status == 404
    assert visitor.get(f"/settings/mail-server/{default}").status == 404


@pytest.mark.parametrize(("kind", "name"), [("company", "Organization"), ("employee", "Olga Owner")])
@pytest.mark.row("P12", "P18")
def test_recipients_see_the_companys_name_or_the_employees(
    stage: Stage, admin: UUID, visitor: Visitor, kind: str, name: str
) -> None:
    visitor.send(f"{PAGE}/sender-name", kind=kind).follow()
    assert "Recipients see the" in visitor.text
    company_sequence(stage, admin)
    stage.send_due()
    (entry,) = stage.left("smtp")
    assert entry.mailbox == default_address(stage)
    assert entry.sender_name.startswith(name)
    assert entry.reply_to == email_of(stage, admin)


@pytest.mark.row("P12")
def test_another_kind_of_name_is_refused(visitor: Visitor) -> None:
    assert visitor.send(f"{PAGE}/sender-name", kind="nobody").status == 422


@pytest.mark.row("P13", "P20", "P23", "P43")
def test_with_a_connection_the_own_address_is_the_sender(stage: Stage, admin: UUID, visitor: Visitor) -> None:
    waiting = company_sequence(stage, admin)
    assert visitor.send(f"{PAGE}/addresses", address="").status == 422  # the address comes first
    connect(stage, visitor)
    assert "The address is connected." in visitor.text
    assert f"<strong><bdi>{JOBS}</bdi></strong>" in visitor.text
    assert sender_of(stage, waiting) == JOBS
    stage.send_due()
    assert [entry.mailbox for entry in stage.left("graph")] == [JOBS]
    assert stage.left("smtp") == []
    assert stage.only(Receipt).authority == "sender_address"


@pytest.mark.row("P14")
def test_a_lost_or_removed_connection_pauses_and_does_not_fall_back(
    stage: Stage, admin: UUID, visitor: Visitor
) -> None:
    box = connect(stage, visitor)
    sequence = company_sequence(stage, admin)
    visitor.get(f"{PAGE}/addresses/{box}/remove")
    visitor.send(f"{PAGE}/addresses/{box}/remove").follow()
    assert "Complete." in visitor.text
    stage.run_outbox()
    stage.send_due()
    assert sender_of(stage, sequence) == JOBS
    assert stage.only(Sequence).status == "paused"
    assert [entry for entry in stage.left("smtp") if not entry.mailbox.startswith("notices@")] == []


@pytest.mark.row("P29")
def test_a_removed_address_is_no_dead_end(stage: Stage, admin: UUID, visitor: Visitor) -> None:
    box = connect(stage, visitor)
    sequence = company_sequence(stage, admin)
    visitor.get(f"{PAGE}/addresses/{box}/remove")
    visitor.send(f"{PAGE}/addresses/{box}/remove")
    stage.run_outbox()
    assert "Use the default mail service" in visitor.get(f"{PAGE}/addresses/{box}").text
    visitor.get(f"/settings/mail-server/{box}/disable")
    visitor.send(f"/settings/mail-server/{box}/disable")
    assert sender_of(stage, sequence) == default_address(stage)
    assert stage.only(Sequence).status == "paused"  # until its owner resumes it
    resume.resume_sequence(stage.runtime, sequence, actor="Olga")
    stage.send_due()
    assert [entry.mailbox for entry in stage.left("smtp") if not entry.mailbox.startswith("notices@")] == [
        default_address(stage)
    ]


@pytest.mark.row("P29")
def test_the_default_service_is_enabled_on_purpose_and_the_sequences_go_on(
    stage: Stage, admin: UUID, visitor: Visitor
) -> None:
    box = connect(stage, visitor)
    sequence = company_sequence(stage, admin)
    visitor.get(PAGE)
    assert visitor.send(f"{PAGE}/addresses", address="other@acme.example").status == 422  # it is in use
    visitor.get(f"/settings/mail-server/{box}/disable")
    assert "Use the default mail service instead" in visitor.text
    visitor.send(f"/settings/mail-server/{box}/disable")
    stage.run_outbox()
    assert stage.only(Sequence).status == "active"
    assert sender_of(stage, sequence) == default_address(stage)
    stage.send_due()
    assert [entry.mailbox for entry in stage.left("smtp") if not entry.mailbox.startswith("notices@")] == [
        default_address(stage)
    ]
    assert stage.left("graph") == []


@pytest.mark.row("P41", "P44")
def test_a_legal_entity_uses_the_address_above_it_along_the_chain(stage: Stage, visitor: Visitor) -> None:
    top = entity(stage, "Acme Holding")
    leaf = entity(stage, "Acme Berlin", entity(stage, "Acme Germany", top))

    def in_use() -> set[str | None]:
        with stage.world.database.transaction() as tx:
            return {each.sends_from for each in senders.overview(tx, stage.world.organization_id)}

    assert in_use() == {default_address(stage)}
    connect(stage, visitor)
    assert in_use() == {JOBS}
    known_account(stage, "holding@acme.example")
    connect(stage, visitor, "holding@acme.example", top)
    with stage.world.database.transaction() as tx:
        found = {
            each.entity_id: each.sends_from for each in senders.overview(tx, stage.world.organization_id)
        }
    assert found[leaf] == found[top] == "holding@acme.example"
    assert found[None] == JOBS


@pytest.mark.row("P1", "P42")
def test_a_legal_entity_has_its_own_address_and_connection(
    stage: Stage, admin: UUID, visitor: Visitor
) -> None:
    berlin, paris = entity(stage, "Acme Berlin"), entity(stage, "Acme Paris")
    known_account(stage, "berlin@acme.example")
    in_berlin, in_paris = stage.world.member("Bea"), stage.world.member("Paul")
    for member, where in ((in_berlin, berlin), (in_paris, paris)):
        stage.put(Member, member, legal_entity_id=where)
    one, other = company_sequence(stage, in_berlin), company_sequence(stage, in_paris)
    connect(stage, visitor, "berlin@acme.example", berlin)
    assert sender_of(stage, one) == "berlin@acme.example"
    assert sender_of(stage, other) == default_address(stage)
    stage.send_due()
    assert len(stage.left("graph")) == len(stage.left("smtp")) == 1


@pytest.mark.row("P22")
def test_the_account_is_that_of_the_companys_address(stage: Stage, admin: UUID, visitor: Visitor) -> None:
    visitor.send(f"{PAGE}/addresses", address=JOBS).follow()
    mailbox = stage.only(Mailbox, address=JOBS).id
    visitor.send(f"{PAGE}/addresses/{mailbox}/connect")
    visitor.come_back(visitor.at_microsoft(email_of(stage, admin)))
    assert JOBS in visitor.text
    assert stage.only(Mailbox, address=JOBS).status == "never_connected"


@pytest.mark.row("P3")
def test_an_address_is_for_those_who_look_after_the_organization_and_of_their_own(
    stage: Stage, admin: UUID, visitor: Visitor
) -> None:
    box = connect(stage, visitor)
    member = stage.world.member("Rita Recruiter")
    known_account(stage, email_of(stage, member))
    rita = Visitor(stage).sign_in(email_of(stage, member))
    assert rita.get(f"{PAGE}/addresses/{box}").status == 403
    assert rita.get(f"/settings/mail-server/{box}").status == 403
    rita.get("/settings/sequences")
    assert rita.send(f"{PAGE}/addresses", address="mine@acme.example").status == 403
    assert rita.send(f"{PAGE}/sender-name", kind="employee").status == 403


def test_an_address_that_is_somebodys_mailbox_cannot_be_the_companys(stage: Stage, visitor: Visitor) -> None:
    box = stage.world.mailbox(stage.world.member("Hans Holder"))
    assert visitor.send(f"{PAGE}/addresses", address=stage.address(box)).status == 422
    for hostile in ("no address", "(" * 450, '"' * 20_000, "(x)" * 20_000, "a@" + "(" * 300):
        assert 400 <= visitor.send(f"{PAGE}/addresses", address=hostile).status < 500
    assert visitor.send(f"{PAGE}/addresses", entity=str(new_id()), address="x@acme.example").status == 404


def test_what_may_have_left_stays_with_the_address_it_was_submitted_from(
    stage: Stage, admin: UUID, visitor: Visitor
) -> None:
    company_sequence(stage, admin)
    stage.emulator.control.fault("SMTP DATA", when="after", reset=True, times=1)
    stage.send_due()
    default = stage.only(Mailbox, provider="default").id
    connect(stage, visitor)
    assert stage.only(Delivery).mailbox_id == default
    stage.later(60)
    stage.look()
    stage.send_due()
    assert stage.only(Delivery).state == "review"
    assert len(stage.left("smtp")) == 1


@pytest.mark.row("P16")
@pytest.mark.row("P17")
def test_whoever_redirects_answers_is_told_to_keep_a_copy_and_who_traces_a_lost_one(
    stage: Stage, visitor: Visitor
) -> None:
    told = visitor.text.partition("Redirect answers to us</h2>")[2].partition("</section>")[0]
    assert default_address(stage) in told
    assert "Keep a copy in the company\u2019s inbox." in told
    assert "your IT team can trace it there" in told
