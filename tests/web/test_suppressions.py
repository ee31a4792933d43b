"""The suppression list: by page, API and command, asked at enrolling and before every email."""

import re
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from actions import suppressions as actions
from db.core.ids import new_id
from db.sequences import enrolling
from db.withdrawing import suppressions
from domain.suppression import Reason, entry
from lab.access_records import Organization
from lab.factories import World
from lab.records import AuditEntry, Enrollment, Suppression
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli  # noqa: F401 - a fixture
from tests.web.test_api import Api, client, key_of  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account

HERE = "/settings/suppressions"


@pytest.fixture
def ada(stage: Stage) -> UUID:
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    return ada


def start(stage: Stage, owner: UUID, *addresses: str) -> UUID:
    sequence = stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "P1D"))
    for each in addresses:
        stage.world.enroll(sequence, email=each)
    return sequence


def visit(stage: Stage, member: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, member)).get(HERE)


def on_list(stage: Stage) -> list[tuple[str, str | None, str]]:
    return [(each.kind, each.value, each.reason) for each in stage.all(Suppression, lifted_at=None)]


def statuses(stage: Stage) -> list[tuple[str, str | None]]:
    return [each.standing for each in stage.all(Enrollment)]


@pytest.mark.row("F3")
def test_a_domain_stops_everybody_below_it_and_nobody_beside_it(stage: Stage, ada: UUID) -> None:
    start(stage, ada, "a@falk.example", "b@hr.falk.example", "c@notfalk.example")
    visitor = visit(stage, ada).send(f"{HERE}/add", value="Falk.example", reason="by_hand").follow()
    assert "Nobody can write to falk.example any more. 2 emails stopped." in visitor.text
    assert statuses(stage) == [("stopped", "suppressed")] * 2 + [("active", None)]
    stage.send_due()
    assert [each.to for each in stage.left()] == [["c@notfalk.example"]]


@pytest.mark.row("F3")
def test_the_gate_asks_the_list_for_domains(stage: Stage, ada: UUID) -> None:
    start(stage, ada, "b@hr.falk.example")
    stage.add(
        Suppression,
        {
            "id": new_id(),
            "organization_id": stage.world.organization_id,
            "kind": "domain",
            "value": "falk.example",
            "reason": "by_hand",
        },
    )
    stage.send_due()
    assert stage.left() == []


@pytest.mark.row("N21")
def test_somebody_nobody_knows_can_be_added_and_is_refused_at_enrolling(stage: Stage, ada: UUID) -> None:
    sequence = start(stage, ada)
    visit(stage, ada).send(f"{HERE}/add", value="New@Example.org", reason="opt_out", source="by phone")
    assert on_list(stage) == [("address", "new@example.org", "opt_out")]
    with stage.world.database.transaction() as tx:
        known = enrolling.standings(tx, stage.world.organization_id, sequence, ["new@example.org"])
    assert known["new@example.org"].suppressed


def test_what_is_no_address_is_refused_beside_its_field(stage: Stage, ada: UUID) -> None:
    visitor = visit(stage, ada).send(f"{HERE}/add", value="n/a", reason="by_hand")
    assert visitor.status == 422
    assert "is neither an address nor a domain. Write one address" in visitor.text
    assert on_list(stage) == []


@pytest.mark.row("F3")
def test_a_lift_needs_a_reason_and_is_audited(stage: Stage, ada: UUID) -> None:
    start(stage, ada, "jo@example.org")
    visitor = visit(stage, ada).send(f"{HERE}/add", value="jo@example.org", reason="by_hand").follow()
    found = re.search(r"/settings/suppressions/[0-9a-f-]+/lift", visitor.text)
    assert found is not None
    visitor.get(found[0]).send(found[0], reason=" ")
    assert visitor.status == 422
    assert "A reason is missing. Write how the person allowed it again." in visitor.text
    visitor.send(found[0], reason="She asked for it").follow()
    assert "Lifted. It may be written to again." in visitor.text
    assert on_list(stage) == []
    audited = stage.only(AuditEntry, action="suppression_lifted")
    assert (audited.actor_name, audited.data["reason"]) == ("Ada Novak", "She asked for it")
    assert statuses(stage) == [("stopped", "suppressed")]  # sends nothing by itself
    assert "She asked for it" in visitor.get(f"{HERE}?which=lifted").text
    visitor.send(found[0], reason="again").follow()
    assert "It was lifted before." in visitor.text


@pytest.mark.row("F3")
def test_a_pasted_list_is_checked_and_imported_with_the_lines_that_are_left_out(
    stage: Stage, ada: UUID
) -> None:
    start(stage, ada, "jo@example.org")
    lines = "email,reason\njo@example.org,unsubscribed\nn/a,\nfalk.example,client\n"
    visitor = visit(stage, ada).send(f"{HERE}/import", lines=lines, do="check")
    assert "2 entries would be new, 0 known." in visitor.text
    assert "1 person would leave all sequences." in visitor.text
    assert "Line 3: &#39;n/a&#39; is neither an address nor a domain." in visitor.text
    assert on_list(stage) == []
    visitor.send(f"{HERE}/import", lines=lines, do="import").follow()
    assert "2 entries are new, 0 known. 1 person leaves all sequences. 1 line is left out." in visitor.text
    assert on_list(stage) == [
        ("address", "jo@example.org", "opt_out"),
        ("domain", "falk.example", "imported"),
    ]
    visitor.get(f"{HERE}/export.csv")
    assert "jo@example.org,opt_out,," in visitor.text


