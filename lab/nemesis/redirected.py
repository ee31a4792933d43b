"""Mail that other servers bring to the organization's default address while everything breaks, and what became of it.

It comes from people whom nobody knows, so it ends nobody: whatever was answered with 250 is under *Unassigned messages* in the end, once.
"""

import secrets
import smtplib
import time
from collections import Counter
from collections.abc import Collection, Sequence
from email.message import EmailMessage
from typing import TYPE_CHECKING

from sqlalchemy import text

from lab.drills.finding import Finding
from lab.nemesis.troubles import trouble

if TYPE_CHECKING:
    from lab.nemesis.arena import Arena
    from lab.nemesis.nemesis import Nemesis

_GIVES_UP_AFTER = 60.0  # seconds; a real server tries for days
_PAUSE = 1.0


@trouble(weight=2, leaves_no_doubt=True)
def kill_inbox(nemesis: "Nemesis", _pick: int, _size: float) -> None:
    """Send SIGKILL to the process that takes mail for default addresses; a supervisor starts the next one."""
    arena = nemesis.arena
    if arena.inbox.poll() is None:
        arena.processes.kill(arena.inbox)
        arena.start_inbox()


def bring(arena: "Arena", subject: str) -> None:
    """Deliver one message as a server does: again and again, until somebody has said 250."""
    message = EmailMessage()
    message["From"], message["To"] = "somebody@elsewhere.example", arena.default_address
    message["Subject"], message["Message-ID"] = subject, f"<{secrets.token_hex(12)}@elsewhere.example>"
    message.set_content("Is this still open?")
    until = time.monotonic() + _GIVES_UP_AFTER
    while time.monotonic() < until:
        try:
            with smtplib.SMTP("127.0.0.1", arena.inbox_port, "mx.elsewhere.example", timeout=20) as client:
                client.send_message(message)
                # Before QUIT, whose answer may be lost.
                arena.accepted.append(str(message["Message-ID"]).strip("<>"))
            return
        except (OSError, smtplib.SMTPException):
            if str(message["Message-ID"]).strip("<>") in arena.accepted:
                return
            time.sleep(_PAUSE)


def gather(arena: "Arena") -> Finding:
    """Judge it, once all is quiet."""
    with arena.direct.transaction() as tx:
        recorded: list[str] = list(
            tx.execute(
                text(
                    "SELECT trim(both '<>' FROM message_id) FROM incoming_messages WHERE mailbox_id IS NULL AND organization_id = :id"
                ),
                {"id": arena.company.id},
            ).scalars()
        )
        unread = tx.execute(
            text("SELECT count(*) FROM received_mail WHERE processed_at IS NULL")
        ).scalar_one()
    return judged(arena.accepted, recorded, unread)


def judged(accepted: Collection[str], recorded: Sequence[str], unread: int) -> Finding:
    """P10 for mail to default addresses. ``accepted``: Message-IDs that were answered with 250; ``recorded``: those there are."""
    counts = Counter(recorded)
    breaches = [f"{each} was accepted, and nobody has it" for each in accepted if not counts[each]]
    breaches += [f"{each} is there {count} times" for each, count in counts.items() if count > 1]
    if unread:
        breaches.append(f"{unread} messages are kept and not read")
    return Finding(
        "redirected mail is kept once", f"{len(accepted)} accepted, {len(recorded)} recorded", breaches
    )
