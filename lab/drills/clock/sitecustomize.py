"""Python loads this at start. The process's wall clock then follows the file that ``CLOCK_FILE`` names.

The file holds the seconds to add to the true time. Monotonic time stays right, as it does when a clock is stepped.

``LISTENING_WAITS`` shortens waits of ``domain/listening/cadence.py``, as JSON of names and seconds: what takes minutes in the
product then happens within a run. Nobody else can set them.
"""

import json
import os
import sys
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


def shorten(waits: dict[str, float]) -> None:
    """Set the waits before anything that uses them is loaded."""
    root = str(Path(__file__).parents[3])
    sys.path.insert(0, root)
    from domain.listening import cadence

    sys.path.remove(root)
    for name, seconds in waits.items():
        if not isinstance(getattr(cadence, name, None), timedelta):
            # Python goes on without what an exception interrupts here.
            sys.exit(f"LISTENING_WAITS: domain/listening/cadence.py has no wait {name}")
        setattr(cadence, name, timedelta(seconds=seconds))
    cadence.BEHIND = dict.fromkeys(cadence.BEHIND, cadence.GMAIL_BEHIND)
    (age, _), *rest = cadence._WAITS
    cadence._WAITS = ((age, cadence.SOONEST), *rest)  # type: ignore[assignment]  # as many as before


if "LISTENING_WAITS" in os.environ:
    shorten(json.loads(os.environ["LISTENING_WAITS"]))
if "CLOCK_FILE" in os.environ:
    threading.Thread(target=follow, args=(Path(os.environ["CLOCK_FILE"]),), name="clock", daemon=True).start()
