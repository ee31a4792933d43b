"""What tests ask of a mail server that delivers to ours, whoever wrote it."""

import smtplib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Delivery:
    """A mail server with a folder of its own. ``port``: takes any email, to be delivered."""

    folder: Path
    port: int

    def listens(self) -> bool:
        """Does it take connections?"""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self) -> str:
        """What it says of itself."""
        raise NotImplementedError

    def give(self, sender: str, recipients: list[str], letter: bytes, *options: str) -> None:
        """Hand it an email. ``options``: of MAIL."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as client:
            client.sendmail(sender, recipients, letter, mail_options=options)

    def says(self, *words: str) -> str:
        """Wait until a line of its log has all these words; returns the line."""
        found: list[str] = []

        def there() -> bool:
            found[:] = [line for line in self.log().splitlines() if all(word in line for word in words)]
            return bool(found)

        wait_until(there, lambda: f"{words} is not in\n{self.log()}")
        return found[0]


def wait_until(there: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Wait for something that another program does."""
    until = time.monotonic() + _PATIENCE
    while not there():
        if time.monotonic() > until:
            raise AssertionError(otherwise())
        time.sleep(0.05)
