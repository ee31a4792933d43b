"""(l) Each kind of mailbox, beside a bare loop of its usual client: emails per second and CPU per email, in one run."""

import json
import os
import subprocess
import sys
from typing import Any
from uuid import UUID

from domain.connection import Provider
from lab.benchmarks.bed import Bed
from lab.benchmarks.throughput import loop, pipeline
from lab.drills.company import connect_by_smtp
from lab.system import ROOT

Row = dict[str, Any]
_KINDS = {Provider.GRAPH: "sdk", Provider.TENANT: "sdk", Provider.GMAIL: "gmail", Provider.SMTP: "smtp"}


def kinds(bed: Bed, *, quick: bool) -> list[Row]:
    """For each kind its loop, then the pipeline with one worker process."""
    count, mailboxes = (400, 40) if quick else (3000, 300)
    certificate = bed.folder / "mail-server.pem"
    certificate.write_text(bed.control.certificate())
    os.environ["SSL_CERT_FILE"] = str(
        certificate
    )  # of this process, which tries the settings of mail servers
    bed.control.switch(google_units_a_minute=10_000_000, emails_a_minute=10_000)
    rows: list[Row] = []
    for kind, client in _KINDS.items():
        bare = loop(bed, client, count) if client == "sdk" else _official(bed, client, count)
        boxes = [_mailbox(bed, kind) for _ in range(mailboxes)]
        via = "graph" if client == "sdk" else kind.value
        own = pipeline(bed, 1, boxes=boxes, via=via, SSL_CERT_FILE=str(certificate))
        own["name"] = f"the pipeline, {kind.value}"
        own["share_of_its_loop"] = own["emails_per_second"] / bare["emails_per_second"]
        rows += [bare, own]
    return rows


def _mailbox(bed: Bed, kind: Provider) -> tuple[UUID, UUID]:
    """Make one with somebody due. Returns it and its sequence."""
    stage = bed.stage
    sender, owner = stage.world.member("Hans Holder"), stage.world.member()
    match kind:
        case Provider.SMTP:
            box = stage.world.mailbox(sender, connected=False)
            stage.emulator.control.add_mailboxes({"address": stage.address(box)})
            connect_by_smtp(stage.runtime, box, stage.address(box), stage.emulator.smtp_port)
        case _:
            box = stage.mailbox_at(kind, sender)
    stage.world.grant(box, owner)
    sequence = stage.world.sequence(owner, box, ("PT0S",))
    stage.world.enroll(sequence, 1)
    return box, sequence


def _official(bed: Bed, kind: str, count: int) -> Row:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "lab.benchmarks.official", kind, bed.url,
         str(bed.stage.emulator.smtp_port), str(count)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the loop {kind} failed: {done.stderr[-800:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    name = {"gmail": "google-api-python-client loop", "smtp": "smtplib loop"}[kind]
    return {
        "name": f"{name} done right",
        "emails_per_second": count / said["seconds"],
        "cpu_ms_per_email": 1000 * said["cpu"] / count,
    }
