"""Sender addresses: in the organization's domains only, never a person's, proven before use, hidden from others."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest

from actions import connect, sender_addresses, smtp, withdraw
from app.rates import TESTS
from db.access import sessions
from db.core.crypto import KeyRing
from db.mailboxes import domains, senders
from db.mailboxes import sender_addresses as rows
from db.views import my_settings
from domain.errors import InvalidInput, NotPermitted, TooMany
from lab.access_records import AddressProof, Mailbox, Member, OrganizationDomain
from lab.factories import World
from lab.records import AuditEntry
from lab.stage import Stage
from lab.tables import ago
from tests.transports.name_server import name_server

JOBS = "jobs@acme.example"
RECORDS: dict[str, list[str]] = {}


@pytest.fixture(autouse=True)
def resolver(stage: Stage) -> Iterator[None]:
    """A DNS that knows ``RECORDS``."""
    RECORDS.clear()
    with name_server(RECORDS) as asked:
        stage.runtime.__dict__["resolver"] = asked
        yield


def put(stage: Stage, address: str = JOBS, world: World | None = None) -> UUID:
    organization = (world or stage.world).organization_id
    # As in the web process, which sees this organization's rows only.
    runtime = stage.runtime.for_tenant(organization)
    return sender_addresses.put_address(runtime, organization, None, address, actor="Olga")


def refusal(stage: Stage, address: str, world: World | None = None) -> str:
    with pytest.raises(NotPermitted) as refused:
        put(stage, address, world)
    return str(refused.value).replace(address, "ADDRESS")


def record(world: World) -> str:
    return sender_addresses.records(KeyRing(world.keys.web_keys()), world.organization_id)[0]


def connected(stage: Stage, address: str) -> UUID:
    """A member's mailbox, connected within the tenant that the organization trusts."""
    box = stage.mailbox(stage.world.member("Hans Holder"))
    stage.put(Mailbox, box, address=address)
    stage.emulator.control.add_mailboxes({"address": address})
    stage.give_token(box)
    tenant = stage.emulator.world.mailboxes[address].tenant_id
    with stage.world.database.transaction() as tx:
        sessions.trust_tenant(tx, stage.world.organization_id, tenant, actor="test")
    stage.put(Mailbox, tenant_id=tenant)
    return box


def by_smtp(stage: Stage, box: UUID, address: str = JOBS) -> None:
    stage.emulator.control.add_mailboxes({"address": address})
    smtp.save(
        stage.runtime, box, host="localhost", port=str(stage.emulator.smtp_port), encryption="starttls",
        account=address, password="demo-password", actor="Olga",
    )  # fmt: skip


def unproven(stage: Stage, box: UUID, code: str = "", actor: str = "Olga") -> str:
    """Why it is not in use after an attempt to activate it."""
    verdict = smtp.activate(stage.runtime, box, actor=actor, code=code)
    assert not verdict.good
    return f"{verdict.outcome.name} {verdict.explanation}"


def codes(stage: Stage) -> list[str]:
    found = [re.search(r"this code: (\d{8})", each.body) for each in stage.left("smtp")]
    return [each[1] for each in found if each]


def test_a_domain_that_nobody_has_shown_is_refused_alike_whoever_knows_the_address(stage: Stage) -> None:
    other = World(stage.world.database)
    other.domain("globex.example")
    put(stage, "known@globex.example", other)
    person = other.member("Vera")
    other.mailbox(person, address="vera@globex.example")
    said = {refusal(stage, f"{name}@globex.example") for name in ("known", "vera", "nobody")}
    assert len(said) == 1
    assert record(stage.world) in said.pop()
    assert stage.count(Mailbox, organization_id=stage.world.organization_id) == 0


def test_an_operator_shows_a_domain_and_what_is_below_it(stage: Stage) -> None:
    organization = stage.world.organization_id
    assert (
        sender_addresses.verify_domain(stage.runtime, organization, " @ACME.example ", actor="op")
        == "acme.example"
    )
    put(stage)
    put(stage, "jobs@careers.acme.example")
    refusal(stage, "jobs@notacme.example")
    for none in ("", "example", "no domain", "-.example", "a" * 300 + ".example"):
        with pytest.raises(InvalidInput):
            sender_addresses.verify_domain(stage.runtime, organization, none, actor="op")


@pytest.mark.parametrize("name", ["_onbehalf.acme.example", "_onbehalf.example.org"])
def test_a_record_in_the_dns_shows_a_domain(stage: Stage, name: str) -> None:
    address = f"jobs@{name.removeprefix('_onbehalf.')}"
    other = World(stage.world.database)
    RECORDS[name] = ["v=spf1 -all", record(other)]
    refusal(stage, address)  # somebody else's record
    RECORDS[name].append(record(stage.world))
    put(stage, address)
    RECORDS.clear()
    put(stage, address)  # it is known from then on
    assert stage.only(OrganizationDomain).known_by == "dns"


