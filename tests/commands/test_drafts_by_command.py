"""Drafts and organization files from the command line."""

import re
from pathlib import Path

from lab.access_records import Organization
from lab.records import Sequence
from lab.stage import Stage
from tests.commands.test_cli import Cli, Office, cli, office, ok  # noqa: F401 - fixtures


def test_a_sequence_is_set_back_and_activated_again(cli: Cli, stage: Stage, office: Office) -> None:  # noqa: F811
    stopped = ok(cli("sequence", "deactivate", office.name, "--because", "rewrite", "--json"))
    assert (stopped["stopped"], stopped["already_sent"], stopped["complete"]) == (2, 2, True)
    assert cli("sequence", "resume", office.name, "--yes").exit_code == 1
    assert cli("sequence", "activate", office.name).exit_code == 2  # it asks first
    assert "2 people get their next email" in ok(cli("sequence", "activate", office.name, "--yes"))
    assert stage.only(Sequence).status == "active"
    ok(cli("grant", "revoke", office.grant))
    stage.put(Sequence, status="draft")
    refused = cli("sequence", "activate", office.name, "--yes")
    assert refused.exit_code == 1
    assert "has no permission to send from" in re.sub(r"\s+", " ", refused.output)


def test_a_file_is_tried_first_and_says_what_it_left_alone(
    cli: Cli,  # noqa: F811
    stage: Stage,
    office: Office,  # noqa: F811
    tmp_path: Path,
) -> None:
    name = stage.only(Organization).name
    file = tmp_path / "acme.yaml"
    file.write_text(
        f"organizations:\n  - name: {name}\n    time_zone: UTC\n    members:\n"
        f"      - {{name: Hans Holder, email: {office.email_of_hans}}}\n"
        f"      - {{name: Rita Recruiter, email: {office.email_of_rita}}}\n"
        f"    mailboxes:\n      - {{address: {office.address}, owner: {office.email_of_hans}}}\n"
        f"    grants:\n      - {{mailbox: {office.address}, to: {office.email_of_rita}}}\n"
    )
    ok(cli("grant", "revoke", office.grant))
    for options in (["--dry-run"], []):
        done = ok(cli("import", file, *options, "--json"))
        assert done["grants"] == 0
        assert done["left_alone"][0].startswith(
            "1 permission of this file has ended since; only their owners"
        )
    said = ok(cli("import", file))
    assert "Left alone" in said
    assert cli("import", file, "--organization", "Globex").exit_code == 2
