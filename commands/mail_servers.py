"""Mail servers of people's own: save, test, put into use, take out of use. Mailboxes else: ``commands/connections.py``."""

import sys
from typing import Annotated

import typer

from actions import smtp, withdraw
from commands.common import AsJson, Yes, actor, command, confirm, opened, report
from commands.connections import mailbox_app, tell
from commands.withdrawals import find, say_no
from domain.errors import InvalidInput

__all__ = ["mailbox_app"]


@mailbox_app.command("smtp")
@command
def save_smtp(
    address: str,
    host: Annotated[str, typer.Option(help="The mail server's name.")],
    port: Annotated[int, typer.Option(help="587 with starttls or 465 with tls are usual.")] = 587,
    encryption: Annotated[str, typer.Option(help="starttls or tls.")] = "starttls",
    as_json: AsJson = False,
) -> None:
    """Save a mail server for an address; its password is read from standard input (never from the command line). Nothing is connected by it.

    Example: onbehalf mailbox smtp jobs@acme.example --host smtp.acme.example < password.txt
    """
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise InvalidInput(
            "There is no password on standard input.", fix="Pipe it in; it is not shown or kept in clear."
        )
    with opened() as runtime:
        checked = smtp.save(
            runtime,
            find(runtime, "mailbox", address),
            host=host,
            port=str(port),
            encryption=encryption,
            account=address,
            password=password,
            actor=actor(),
        )
    report(
        "\n".join((*checked.warnings, f"Saved. Put it into use: onbehalf mailbox activate {address}")),
        {"host": checked.server.host, "port": checked.server.port, "warnings": list(checked.warnings)},
        as_json=as_json,
    )


@mailbox_app.command("activate")
@command
def activate_smtp(address: str, as_json: AsJson = False) -> None:
    """Test the saved mail server and, if it works, send by it. Example: onbehalf mailbox activate jobs@acme.example"""
    with opened() as runtime:
        verdict = smtp.activate(runtime, find(runtime, "mailbox", address), actor=actor())
    tell(verdict, as_json=as_json)


@mailbox_app.command("set-aside")
@command
def set_aside_mailbox(address: str, yes: Yes = False, as_json: AsJson = False) -> None:
    """Take a connection out of use and keep it; a company's sequences go on by the default mail service. Example: onbehalf mailbox set-aside jobs@acme.example"""
    confirm(
        f"Take {address} out of use? A company's sequences go on by the default service; others pause.",
        yes=yes,
    )
    say_no(
        as_json,
        lambda runtime: withdraw.set_aside_mailbox(runtime, find(runtime, "mailbox", address), actor=actor()),
    )