def test_a_record_at_a_top_level_domain_shows_nothing(stage: Stage) -> None:
    RECORDS["_onbehalf.example"] = [record(stage.world)]
    refusal(stage, JOBS)


def test_microsoft_shows_the_domains_of_the_trusted_tenant(stage: Stage) -> None:
    connected(stage, "hans@acme.example")
    put(stage)
    assert stage.only(OrganizationDomain).known_by == "microsoft"
    refusal(stage, "jobs@globex.example")


def test_another_tenants_domains_show_nothing(stage: Stage) -> None:
    connected(stage, "hans@acme.example")
    with stage.world.database.transaction() as tx:
        sessions.trust_tenant(tx, stage.world.organization_id, "another", actor="test")
    refusal(stage, JOBS)


def test_where_microsoft_does_not_answer_the_dns_is_asked(stage: Stage) -> None:
    connected(stage, "hans@acme.example")
    stage.emulator.control.fault("GET /organization", status=403, times=9)
    refusal(stage, JOBS)
    RECORDS["_onbehalf.acme.example"] = [record(stage.world)]
    put(stage)


def test_looking_for_proofs_is_counted(stage: Stage) -> None:
    for _ in range(TESTS.amount):
        stage.runtime.limiter.count(TESTS, "domain", f"{stage.world.organization_id} Olga")
    with pytest.raises(TooMany):
        put(stage)


def test_a_persons_address_is_never_a_companys(stage: Stage) -> None:
    stage.world.domain()
    other = World(stage.world.database)
    member = stage.world.member("Vera")
    listed, gone, elsewhere = (
        stage.world.member("Nina"),
        stage.world.member("Paul", active=False),
        other.member("Otto"),
    )
    box = stage.world.mailbox(listed, connected=False, address="nina@acme.example")
    for address in (
        stage.only(Member, member).email,
        stage.only(Member, gone).email,
        stage.only(Member, elsewhere).email,
        stage.address(box),
    ):
        assert "person's address" in refusal(stage, str(address))
        assert "person's address" in refusal(stage, str(address).upper())


def test_what_became_a_persons_address_meanwhile_is_not_connected(
    stage: Stage, trusted_mail_server: None
) -> None:
    stage.world.domain()
    box = put(stage)
    by_smtp(stage, box)
    unproven(stage, box)
    member = stage.world.member("Jobs")
    stage.put(Member, member, email=JOBS)
    with pytest.raises(NotPermitted, match="person's address"):
        smtp.activate(stage.runtime, box, actor="Olga", code=codes(stage)[-1])
    assert stage.only(Mailbox).status == "never_connected"


def test_written_down_it_reserves_nothing_elsewhere(stage: Stage, trusted_mail_server: None) -> None:
    other = World(stage.world.database)
    for world in (stage.world, other):
        world.domain()
    mine, theirs = put(stage), put(stage, JOBS, other)
    by_smtp(stage, mine)
    assert unproven(stage, mine).startswith("NEEDS_CODE")
    assert smtp.activate(stage.runtime, mine, actor="Olga", code=codes(stage)[-1]).good
    # A connected address belongs to one organization: two lanes of one account would send twice as fast as
    # allowed.
    by_smtp(stage, theirs)
    assert unproven(stage, theirs, actor="Otto").startswith("NEEDS_CODE")
    with pytest.raises(NotPermitted, match="Another organization already sends"):
        smtp.activate(stage.runtime, theirs, actor="Otto", code=codes(stage)[-1])
    withdraw.disconnect_mailbox(stage.runtime, mine, actor="Olga")
    by_smtp(stage, theirs)
    assert smtp.activate(stage.runtime, theirs, actor="Otto").good


def test_a_person_whose_address_was_written_down_elsewhere_or_here_connects_theirs(stage: Stage) -> None:
    other = World(stage.world.database)
    nina = stage.world.member("Nina")
    stage.put(Member, nina, email="nina@acme.example")
    for world in (stage.world, other):
        world.mailbox(None, connected=False, address="nina@acme.example")
    with stage.world.database.transaction() as tx:
        box = my_settings.make_mailbox(tx, nina)
    stage.emulator.control.add_mailboxes({"address": "nina@acme.example"})
    token = stage.emulator.control.refresh_token("nina@acme.example")
    connect.connect_mailbox(stage.runtime, box, refresh_token=token, actor="Nina")
    assert stage.only(Mailbox, box).status == "connected"


