"""With ``--json`` errors are JSON too: one object, with the exit codes that they have without."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from lab.stage import Stage, as_environment
from tests.commands.test_cli import ALL, Cli, Office, cli, office  # noqa: F401 - fixtures

JSON = [(path, command) for path, command in ALL if any("--json" in each.opts for each in command.params)]
KEYS = {"error", "where", "what_to_do"}


def error_of(result: Any, code: int) -> dict[str, str | None]:
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    said: dict[str, str | None] = json.loads(result.stderr)
    assert set(said) == KEYS
    assert said["error"]
    return said


@pytest.mark.parametrize(("path", "command"), JSON, ids=[" ".join(path) for path, _ in JSON])
def test_a_wrong_command_line_is_one_object(path: tuple[str, ...], command: Any) -> None:
    said = error_of(CliRunner().invoke(app, [*path, "--json", "--no-such-option"]), 2)
    assert "--no-such-option" in str(said["error"])
    assert str(said["where"]).endswith(" ".join(path))
    assert str(said["what_to_do"]).endswith(f"{' '.join(path)} --help")


@pytest.mark.parametrize("arguments", [["sequenc"], ["sequence", "lst"]])
def test_a_mistyped_command_is_one_object_that_says_what_was_meant(arguments: list[str]) -> None:
    assert "Did you mean" in str(error_of(CliRunner().invoke(app, [*arguments, "--json"]), 2)["error"])


def test_a_missing_setting_is_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert "DATABASE_URL" in str(error_of(CliRunner().invoke(app, ["status", "--json"]), 3)["error"])


def test_a_database_that_is_away_is_one_object(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in as_environment(stage.runtime.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    said = error_of(CliRunner().invoke(app, ["status", "--json"]), 3)
    assert "database" in str(said["error"])
    assert "Run it again" in str(said["what_to_do"])


def test_what_is_refused_says_where_and_what_to_do(cli: Cli, office: Office) -> None:  # noqa: F811
    assert "nobody" in str(error_of(cli("sequence", "pause", "nobody", "--json"), 2)["error"])
    said = error_of(cli("candidate", "set", office.people[0], "title", "--json"), 2)
    assert (said["where"], said["what_to_do"]) == ("FIELD=VALUE", "Write it like title=Engineer.")
    assert error_of(cli("sequence", "archive", office.name, "--json"), 2)["what_to_do"] == "Add --yes."


def test_what_blocks_a_resume_does_not_get_between(cli: Cli, office: Office) -> None:  # noqa: F811
    assert cli("sequence", "pause", office.name, "--json").exit_code == 0
    assert cli("grant", "revoke", office.grant, "--json").exit_code == 0
    said = error_of(cli("sequence", "resume", office.name, "--yes", "--json"), 1)
    assert "permission" in str(said["error"])
