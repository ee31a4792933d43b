"""Python loads this at start. The process's wall clock then follows the file that ``CLOCK_FILE`` names.

The file holds the seconds to add to the true time. Monotonic time stays right, as it does when a clock is stepped.
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine


def follow(file: Path) -> None:
    """Read the file ten times a second."""
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
