"""What came to a default address and is nobody's, on the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from actions import unassigned as decisions
from commands.received import harmless
from lab.listening_records import IncomingMessage
from lab.stage import Stage, as_environment


def test_a_line_of_a_strangers_cannot_command_a_terminal() -> None:
    assert harmless("Hi\x1b[2J\x1b]0;x\x07 \u202eevil\tend\x9b31m") == "Hi[2J]0;x evil\tend31m"


@pytest.fixture
def operator(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name, value in as_environment(stage.runtime.settings).items():
        monkeypatch.setenv(name, value)
    return CliRunner()


def test_an_operator_lists_reads_assigns_and_discards(
    stage: Stage, operator: CliRunner, tmp_path: Path
) -> None:
    from db.mailboxes import senders
    from tests.workers.test_process_mail import comes, letter, message_id

    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "onbehalf.example")
        box = senders.sender_of(tx, stage.world.organization_id, None)
    assert box is not None
    comes(stage, box, letter(stage, "ann@example.net", "Hello\x1b[2J"), peer="203.0.113.9")
    first = message_id(stage)
    listed = operator.invoke(cli.app, ["inbox", "unassigned", "--json"])
    assert listed.exit_code == 0, listed.output
    assert str(first) in listed.output
    shown = operator.invoke(cli.app, ["inbox", "show", str(first), "--files", str(tmp_path / "files")])
    assert shown.exit_code == 0, shown.output
    assert "not verified" in shown.output
    assert "No person has this address" in shown.output
    assert "\x1b[2J" not in shown.output
    assert operator.invoke(cli.app, ["inbox", "assign", str(first), "--to", "x@example.net"]).exit_code == 2
    assert operator.invoke(cli.app, ["inbox", "assign", str(first)]).exit_code == 0
    assert operator.invoke(cli.app, ["inbox", "discard", str(first), "--because", "spam"]).exit_code == 1
    comes(stage, box, "\x01 no email")
    second = message_id(stage)
    shown = operator.invoke(cli.app, ["inbox", "show", str(second), "--files", str(tmp_path / "files")])
    assert shown.exit_code == 0, shown.output
    assert (tmp_path / "files" / "1 message.eml").read_bytes() == b"\x01 no email"
    assert operator.invoke(cli.app, ["inbox", "discard", str(second), "--because", "junk"]).exit_code == 0
    assert stage.only(IncomingMessage, second).status == "discarded"
    with pytest.raises(Exception, match="discarded already"):
        decisions.discard(stage.runtime, second, because="again", actor="Rita")
