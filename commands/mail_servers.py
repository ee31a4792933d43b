"""Mail servers of people's own: save, test, put into use, take out of use. Mailboxes else: ``commands/connections.py``."""

import sys
from typing import Annotated

import typer

from actions import connect, smtp, withdraw
from commands.common import AsJson, Yes, actor, command, confirm, opened, report
from commands.connections import mailbox_app, report_verdict
from commands.names import MailboxAddress
from commands.withdrawals import find, say_no
from db.mailboxes import sender_addresses
from domain.errors import InvalidInput, NotPermitted

__all__ = ["mailbox_app"]


@mailbox_app.command("smtp")
@command
def save_smtp(
    address: MailboxAddress,
    host: Annotated[str, typer.Option(help="The mail server's name.")],
    port: Annotated[int, typer.Option(help="587 with starttls or 465 with tls are usual.")] = 587,
    encryption: Annotated[str, typer.Option(help="starttls or tls.")] = "starttls",
    as_json: AsJson = False,
) -> None:
    """Save a mail server for an address, without connecting it. The password comes from standard input, never from the command line.

    Example: onbehalf mailbox smtp jobs@acme.example --host smtp.acme.example < password.txt
    """
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise InvalidInput(
            "There is no password on standard input.",
            fix="Pipe it in. Onbehalf never shows it and stores it encrypted.",
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
        "\n".join((*checked.warnings, f"Saved. Activate it: onbehalf mailbox activate {address}")),
        {"host": checked.server.host, "port": checked.server.port, "warnings": list(checked.warnings)},
        as_json=as_json,
    )


@mailbox_app.command("activate")
@command
def activate_smtp(
    address: MailboxAddress,
    code: Annotated[
        str, typer.Option(help="The code emailed to the sender address by the first attempt.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Test the saved mail server and, if it works, send through it. Example: onbehalf mailbox activate jobs@acme.example --code 12345678"""
    with opened() as runtime:
        verdict = smtp.activate(runtime, find(runtime, "mailbox", address), actor=actor(), code=code)
    report_verdict(verdict, as_json=as_json)


@mailbox_app.command("vouch")
@command
def vouch_for_address(address: MailboxAddress, as_json: AsJson = False) -> None:
    """Vouch that a sender address belongs to the organization, if no code can be emailed to it. Example: onbehalf mailbox vouch jobs@acme.example"""
    with opened() as runtime:
        mailbox = connect.known_mailbox(runtime, find(runtime, "mailbox", address))
        if mailbox.owner_id is not None:
            raise NotPermitted(f"{address} is a person's mailbox: nobody has to vouch for it.")
        with runtime.database.transaction() as tx:
            sender_addresses.vouch(tx, mailbox.organization_id, mailbox.id, actor=actor())
    report(f"{address} now counts as the organization's own.", {"mailbox_id": mailbox.id}, as_json=as_json)


@mailbox_app.command("disable")
@mailbox_app.command("set-aside", hidden=True, deprecated=True)  # its former name
@command
def disable_mailbox(address: MailboxAddress, yes: Yes = False, as_json: AsJson = False) -> None:
    """Disable a mailbox and keep its connection; company sequences continue with the default mail service. Example: onbehalf mailbox disable jobs@acme.example"""
    confirm(
        f"Disable {address}? Company sequences continue with the default mail service; others pause.",
        yes=yes,
    )
    say_no(
        as_json,
        lambda runtime: withdraw.disable_mailbox(runtime, find(runtime, "mailbox", address), actor=actor()),
    )
