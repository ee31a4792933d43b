"""What all commands share: the runtime, the output (a table or JSON), and errors with an exit code.

An error is one plain line, or with ``--json`` one JSON object. What opens the database is imported when it is opened: before
that, everything here is light.
"""

import functools
import gc
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from commands.names import completed
from domain.audit import Actor, ActorKind
from domain.errors import InvalidInput, NotFound, OnbehalfError, OperatorMisconfigured, TooMany

if TYPE_CHECKING:
    from app.runtime import Runtime
    from db.core.session import Database, Transaction

OK, REFUSED, BAD_INPUT, MISCONFIGURED, IN_DOUBT_REMAINS = 0, 1, 2, 3, 4

# Something that is no terminal gets lines as long as they are: a folded id cannot be grepped or pasted.
console = Console(width=None if sys.stdout.isatty() else 1000)
errors = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Organization = Annotated[
    str | None,
    typer.Option(
        "--organization",
        "-o",
        help="Which organization, if several use the name.",
        autocompletion=completed("organization"),
    ),
]
P = ParamSpec("P")


def command(fn: Callable[P, None]) -> Callable[P, None]:
    """Turn our errors into one line, or one JSON object, and an exit code; anything else into one and where to look."""

    @functools.wraps(fn)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        gc.freeze()  # what is imported by now stays, so it need not be searched
        gc.enable()
        try:
            fn(*args, **kwargs)
        except OnbehalfError as error:
            if as_json:
                print_error(*_said(error))
            else:
                errors.print(
                    f"[red]{type(error).__name__}[/]: {escape(str(error))}", highlight=False, soft_wrap=True
                )
            raise typer.Exit(exit_code(error)) from None
        except (
            typer.Exit,
            typer.Abort,
            BrokenPipeError,
        ):  # the last: whoever read our output has seen enough
            raise
        except Exception as error:
            if os.environ.get("ONBEHALF_DEBUG"):
                raise
            what, fix = f"Unexpected {type(error).__name__}", "Run again with ONBEHALF_DEBUG=1 to see where."
            if as_json:
                print_error(f"{what}.", fix=fix)
            else:
                errors.print(f"[red]{what}[/]. {fix}", highlight=False)
            raise typer.Exit(REFUSED) from None

    return guarded


def exit_code(error: OnbehalfError) -> int:
    """Which kind of failure it was, for scripts."""
    from db.core.session import DatabaseUnavailable  # noqa: PLC0415 - heavy

    match error:
        case OperatorMisconfigured() | DatabaseUnavailable():
            return MISCONFIGURED
        case InvalidInput() | NotFound():
            return BAD_INPUT
    return REFUSED


def print_error(what: str, where: str = "", fix: str = "") -> None:
    """JSON to standard error, one object. ``where`` and ``what_to_do`` are null if there is nothing to say that ``error`` does not."""
    said = {"error": what, "where": where or None, "what_to_do": fix or None}
    sys.stderr.write(json.dumps(said, ensure_ascii=False) + "\n")


def _said(error: OnbehalfError) -> tuple[str, str, str]:
    from db.core.session import CommitUnknown, DatabaseRefuses, DatabaseUnavailable  # noqa: PLC0415 - heavy

    match error:
        case InvalidInput():
            return error.what, error.where, error.fix
        case TooMany():
            return str(error), "", f"Try again in {error.retry_after} seconds."
        case CommitUnknown():
            return str(error), "", "Look whether it was done before you run it again."
        case DatabaseRefuses():
            return str(error), "", "Correct DATABASE_URL."
        case DatabaseUnavailable():
            return str(error), "", "Run it again once the database answers."
    return str(error), "", ""


@contextmanager
def opened() -> "Iterator[Runtime]":
    """The runtime for one command."""
    from app.runtime import Runtime  # noqa: PLC0415 - heavy
    from config import Settings  # noqa: PLC0415
    from observability import configure_logging  # noqa: PLC0415

    settings = Settings.from_environment()
    configure_logging(settings.log_format, "error")
    runtime = Runtime.open(settings, application="onbehalf-cli", pool_size=4)
    try:
        yield runtime
    finally:
        runtime.close()


@contextmanager
def database() -> "Iterator[Database]":
    """The database for a command that only looks, and nothing else."""
    from app.servers import open_database  # noqa: PLC0415 - heavy
    from config import Settings  # noqa: PLC0415
    from observability import configure_logging  # noqa: PLC0415

    settings = Settings.from_environment()
    configure_logging(settings.log_format, "error")
    opened_now = open_database(settings, application="onbehalf-cli", pool_size=1)
    try:
        yield opened_now
    finally:
        opened_now.close()


@contextmanager
def reading() -> "Iterator[Transaction]":
    """One transaction for a command that only looks."""
    with database() as known, known.transaction() as tx:
        yield tx


def actor() -> Actor:
    """Who is acting, for the audit trail: ONBEHALF_ACTOR, or the user of this machine."""
    if named := os.environ.get("ONBEHALF_ACTOR"):
        return Actor(ActorKind.OPERATOR, named, named)
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = str(os.geteuid())
    return Actor(ActorKind.OPERATOR, user, f"operator {user}")


def say(text: str, style: str = "", *, to: Console = console) -> None:
    """A sentence to standard output, or before a question to ``errors``. Names in it are never taken for markup."""
    to.print(Text(text, style), soft_wrap=True)


def show(rows: Sequence[dict[str, Any]], *, as_json: bool, title: str = "", hide: Sequence[str] = ()) -> None:
    """A list as a table, or as JSON with stable keys."""
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        say(f"{title}: none." if title else "None.")
        return
    table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    columns = [name for name in rows[0] if name not in hide]
    for name in columns:
        table.add_column(
            name.replace("_", " "), overflow="fold", no_wrap=name == "id" or name.endswith("_id")
        )
    for row in rows:
        table.add_row(*(escape(plain(row[name])) for name in columns))
    console.print(table)


def show_all(kind: str, *, as_json: bool, hide: Sequence[str] = ()) -> None:
    """Everything of a kind that ``db/views/lookups.py`` lists."""
    from db.views import lookups  # noqa: PLC0415 - heavy

    with reading() as tx:
        rows = lookups.listing(tx, kind)
    show(rows, as_json=as_json, hide=hide)


def report(sentence: str, data: Any, *, as_json: bool) -> None:
    """What was done: a sentence for people, or ``data`` for programs."""
    if as_json:
        print_json(data)
    else:
        say(sentence)


def print_json(value: Any) -> None:
    """JSON to standard output, one document."""
    sys.stdout.write(in_json(value, indent=2) + "\n")


def in_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON: moments in ISO 8601, ids as text."""
    return json.dumps(
        value,
        default=lambda each: each.isoformat() if isinstance(each, datetime) else str(each),
        indent=indent,
    )


def plain(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless ``--yes`` was given. Without a terminal the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInput("This needs a confirmation.", fix="Add --yes.")
    typer.confirm(question, abort=True, err=True)
