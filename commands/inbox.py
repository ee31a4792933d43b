"""What is said of raw incoming messages: the same code as for mailboxes, without a database, mailbox or settings."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from commands.common import BAD_INPUT, command, errors, say
from commands.tree import group
from domain.errors import InvalidInput, NotFound
from domain.listening.kinds import Judged
from domain.listening.message import Sent
from inbox import judge as judging
from inbox import parse as parsing
from inbox import sent_mail

inbox_app = group("inbox")
_MAX_FILE = 60_000_000  # bytes of a file that are read; a mailbox takes no larger message


@inbox_app.command("explain")
@command
def explain(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE.eml...", help="Raw messages, as they arrived.")
    ],
    sent: Annotated[
        Path | None,
        typer.Option(
            help="A folder of our own emails (.eml) that the messages may be about.", metavar="FOLDER"
        ),
    ] = None,
    mailbox: Annotated[
        list[str] | None,
        typer.Option(
            help="Whose mailbox they arrived in; may be given several times. Without it, whoever sent the emails of --sent.",
            metavar="ADDRESS",
        ),
    ] = None,
    received_on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="The day on which they arrived; without it, their headers say so.",
            metavar="DATE",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each file instead of sentences.")
    ] = False,
) -> None:
    """Classify raw messages: what each is, which of our emails it answers, and why.

    Needs no database. Without --sent it says what each would be if it answered an email of ours. Exit code 2 when a file cannot
    be read; the others are done all the same. Example: onbehalf inbox explain answer.eml --sent sent/ --mailbox rita@example.com
    """
    now = datetime.now(UTC)
    unreadable = False

    def refuse(file: Path, error: InvalidInput | OSError) -> None:
        nonlocal unreadable
        unreadable = True
        reason = error.strerror if isinstance(error, OSError) else str(error)
        errors.print(f"{file}: {reason}", style="red", markup=False, highlight=False, soft_wrap=True)

    ours = _ours(sent, now, refuse) if sent is not None else {}
    mailboxes = {each.strip().lower() for each in mailbox or []} or {each.sender for each, _ in ours.values()}
    for file in files:
        try:
            judged = _judged(
                file,
                [each for each, _ in ours.values()],
                mailboxes,
                received_on,
                now,
                compared=sent is not None,
            )
        except (InvalidInput, OSError) as error:
            refuse(file, error)
            continue
        matched = ours[judged.match.sent.delivery_id][1] if judged.match else None
        if as_json:
            sys.stdout.write(json.dumps(_line(file, judged, matched), ensure_ascii=False) + "\n")
        else:
            for sentence in _sentences(file, judged, matched):
                say(sentence)
    if unreadable:
        raise typer.Exit(BAD_INPUT)


def _ours(
    folder: Path, now: datetime, refuse: Callable[[Path, InvalidInput | OSError], None]
) -> dict[UUID, tuple[Sent, str]]:
    """The emails in a folder, each with its file's name there."""
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder.")
    ours: dict[UUID, tuple[Sent, str]] = {}
    for file in sorted(
        each for each in folder.rglob("*") if each.is_file() and not each.name.startswith(".")
    ):
        if file.suffix.lower() not in (".eml", ".msg", ".mime", ".txt", ""):
            continue
        name = str(file.relative_to(folder))
        try:
            one = sent_mail.sent_from(_bytes(file), name=name, now=now)
        except (InvalidInput, OSError) as error:
            refuse(file, error)
            continue
        ours[one.delivery_id] = (one, name)
    return ours


def _judged(
    file: Path,
    ours: Sequence[Sent],
    mailboxes: set[str],
    received_on: datetime | None,
    now: datetime,
    *,
    compared: bool,
) -> Judged:
    raw = _bytes(file)
    incoming = parsing.parse(raw, now=now)
    if received_on is not None and incoming.received_at.date() != received_on.date():
        incoming = parsing.parse(
            raw, now=now, received_at=datetime.combine(received_on.date(), time(23, 59), UTC)
        )
    return judging.judge(incoming, ours, mailboxes, unmatched_counts=not compared)


def _bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_MAX_FILE)


def _line(file: Path, judged: Judged, matched: str | None) -> dict[str, Any]:
    bounce = judged.bounce
    return {
        "file": str(file),
        "kind": judged.kind.value,
        "sent": matched,
        "matched_by": judged.match.matched_by.value if judged.match else "none",
        "bounce": bounce
        and {
            "class": bounce.kind.value,
            "recipient": bounce.recipient or None,
            "status": bounce.status or None,
        },
        "return_on": _iso(judged.return_on),
        "opt_out_words": judged.opt_out_words,
        "why": judged.why,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _sentences(file: Path, judged: Judged, matched: str | None) -> list[str]:
    said = [f"{file}: {judged.kind.value.replace('_', ' ')}", f"  {judged.why}"]
    if judged.match:
        said.append(f"  About {matched}: {judged.match.why}")
    if judged.bounce:
        status = f", status {judged.bounce.status}" if judged.bounce.status else ""
        said.append(
            f"  Bounce: {judged.bounce.kind.value}, {judged.bounce.recipient or 'no recipient named'}{status}"
        )
    if judged.return_on:
        said.append(f"  Back on {judged.return_on.isoformat()}")
    return said
