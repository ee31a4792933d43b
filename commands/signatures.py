"""Signatures: a mailbox's, and which sequences end their emails with it."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from actions import signatures
from commands.building import change_settings
from commands.common import AsJson, Organization, actor, command, opened, print_json, report, say
from commands.names import MailboxAddress, SequenceName
from commands.tree import group
from commands.withdrawals import find
from domain.errors import InvalidInput
from domain.markup import is_html

mailbox_app = group("mailbox")
sequence_app = group("sequence")


@mailbox_app.command("signature")
@command
def signature(
    address: MailboxAddress,
    text: Annotated[str | None, typer.Option(help="The signature: plain text or HTML.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file that holds it; - is standard input.", dir_okay=False)
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Remove it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show or change what emails from a mailbox end with. Example: onbehalf mailbox signature hans@acme.example --file signature.html"""
    if sum((text is not None, file is not None, none)) > 1:
        raise InvalidInput("More than one signature is given", fix="Give one of --text, --file and --none.")
    with opened() as runtime:
        mailbox_id = find(runtime, "mailbox", address)
        if none or text is not None or file is not None:
            wanted = "" if none else text if text is not None else _read(file)
            signatures.change(runtime, mailbox_id, wanted, actor=actor())
        with runtime.database.transaction() as tx:
            found = signatures.show(tx, mailbox_id)
    signed = found.signed
    if as_json:
        values = {"signature": signed.body, "version": signed.version, "html": found.html, "text": found.text}
        print_json({**values, "sequences": signed.sequences, "running": signed.running})
        return
    say(signed.body or f"Emails from {address} end without a signature.")
    if is_html(signed.body):
        say(f"In plain emails:\n{found.text}")
    say(f"Sequences that carry it: {signed.sequences}, running: {signed.running}.")


def _read(file: Path | None) -> str:
    assert file is not None
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}", fix="Give a text file in UTF-8.") from None


@sequence_app.command("signature")
@command
def sequence_signature(
    name: SequenceName,
    on: Annotated[bool, typer.Option("--on/--off", help="Whether its emails carry it.")],
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Whether emails of a sequence end with its mailbox's signature. Example: onbehalf sequence signature "Backend engineers" --on"""
    with opened() as runtime:
        found = change_settings(
            runtime, name, organization, lambda was, _: replace(was, with_signature=on), yes=True
        )
    said = "end with the signature of their mailbox" if on else "carry no signature"
    report(
        f"Emails of {found.name} {said} from now on.", {"id": found.id, "with_signature": on}, as_json=as_json
    )