def test_a_mail_server_proves_nothing_until_a_code_comes_back(
    stage: Stage, trusted_mail_server: None
) -> None:
    stage.world.domain()
    box = put(stage)
    by_smtp(stage, box)
    for code in ("", "00000000", "x"):
        unproven(stage, box, code)
    assert stage.only(Mailbox).status == "never_connected"
    (first,) = codes(stage)
    assert unproven(stage, box).startswith("NEEDS_CODE")
    second = codes(stage)[-1]
    assert "This code is wrong" in unproven(stage, box, first)
    assert smtp.activate(stage.runtime, box, actor="Olga", code=f" {second[:4]} {second[4:]} ").good
    assert second not in str(stage.everything(AddressProof))


def test_codes_are_not_guessed_and_do_not_last(stage: Stage, trusted_mail_server: None) -> None:
    stage.world.domain()
    box = put(stage)
    by_smtp(stage, box)

    def attempt(code: str = "") -> str:
        return unproven(stage, box, code)

    attempt()
    right = codes(stage)[-1]
    for number in range(5):
        attempt(str(number))
    assert "This code is wrong" in attempt(right)  # after five guesses
    attempt()
    stage.put(AddressProof, asked_at=ago(hours=2))
    assert "This code is wrong" in attempt(codes(stage)[-1])
    with pytest.raises(TooMany):
        for _ in range(20):
            attempt()


def test_without_a_mail_service_of_its_own_an_operator_vouches(
    stage: Stage, trusted_mail_server: None
) -> None:
    from dataclasses import replace

    stage.world.domain()
    box = put(stage)
    by_smtp(stage, box)
    stage.runtime.settings = replace(stage.runtime.settings, default_mail_url="")
    with pytest.raises(NotPermitted, match="onbehalf mailbox vouch"):
        smtp.activate(stage.runtime, box, actor="Olga")
    with stage.world.database.transaction() as tx:
        rows.vouch(tx, stage.world.organization_id, box, actor="operator")
    assert smtp.activate(stage.runtime, box, actor="Olga").good


def test_signing_in_with_the_address_within_the_trusted_tenant_is_proof(stage: Stage) -> None:
    stage.emulator.control.add_mailboxes({"address": JOBS})
    stage.world.domain()
    box = put(stage)
    stage.remove(OrganizationDomain)
    token = stage.emulator.control.refresh_token(JOBS)
    with pytest.raises(NotPermitted, match="We do not know yet that"):
        connect.connect_mailbox(stage.runtime, box, refresh_token=token, actor="Olga")
    tenant = stage.emulator.world.mailboxes[JOBS].tenant_id
    with stage.world.database.transaction() as tx:
        sessions.trust_tenant(tx, stage.world.organization_id, tenant, actor="test")
    connect.connect_mailbox(stage.runtime, box, refresh_token=token, actor="Olga")
    assert stage.only(Mailbox).status == "connected"


def test_owners_and_admins_hear_of_every_change(stage: Stage, trusted_mail_server: None) -> None:
    owner, admin = stage.world.member("Olga", role="owner"), stage.world.member("Adam", role="admin")
    stage.world.member("Rita")
    stage.world.member("Gone", role="admin", active=False)
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "mail.example")
    stage.world.domain()
    box = put(stage)
    by_smtp(stage, box)
    unproven(stage, box, actor="api:ats")
    smtp.activate(stage.runtime, box, actor="api:ats", code=codes(stage)[-1])
    withdraw.disable_mailbox(stage.runtime, box, actor="api:ats")
    stage.run_outbox()
    told = [each.title for each in stage.notices() if each.owner_id == owner and each.channel == "in_app"]
    changes = [" ".join(str(each).split()[1:3]) for each in told if str(each).startswith("jobs@")]
    assert sorted(changes) == ["has another", "is now", "was added", "was disabled"]
    assert {each.owner_id for each in stage.notices()} == {owner, admin}
    put(stage, "other@acme.example", world=_fresh(stage))


def _fresh(stage: Stage) -> World:
    other = World(stage.world.database)
    other.domain()
    return other


def test_audit_entries_hold_no_address(stage: Stage) -> None:
    stage.world.domain()
    box = put(stage)
    sender_addresses.remove_address(stage.runtime, stage.world.organization_id, box, actor="Olga")
    assert JOBS not in str([each.data for each in stage.all(AuditEntry)])
    assert stage.count(Mailbox) == 0


def test_another_organizations_domain_is_not_ones_own(stage: Stage) -> None:
    other = World(stage.world.database)
    other.domain()
    with stage.world.database.transaction() as tx:
        assert domains.listing(tx, stage.world.organization_id) == []
    refusal(stage, JOBS)
