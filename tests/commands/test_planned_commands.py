"""One planned email and one person's fields, on the command line."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

import cli
from lab.records import Candidate, Delivery, Enrollment, Sequence, Step
from lab.stage import Stage, as_environment
from lab.tables import ahead


@pytest.fixture
def operator(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name, value in as_environment(stage.runtime.settings).items():
        monkeypatch.setenv(name, value)
    return CliRunner()


def said(operator: CliRunner, *arguments: object, code: int = 0) -> str:
    result = operator.invoke(cli.app, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_an_operator_reads_the_outbox_and_changes_one_email(stage: Stage, operator: CliRunner) -> None:
    stage.attend()
    hans = stage.world.member("Hans Holder")
    sequence = stage.world.sequence(hans, stage.mailbox(hans), ("P1D", "P1D", "P1D"))
    stage.world.enroll(sequence, email="priya@kestrel.example", first_name="Priya")
    (row,) = json.loads(said(operator, "outbox", "--json"))
    assert (row["person"], row["waits_for"]) == ("Priya", "Its time")
    email = UUID(row["delivery_id"])
    assert "Moved." in said(operator, "email", "not-before", email, ahead(days=3).isoformat(), "--yes")
    assert "leaves as soon" in said(operator, "email", "earlier", email, "--yes")
    assert "done before" in said(operator, "email", "earlier", email, "--yes")
    assert "this is step 1." in said(operator, "email", "edit", email)
    assert "Saved" in said(operator, "email", "edit", email, "--text", "Hello {{first_name}}.")
    assert "Skipped." in said(operator, "email", "skip", email, "--yes")
    said(operator, "email", "not-before", email, "tomorrow", "--yes", code=2)
    following = stage.only(Delivery, state="pending").id
    assert "Cancelled." in said(operator, "email", "cancel", following, "--yes")
    assert "title" in said(operator, "candidate", "set", "priya@kestrel.example", "title=Staff engineer")
    assert stage.only(Candidate).email == "priya@kestrel.example"
    said(operator, "candidate", "set", "priya@kestrel.example", "rôle=x", code=2)
    assert "nothing can leave now" in said(operator, "candidate", "stop-all", "priya@kestrel.example")
    assert stage.only(Enrollment).status == "stopped"


def test_an_operator_changes_several_emails_at_once(stage: Stage, operator: CliRunner) -> None:
    stage.attend()
    hans = stage.world.member("Hans Holder")
    sequence = stage.world.sequence(hans, stage.mailbox(hans), ("P1D", "P1D"))
    stage.world.enroll(sequence, 2)
    ids = [row["delivery_id"] for row in json.loads(said(operator, "outbox", "--json"))]
    at = ahead(days=3).isoformat()
    assert said(operator, "email", "not-before", *ids, at, "--yes").count("Moved.") == 2
    assert said(operator, "email", "skip", *ids, "--yes").count("Skipped.") == 2
    rows = json.loads(said(operator, "email", "cancel", *ids, "--yes", "--json", code=1))
    assert [each["changed"] for each in rows] == [False, False]
    assert "skipped already" in rows[0]["refused"]
    assert json.loads(said(operator, "outbox", "--held", "--needs", "field", "--json")) == []


def test_an_operator_reads_what_waits_for_approval_and_approves_it(stage: Stage, operator: CliRunner) -> None:
    hans = stage.world.member("Hans Holder")
    sequence = stage.world.sequence(hans, stage.mailbox(hans), body="Hello {{first_name}}.")
    stage.put(Step, stage.only(Step).id, kind="approval")
    stage.world.enroll(sequence, email="priya@kestrel.example", first_name="Priya")
    stage.send_due()
    (row,) = json.loads(said(operator, "email", "waiting", "--json"))
    email = row["delivery_id"]
    assert "Your approval" in said(operator, "outbox", "--held")
    shown = json.loads(said(operator, "email", "approve", email, "--show", "--json"))
    assert (shown["text"], shown["approved"]) == ("Hello Priya.", False)
    said(operator, "email", "approve", email, code=2)  # it asks
    said(operator, "email", "approve", email, "--mark", "of something else", "--yes", code=1)
    assert stage.only(Delivery).held
    assert "Approved." in said(operator, "email", "approve", email, "--mark", shown["mark"], "--yes")
    assert "approved before" in said(operator, "email", "approve", email, "--yes")
    assert "Taken back." in said(operator, "email", "take-back", email)
    stage.send_due()
    assert stage.left() == []
    said(operator, "email", "approve", email, "--yes")
    stage.send_due()
    assert len(stage.left()) == 1
    assert "approved by" in said(operator, "receipt", email)
    said(operator, "email", "take-back", email, code=1)


def test_an_operator_writes_a_step_that_needs_approval(
    stage: Stage, operator: CliRunner, tmp_path: Path
) -> None:
    hans = stage.world.member("Hans Holder")
    sequence = stage.world.sequence(hans, stage.mailbox(hans))
    name = stage.only(Sequence, sequence).name
    (text := tmp_path / "text.txt").write_text("Second.")
    said(operator, "step", "add", name, "--text", text, "--kind", "approval")
    assert [each.kind for each in stage.all(Step, position=2)] == ["approval"]
    said(operator, "step", "change", name, 2, "--kind", "automatic")
    assert [each.kind for each in stage.all(Step, position=2)] == ["automatic"]


def test_an_operator_lists_tasks_and_finishes_one(stage: Stage, operator: CliRunner, tmp_path: Path) -> None:
    hans = stage.world.member("Hans Holder")
    sequence = stage.world.sequence(hans, stage.mailbox(hans), status="draft")
    name = stage.only(Sequence, sequence).name
    (text := tmp_path / "text.txt").write_text("Call {{first_name}}\nAbout the role.")
    said(operator, "step", "add", name, "--text", text, "--kind", "task", "--position", 1, "--delay", "PT0S")
    said(operator, "sequence", "activate", name, "--yes")
    stage.world.enroll(sequence, email="priya@kestrel.example", first_name="Priya")
    shown = json.loads(said(operator, "sequence", "preview", name, "--json"))
    assert (shown["kind"], shown["text"]) == ("task", "About the role.")
    (row,) = json.loads(said(operator, "task", "list", "--json"))
    assert (row["what"], row["note"], row["owner"]) == ("Call Priya", "About the role.", "Hans Holder")
    assert "Call Priya, since" in said(operator, "why", "priya@kestrel.example")
    assert "counts from now" in said(operator, "task", "done", row["task_id"])
    assert "done before" in said(operator, "task", "done", row["task_id"])
    said(operator, "task", "skip", row["task_id"], code=1)
    assert json.loads(said(operator, "task", "list", "--json")) == []
    stage.send_due()
    assert len(stage.left()) == 1
