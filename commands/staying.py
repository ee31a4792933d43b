"""A release under a supervisor that ends everything when one process ends (honcho, foreman)."""

import os
import re
import signal

_NAMES = ("HONCHO_PROCESS_NAME", "PS")  # where honcho and foreman say which process of the Procfile this is


def ends_everything() -> bool:
    """Is this the Procfile's ``release`` under such a supervisor? Hosts with a release phase name it otherwise, and wait for its end."""
    return any(re.fullmatch(r"release(\.\d+)?", os.environ.get(name, "")) for name in _NAMES)


def until_stopped() -> None:
    """Wait for the supervisor's signal."""
    ends = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    signal.sigwait(ends)
