"""One planned email and one person's fields, on the command line."""

import json
from uuid import UUID

import pytest
from typer.testing import CliRunner

import cli
from lab.records import Candidate, Delivery, Enrollment
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
