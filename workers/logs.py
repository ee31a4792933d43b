"""The one log of a worker: our lines, Dramatiq's, and what anything prints, each with process, host and queue."""

import argparse
import io
import logging
import sys
import threading
from collections.abc import Callable

from config import Settings
from observability import configure_logging


def configure(settings: Settings, counted: Callable[[str, str], None] = lambda _level, _event: None) -> None:
    """Set up logging in Dramatiq's main process or one of its workers. ``counted``: as ``configure_logging`` has it."""
    configure_logging(
        settings.log_format, settings.log_level, process="worker", queue=" ".join(queues()), counted=counted
    )
    # That it starts, stops or has lost a process is news of ours; what it does besides is not.
    logging.getLogger("dramatiq").setLevel(max(logging.INFO, getattr(logging, settings.log_level.upper())))


def queues() -> list[str]:
    """Return the queues that the command line names; none means all."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--queues", "-Q", nargs="*")
    named: list[str] | None = parser.parse_known_args(sys.argv[1:])[0].queues
    return named or []


def log_what_is_printed() -> None:
    """Make a line of the log of each line that anything in this process prints."""
    sys.stdout, sys.stderr = Printed("stdout"), Printed("stderr")


class Printed(io.TextIOBase):
    """A stream whose lines are logged as a library's."""

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)
        self._here = threading.local()  # a line of one thread is not continued by another

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Log each line that ``text`` ends."""
        *lines, self._here.rest = (getattr(self._here, "rest", "") + text).split("\n")
        if not getattr(self._here, "logs", False):  # or the log itself fails, and says so here
            self._here.logs = True
            try:
                for each in lines:
                    if each.strip():
                        self._log.warning("%s", each)
            finally:
                self._here.logs = False
        return len(text)
