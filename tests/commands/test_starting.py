"""What a command imports before it runs: nothing heavy, unless it works."""

import ast
import inspect
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from uuid import UUID

import pytest

from commands.tree import LOOK, PLACES

ROOT = Path(__file__).parents[2]
HEAVY = {
    "aiohttp", "alembic", "apprise", "asyncio", "azure", "calamine", "charset_normalizer", "cryptography", "dateparser", "dns", "dramatiq",
    "email_validator", "fastapi", "flufl", "google", "googleapiclient", "kiota_abstractions", "limits", "msal", "msgraph", "nh3", "orjson", "prometheus_client",
    "psycopg", "redis", "requests", "sqlalchemy", "starlette", "structlog", "tzlocal", "uvicorn", "yaml",
}  # fmt: skip
# The database and the settings for it; psycopg brings asyncio.
ONLY_READS = {"asyncio", "cryptography", "orjson", "psycopg", "sqlalchemy", "structlog"}


def imported(*arguments: str, **environment: str) -> set[str]:
    """Run the command line in a process of its own, and return which heavy packages it has imported by its end."""
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*{each.partition('.')[0] for each in sys.modules}, file=sys.__stderr__))\n"
        f"sys.argv = ['onbehalf', *{list(arguments)!r}]\n"
        "import cli\n"
        "cli.main()\n"
    )
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    modules = set(ended.stderr.splitlines()[-1].split())
    assert "typer" in modules, ended.stderr
    return modules & HEAVY


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], [], ["sequenc", "--json"], ["run", "--help"]]
)
def test_help_and_what_is_mistyped_start_at_once(arguments: list[str]) -> None:
    assert imported(*arguments) == set()


@pytest.mark.parametrize("name", sorted(PLACES))
def test_each_command_explains_itself_without_what_it_does(name: str) -> None:
    assert imported(name, "--help") == set()


def test_verbs_are_completed_at_once() -> None:
    assert imported(_ONBEHALF_COMPLETE="complete_bash", COMP_WORDS="onbehalf se", COMP_CWORD="1") == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["why", "jo@example.org"],
        ["deliveries"],
        ["notices"],
        ["sequence", "pause", "x"],
        ["enrollment", "stop", "x"],
        ["grant", "revoke", str(UUID(int=1))],
    ],
)
def test_looking_and_withdrawing_open_the_database_and_nothing_else(arguments: list[str]) -> None:
    # Nothing listens on this port, and all imports come before that is known.
    away = {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0"}
    settings = {"SECRET_KEYS": "A" * 43 + "=", "MICROSOFT_CLIENT_ID": "x", "MICROSOFT_CLIENT_SECRET": "x"}
    assert imported(*arguments, **away, **settings) <= ONLY_READS


def test_the_tree_says_of_a_command_what_the_command_says_of_itself() -> None:
    for name, place in PLACES.items():
        if place.function:
            found = getattr(import_module(f"commands.{place.modules[0]}"), place.function)
            assert str(inspect.getdoc(found)).startswith(place.help), name


def test_the_tree_names_every_module_that_adds_to_a_group() -> None:
    adds = set()
    for path in (ROOT / "commands").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
            for said in map(ast.unparse, decorators):
                if found := re.match(r"(\w+)_app\.command\(", said):
                    adds.add((found[1].replace("_", "-"), path.stem))
    named = {
        (name, module) for name, place in PLACES.items() if not place.function for module in place.modules
    }
    assert adds == named


def test_help_shows_commands_by_what_they_are_for() -> None:
    panels = [place.panel for place in PLACES.values()]
    assert panels[0] == LOOK
    assert len(set(panels)) == len(
        [name for name, before in zip(panels, ["", *panels], strict=False) if name != before]
    )
