"""How notices come, chat channels and incidents, on the command line."""

import json

import pytest
from typer.testing import CliRunner

import cli
from actions import withdraw
from lab.access_records import Organization
from lab.records import Notice
from lab.stage import Stage, as_environment

SECRET = "TIiajkdnlazkcOXrIdevi7FQ"
URL = f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{SECRET}"


@pytest.fixture
def operator(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name, value in as_environment(stage.runtime.settings).items():
        monkeypatch.setenv(name, value)
    return CliRunner()


def said(operator: CliRunner, *arguments: object, code: int = 0, typed: str | None = None) -> str:
    result = operator.invoke(cli.app, [str(each) for each in arguments], input=typed)
    assert result.exit_code == code, result.output
    assert SECRET not in result.output
    return result.output


def test_an_operator_sets_how_a_member_hears_of_notices(stage: Stage, operator: CliRunner) -> None:
    rita = stage.world.member("Rita Recruiter")
    assert "Quiet hours: 19:00-07:30" in said(
        operator, "member", "notices", rita, "--answers", "daily", "--quiet", "19:00-07:30"
    )
    said(operator, "member", "notices", rita, "--quiet", "nineteen", code=2)
    said(operator, "channel", "add", rita, "Hiring", typed=f"{URL}\n")
    (channel,) = json.loads(said(operator, "channel", "list", rita, "--json"))
    assert (channel["service"], channel["name"]) == ("Slack", "Hiring")
    assert "stopped, answers" in said(operator, "channel", "use", rita, channel["id"], "stopped", "answers")
    assert "nothing" in said(operator, "channel", "use", rita, channel["id"])
    found = json.loads(said(operator, "member", "notices", rita, "--json"))
    assert (found["by_email"]["answers"], found["quiet"]) == ("daily", "19:00-07:30")
    said(operator, "channel", "remove", rita, channel["id"])
    assert json.loads(said(operator, "channel", "list", rita, "--json")) == []
    said(operator, "channel", "use", rita, channel["id"], "stopped", code=2)
    said(operator, "channel", "add", rita, "Inside", typed=f"https://127.0.0.1/{SECRET}\n", code=2)


def test_an_operator_lists_and_acknowledges_incidents(stage: Stage, operator: CliRunner) -> None:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box), 2)
    withdraw.revoke_grant(stage.runtime, grant, actor="Hans Holder")
    stage.run_outbox()
    organization = stage.only(Organization).name
    (listed,) = json.loads(said(operator, "incident", "list", organization, "--json"))
    assert (listed["state"], listed["owner"]) == ("open", "Rita Recruiter")
    assert "Acknowledged." in said(operator, "incident", "acknowledge", organization, listed["id"])
    assert "Already acknowledged" in said(operator, "incident", "acknowledge", organization, listed["id"])
    assert stage.only(Notice, owner_id=rita, channel="in_app").acknowledged_at is not None
    assert "4 hours" in said(operator, "incident", "unread-hours", organization, 4)
    said(operator, "incident", "unread-hours", organization, 0, code=2)
    said(operator, "incident", "acknowledge", organization, rita, code=2)