def test_a_file_fills_the_list_and_changes_nothing_before_it_is_imported(stage: Stage, ada: UUID) -> None:
    start(stage, ada, "jo@example.org")
    visitor = visit(stage, ada)
    visitor.upload(
        f"{HERE}/upload", "clients.csv", "address,reason\njo@example.org,opt_out\nn/a,\n".encode("utf-16")
    )
    assert visitor.status == 200
    assert "1 person would leave all sequences." in visitor.text
    assert "jo@example.org,opt_out" in visitor.text
    assert on_list(stage) == []
    visitor.upload(f"{HERE}/upload", "long.csv", b"x" * 60_000)
    assert visitor.status == 422
    assert on_list(stage) == []
    mona = Visitor(stage).sign_in(email_of(stage, member(stage, "Mona Member")))
    assert mona.upload(f"{HERE}/upload", "clients.csv", b"jo@example.org").status == 403


def test_members_who_do_not_manage_see_and_change_nothing(stage: Stage) -> None:
    rita = member(stage, "Rita Recruiter")
    visitor = visit(stage, rita)
    assert visitor.status == 403
    visitor.send(f"{HERE}/add", value="jo@example.org", reason="by_hand")
    assert visitor.status == 403
    assert on_list(stage) == []


def test_an_entry_of_another_organization_cannot_be_lifted(stage: Stage, ada: UUID) -> None:
    other = World(stage.world.database)
    actions.add(stage.runtime, other.organization_id, [entry("jo@example.org", Reason.BY_HAND)], actor="x")
    theirs = stage.only(Suppression).id
    visitor = visit(stage, ada).send(f"{HERE}/{theirs}/lift", reason="mine")
    assert visitor.status == 404
    assert stage.only(Suppression).lifted_at is None


def test_an_erased_address_is_kept_as_a_hash_and_recognised(stage: Stage) -> None:
    world, keys = stage.world, stage.runtime.web_keys
    actions.add(stage.runtime, world.organization_id, [entry("jo@example.org", Reason.OPT_OUT)], actor="x")
    with world.database.transaction() as tx:
        assert suppressions.forget(tx, keys, world.organization_id, "jo@example.org") == 1
    erased = stage.only(Suppression)
    assert (erased.value, erased.source) == (None, "")
    with world.database.transaction() as tx:
        assert suppressions.recognise(tx, keys, world.organization_id, ["ann@example.org"]) == 0
        assert suppressions.recognise(tx, keys, world.organization_id, ["jo@example.org"]) == 1
        assert suppressions.active_id(tx, world.organization_id, "jo@example.org") == erased.id
    assert stage.only(Suppression, erased.id).reason == "opt_out"


def test_the_api_adds_lists_and_lifts(stage: Stage, client: httpx.Client) -> None:  # noqa: F811
    api = Api(client, key_of(stage.world, "read", "manage"))
    start(stage, stage.world.member(), "jo@falk.example")
    answer = api.post("/suppressions", {"values": ["jo@falk.example", "JO@falk.example", "falk.example"]})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["added"], answer.json()["people"], answer.json()["complete"]) == (2, 1, True)
    listed = api.get("/suppressions").json()
    assert {each["value"] for each in listed["items"]} == {"jo@falk.example", "falk.example"}
    one = listed["items"][0]["id"]
    assert api.post(f"/suppressions/{one}/lift", {"reason": "she asked"}).json()["lifted"] is True
    assert api.post("/suppressions", {"values": ["n/a"]}).status_code == 422
    assert len(api.get("/suppressions", lifted="true").json()["items"]) == 1


@pytest.fixture
def organization(stage: Stage) -> str:
    return stage.only(Organization).name


def test_the_commands_add_import_export_and_lift(
    stage: Stage,
    cli: Cli,  # noqa: F811
    organization: str,
    tmp_path: Path,
) -> None:
    start(stage, stage.world.member(), "jo@example.org")
    file = tmp_path / "list.csv"
    file.write_text("address,reason\njo@example.org,unsubscribed\nn/a,\n")
    assert "1 would be new" in cli("suppressions", "import", organization, str(file), "--dry-run").output
    assert on_list(stage) == []
    done = cli("suppressions", "import", organization, str(file))
    assert "1 new, 0 known" in done.output
    assert "list.csv:3:1: 'n/a' is neither an address nor a domain." in done.output
    assert "falk.example is on the list" in cli("suppressions", "add", organization, "falk.example").output
    assert "jo@example.org,opt_out" in cli("suppressions", "export", organization).output
    assert "Opted out" in cli("suppressions", "list", organization).output
    lifted = cli("suppressions", "lift", organization, "jo@example.org", "--because", "asked", "--yes")
    assert "may be written to again" in lifted.output
    assert on_list(stage) == [("domain", "falk.example", "by_hand")]
