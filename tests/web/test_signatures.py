"""A mailbox's signature is edited on its page, by its owner alone; sequences say whether they carry it. By pages, the API and commands."""

from pathlib import Path
from uuid import UUID

import pytest

from actions import signatures
from db.sequences import built, candidates
from lab.access_records import Mailbox
from lab.records import Candidate, Receipt, Sequence
from lab.stage import Stage
from tests.commands.test_cli import Cli, Office, cli, office, ok  # noqa: F401 - fixtures
from tests.web.test_answers import ada  # noqa: F401 - a fixture
from tests.web.test_api import client  # noqa: F401 - a fixture
from tests.web.test_api_sequences import Program, api  # noqa: F401 - a fixture
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of

HERE = "/settings/sequences/signature"
HTML = "<p><b>Rita</b><script>alert(1)</script></p>"


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return member(stage, "Rita Recruiter")


@pytest.fixture
def box(stage: Stage, rita: UUID) -> UUID:
    return stage.mailbox(rita)


def signature_of(stage: Stage, box: UUID) -> str:
    with stage.database.transaction() as tx:
        return signatures.show(tx, box).signed.body


def test_the_owner_writes_it_and_sees_it_as_recipients_do(stage: Stage, rita: UUID, box: UUID) -> None:
    stage.world.sequence(rita, box)
    visitor = Visitor(stage).sign_in(email_of(stage, rita)).get("/settings/sequences")
    assert "emails end as they are written" in visitor.text
    visitor.get(HERE)
    assert "1 sequence ends emails with the signature of this mailbox, 1 of them running" in visitor.text
    assert "Saved." in visitor.send(HERE, body=f"\r\n{HTML}\r\n").follow().text
    assert signature_of(stage, box) == HTML
    assert "<p><b>Rita</b></p>" in visitor.text
    visitor.get(HERE)
    assert "&lt;script&gt;" in visitor.text  # as it is written, to be edited
    assert "<p><b>Rita</b></p>" in visitor.text
    assert "<script>alert" not in visitor.text
    assert "without a signature" in visitor.send(HERE, body=" ").follow().text
    assert signature_of(stage, box) == ""


def test_what_is_wrong_is_said_beside_what_was_typed(stage: Stage, rita: UUID, box: UUID) -> None:
    visitor = Visitor(stage).sign_in(email_of(stage, rita)).get(HERE)
    visitor.send(HERE, body="Yours, {{first_name}}")
    assert visitor.status == 422
    assert "A signature has no merge fields. Write it as everybody gets it." in visitor.text
    assert "Yours, {{first_name}}</textarea>" in visitor.text
    assert signature_of(stage, box) == ""


def test_nobody_edits_a_colleagues_and_admins_edit_the_organizations(
    stage: Stage,
    rita: UUID,
    box: UUID,
    ada: UUID,  # noqa: F811 - a fixture
) -> None:
    jobs = stage.world.mailbox(None)
    theirs = Visitor(stage).sign_in(email_of(stage, ada))
    assert theirs.get(f"/settings/email/addresses/{box}/signature").status == 404
    path = f"/settings/email/addresses/{jobs}/signature"
    theirs.get(path).send(path, body="Acme")
    assert signature_of(stage, jobs) == "Acme"
    mine = Visitor(stage).sign_in(email_of(stage, rita))
    assert mine.get(path).status == 403
    assert mine.get(HERE).send(path, body="Rita").status == 403
    assert signature_of(stage, jobs) == "Acme"
    assert stage.only(Mailbox, box).id == box


def test_a_sequence_says_whether_it_carries_it(stage: Stage, rita: UUID, box: UUID) -> None:
    sequence = stage.world.sequence(rita, box, ("PT0S", "P1D"))
    stage.world.enroll(sequence)
    stage.send_due()
    path = f"/sequences/{sequence}/settings"
    visitor = Visitor(stage).sign_in(email_of(stage, rita)).get(path)

    def carries() -> bool:
        return stage.only(Sequence, sequence).with_signature

    def save(signature: str) -> str:
        with stage.database.transaction() as tx:
            now = built.built(tx, sequence)
        visitor.get(path).send(
            path, name=now.name, sender=str(box), version=str(now.version), signature=signature
        )
        return visitor.follow().text

    assert "Saved." in save("no")
    assert not carries()
    save("")  # as a form that was opened before there were signatures
    assert not carries()
    save("yes")
    assert carries()


