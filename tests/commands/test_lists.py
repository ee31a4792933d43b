"""What there is, as lists and one by one; and names that the shell completes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from commands.names import completed
from lab.access_records import Organization
from lab.stage import Stage, as_environment
from tests.commands.test_cli import Cli, Office, cli, office, ok  # noqa: F401 - fixtures

ROOT = Path(__file__).parents[2]


def test_everything_that_has_a_name_is_listed_and_shown(
    cli: Cli,  # noqa: F811
    stage: Stage,
    office: Office,  # noqa: F811
) -> None:
    acme = stage.only(Organization).name
    assert [each["name"] for each in ok(cli("organization", "list", "--json"))] == [acme]
    organization = ok(cli("organization", "show", acme, "--json"))
    assert (organization["connected"], organization["active_sequences"]) == (1, 1)
    member = ok(cli("member", "show", office.email_of_rita, "--json"))
    assert member["may_send_from"] == [office.address]
    assert member["sequences"] == [office.name]
    mailbox = ok(cli("mailbox", "show", office.address, "--json"))
    assert (mailbox["owner"], mailbox["status"], mailbox["open"]) == (office.email_of_hans, "connected", True)
    assert (mailbox["permissions"], mailbox["sent_today"], mailbox["sequences"]) == (1, 2, [office.name])
    (sequence,) = ok(cli("sequence", "list", "--json"))
    assert sequence["people"] == 2
    assert "connected" in ok(cli("mailbox", "show", office.address))
    assert office.address in ok(cli("member", "show", office.email_of_rita))


def test_people_are_listed_by_sequence_and_status_and_by_words(
    cli: Cli,  # noqa: F811
    stage: Stage,
    office: Office,  # noqa: F811
) -> None:
    first, second = office.people
    assert len(ok(cli("enrollment", "list", "--sequence", office.name, "--json"))) == 2
    ok(cli("enrollment", "pause", first, "--json"))
    (paused,) = ok(cli("enrollment", "list", "--status", "paused", "--json"))
    assert (paused["person"], paused["reason"], paused["sent"]) == (first, "paused by hand", 1)
    assert len(ok(cli("enrollment", "list", "--limit", "1", "--json"))) == 1
    (shown,) = ok(cli("enrollment", "show", first, "--json"))
    assert [each["state"] for each in shown["deliveries"]].count("sent") == 1
    assert "paused" in shown["answer"]
    assert "paused" in ok(cli("enrollment", "show", first))
    assert cli("enrollment", "show", "nobody@example.org").exit_code == 2
    assert cli("enrollment", "list", "--status", "bogus").exit_code == 2

    assert {each["email"] for each in ok(cli("candidate", "list", "--json"))} == {first, second}
    (found,) = ok(cli("candidate", "list", second.upper(), "--json"))
    assert (found["email"], found["sequences"], found["suppressed"]) == (second, 1, "")
    ok(cli("candidate", "unsubscribe", second, "--json"))
    person = ok(cli("candidate", "show", second, "--json"))
    assert person["suppressed"]
    assert [each["sequence"] for each in person["sequences"]] == [office.name]
    assert {each["person"] for each in person["deliveries"]} == {second}
    assert second in ok(cli("candidate", "show", second))


def test_names_are_completed(stage: Stage, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    settings = as_environment(stage.runtime.settings)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert completed("mailbox")(office.address[:3].upper()) == [office.address]
    assert completed("sequence")("no such") == []
    # As bash asks for it, which takes the answer for what was typed.
    asked = {
        "_ONBEHALF_COMPLETE": "complete_bash",
        "COMP_WORDS": f"onbehalf sequence pause {office.name[:2]}",
        "COMP_CWORD": "3",
    }
    answer = subprocess.run(
        [sys.executable, "-c", "import sys, cli; sys.argv = ['onbehalf']; cli.main()"],
        cwd=ROOT,
        env=settings | asked | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.stdout.strip() == office.name.replace(" ", "\\ "), answer.stderr


def test_without_a_database_nothing_is_completed_and_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert completed("sequence")("a") == []
    assert capfd.readouterr() == ("", "")
