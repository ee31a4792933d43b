"""Emails by what happened last, and what becomes of them as it happens."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from commands.following import followed
from db.views import dashboard
from lab.records import Delivery
from lab.stage import Stage, as_environment
from lab.tables import ago
from tests.commands.test_cli import Cli, Office, cli, office, ok  # noqa: F401 - fixtures

ROOT = Path(__file__).parents[2]


def test_the_email_to_which_something_happened_last_comes_first(
    cli: Cli,  # noqa: F811
    stage: Stage,
    office: Office,  # noqa: F811
) -> None:
    first, second = stage.all(Delivery, state="sent")
    stage.overwrite(Delivery, first.id, sent_at=ago(minutes=5))
    stage.overwrite(Delivery, second.id, sent_at=ago(minutes=90))
    rows = ok(cli("deliveries", "--state", "sent", "--json"))
    assert [each["id"] for each in rows] == [str(first.id), str(second.id)]
    assert rows[0]["at"] == rows[0]["sent_at"]
    lately = ok(cli("deliveries", "--state", "sent", "--since", "PT1H", "--json"))
    assert [each["id"] for each in lately] == [str(first.id)]
    assert [each["id"] for each in ok(cli("deliveries", "--limit", "1", "--json"))] != [str(second.id)]


def test_a_state_that_does_not_exist_is_refused(cli: Cli, office: Office) -> None:  # noqa: F811
    assert cli("deliveries", "--state", "bogus").exit_code == 2
    assert cli("deliveries", "--since", "3 business days").exit_code == 2


def test_following_tells_each_email_once_and_only_what_was_asked_for(
    stage: Stage,
    office: Office,  # noqa: F811
) -> None:
    looks = iter([False, False, False, True])
    with stage.world.database.transaction() as tx:
        one, _ = (each.id for each in dashboard.settled(tx, timedelta(minutes=1)))
    told = followed(stage.world.database, {"states": ["sent"]}, {one}, until=lambda: next(looks))
    assert [each.state for each in told] == ["sent"]


def test_a_follower_in_a_pipe_says_what_leaves_as_objects_and_ends_with_its_reader(
    stage: Stage,
    office: Office,  # noqa: F811
) -> None:
    environment = {**as_environment(stage.runtime.settings), "PATH": os.environ["PATH"]}
    command = [
        sys.executable,
        "-c",
        "import cli; cli.main()",
        "deliveries",
        "--follow",
        "--limit",
        "1",
        "--json",
    ]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["state"] in ("sent", "pending")
        stage.world.enroll(office.sequence, 1)
        assert stage.send_due() == 1
        assert json.loads(process.stdout.readline())["state"] == "sent"
        process.stdout.close()
        stage.world.enroll(office.sequence, 1)
        assert stage.send_due() == 1
        assert process.wait(timeout=60) == 1
        assert "Unexpected" not in process.stderr.read()
