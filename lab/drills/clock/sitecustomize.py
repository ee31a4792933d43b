"""Loaded by Python itself at start: the wall clock of this process follows the file that ``CLOCK_FILE`` names.

The file holds seconds to add to the true time. Monotonic time is left alone, as a stepped clock leaves it.
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine


def follow(file: Path) -> None:
    """Look ten times a second."""
    start, began = time.time(), time.monotonic()
    shift, traveller = 0.0, None
    while True:
        try:
            wanted = float(file.read_text())
        except (OSError, ValueError):
            wanted = shift
        if wanted != shift:
            if traveller is not None:
                traveller.stop()
            shift = wanted
            true = start + time.monotonic() - began
            traveller = time_machine.travel(
                datetime.fromtimestamp(true, UTC) + timedelta(seconds=shift), tick=True
            )
            traveller.start()
        time.sleep(0.1)


if "CLOCK_FILE" in os.environ:
    threading.Thread(target=follow, args=(Path(os.environ["CLOCK_FILE"]),), name="clock", daemon=True).start()
