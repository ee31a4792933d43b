"""``onbehalf inbox explain``: needs files, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from lab.inbox_report import CORPUS


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEYS", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)


def explain(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["inbox", "explain", *map(str, arguments)])


def lines(*arguments: object) -> list[dict[str, Any]]:
    result = explain("--json", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_file_is_a_line_of_json_with_all_that_is_said() -> None:
    files = [
        CORPUS / "incoming" / name
        for name in ("bounce-exchange-full.eml", "auto-exchange-de.eml", "optout-stop.eml")
    ]
    bounce, away, opt_out = lines(*files, "--sent", CORPUS / "sent", "--mailbox", "rita.roe@recruit.example")
    assert bounce == {
        "file": str(files[0]),
        "kind": "bounce",
        "sent": "elise.eml",
        "matched_by": "message_id",
        "bounce": {"class": "soft", "recipient": "elise.etienne@societe.example", "status": "5.2.2"},
        "return_on": None,
        "opt_out_words": None,
        "why": "A server could not deliver our email to elise.etienne@societe.example this time (status 5.2.2).",
    }
    assert (away["kind"], away["return_on"], away["bounce"]) == ("auto_reply", "2026-12-15", None)
    assert (opt_out["kind"], opt_out["opt_out_words"]) == ("opt_out", "STOP")


def test_the_mailbox_is_whose_emails_were_sent_unless_it_is_named() -> None:
    file = CORPUS / "incoming" / "sender-wrote-new.eml"
    assert lines(file, "--sent", CORPUS / "sent")[0]["kind"] == "sender_wrote"
    assert (
        lines(file, "--sent", CORPUS / "sent", "--mailbox", "another@recruit.example")[0]["kind"] == "other"
    )


def test_without_our_emails_it_says_what_it_would_be() -> None:
    said = lines(CORPUS / "incoming" / "answer-gmail.eml")[0]
    assert (said["kind"], said["sent"], said["matched_by"]) == ("answer", None, "none")


def test_the_day_of_arrival_can_be_given() -> None:
    file = CORPUS / "incoming" / "auto-exchange-de.eml"
    assert lines(file, "--received-on", "2026-12-13")[0]["return_on"] == "2026-12-15"
    assert lines(file, "--received-on", "2027-01-20")[0]["return_on"] is None


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_done(tmp_path: Path) -> None:
    broken = tmp_path / "broken.eml"
    broken.write_bytes(b"PK\x03\x04")
    result = explain("--json", broken, tmp_path / "missing.eml", CORPUS / "incoming" / "answer-gmail.eml")
    assert result.exit_code == 2
    assert [json.loads(line)["kind"] for line in result.stdout.splitlines()] == ["answer"]
    assert f"{broken}: This is no email" in result.stderr
    assert f"{tmp_path / 'missing.eml'}: No such file" in result.stderr


def test_people_read_sentences() -> None:
    result = explain(CORPUS / "incoming" / "auto-exchange-en.eml", "--sent", CORPUS / "sent")
    assert result.exit_code == 0
    assert "auto reply" in result.stdout
    assert "Back on 2026-12-15" in result.stdout
    assert "About ann.eml: It answers our email by its Message-ID." in result.stdout