def test_whoever_writes_by_hand_sees_it(stage: Stage, rita: UUID, box: UUID) -> None:
    signatures.change(stage.runtime, box, HTML, actor="Rita")
    stage.world.enroll(stage.world.sequence(rita, box))
    person = stage.only(Candidate).id
    visitor = Visitor(stage).sign_in(email_of(stage, rita)).get(f"/people/{person}/messages")
    assert "It ends with the signature of" in visitor.text
    assert "<p><b>Rita</b></p>" in visitor.text
    visitor.send(f"/people/{person}/messages", sender=str(box), subject="Tuesday", text="Tuesday?", key="k")
    stage.send_due()
    assert "<p>Tuesday?</p>\n<p><b>" not in stage.left()[-1].body  # plain text stays plain
    assert "<p>Tuesday?</p>\n<p>Rita</p>" in stage.left()[-1].body


def test_whoever_writes_by_hand_can_leave_it_out(
    stage: Stage,
    api: Program,  # noqa: F811
    rita: UUID,
    box: UUID,
) -> None:
    signatures.change(stage.runtime, box, HTML, actor="Rita")
    (person,) = stage.world.candidates(1)
    here = f"/people/{person}/messages"
    visitor = Visitor(stage).sign_in(email_of(stage, rita))
    with stage.world.database.transaction() as tx:
        candidates.bring_in(tx, stage.world.organization_id, rita, [stage.only(Candidate, person).email])
    assert "Without my signature" in visitor.get(here).text
    form = {"sender": str(box), "text": "Tuesday?", "key": "k", "unsigned": "yes"}
    assert visitor.send(here, None, **form, subject="").status == 422
    assert 'name="unsigned" value="yes" checked' in visitor.text
    assert visitor.send(here, None, **form, subject="Tuesday").status == 303
    letter = {"member_id": str(rita), "mailbox_id": str(box), "subject": "Friday", "text": "Friday?"}
    assert api.post(f"/candidates/{person}/messages", {**letter, "with_signature": False}).status_code == 201
    assert stage.send_due() == 2
    for email in stage.left():
        assert "Rita" not in email.body
        assert "?</p>" in email.body
    assert not any("signature" in each.template_version for each in stage.all(Receipt))


def test_programs_read_and_change_it(stage: Stage, api: Program, rita: UUID, box: UUID) -> None:  # noqa: F811
    path = f"/mailboxes/{box}/signature"
    assert api.get(path).json() == {
        "signature": "", "version": 0, "html": "", "text": "", "sequences": 0, "running": 0
    }  # fmt: skip
    changed = api.put(path, {"signature": HTML})
    assert changed.status_code == 200, changed.text
    assert changed.json()["html"] == "<p><b>Rita</b></p>"
    assert changed.json() == api.get(path).json()
    assert api.put(path, {"signature": "{{first_name}}"}).status_code == 422
    assert api.get(f"/mailboxes/{UUID(int=7)}/signature").status_code == 404
    made = api.post("/sequences", {"owner_id": str(rita), "name": "Quiet", "with_signature": False}).json()[
        "id"
    ]
    sequence = api.get(f"/sequences/{made}").json()
    assert sequence["with_signature"] is False
    settings = {"version": 1, "name": "Quiet", "sender_id": str(box)}
    api.put(f"/sequences/{made}", settings)
    assert api.get(f"/sequences/{made}").json()["with_signature"] is False
    api.put(f"/sequences/{made}", {**settings, "with_signature": True})
    assert api.get(f"/sequences/{made}").json()["with_signature"] is True


def test_operators_read_and_change_it(
    cli: Cli,  # noqa: F811
    stage: Stage,
    office: Office,  # noqa: F811
    tmp_path: Path,
) -> None:
    file = tmp_path / "signature.html"
    file.write_text(HTML)
    shown = ok(cli("mailbox", "signature", office.address, "--file", file, "--json"))
    assert (shown["signature"], shown["text"], shown["version"]) == (HTML, "Rita", 1)
    assert "In plain emails:\nRita" in cli("mailbox", "signature", office.address).output
    assert cli("mailbox", "signature", office.address, "--text", "x", "--none").exit_code == 2
    ok(cli("sequence", "signature", office.name, "--off"))
    assert not stage.only(Sequence, name=office.name).with_signature
    ok(cli("sequence", "signature", office.name, "--on"))
    assert stage.only(Sequence, name=office.name).with_signature
    ok(cli("mailbox", "signature", office.address, "--none"))
    assert "end without a signature" in cli("mailbox", "signature", office.address).output
