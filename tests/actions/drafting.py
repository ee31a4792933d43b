"""What happens between the draft of an email and its gate."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from lab.stage import Stage


def while_drafted(stage: Stage, box: UUID, happens: Callable[[], object]) -> None:
    """Send what is due, and have something happen once the provider has the draft and has not answered yet."""
    address, until = stage.address(box), time.monotonic() + 30
    before = len(stage.emulator.control.messages(address))
    stage.emulator.control.fault("POST /me/messages", mailbox=address, when="after", delay=2.0)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(stage.send_due)
        while len(stage.emulator.control.messages(address)) == before and time.monotonic() < until:
            time.sleep(0.01)
        happens()
        assert not sending.done(), "the draft was answered before it happened"
        sending.result(30)
    stage.emulator.control.clear_faults()
