"""The probe of Exchange is judged by what arrives in the mailbox's own Inbox."""

import pytest

from actions import probe_graph
from actions.probes import Finding
from lab.stage import Stage


def probed(stage: Stage) -> dict[str, Finding]:
    box = stage.mailbox(stage.world.member())
    return {each.assumption: each for each in probe_graph.probe(stage.runtime, box, wait=3)}


@pytest.mark.parametrize(
    ("second", "holds"), [("404", True), ("400", True), ("202", True), ("duplicate", False)]
)
def test_a_second_submission_is_judged_by_what_it_brings_and_not_by_its_answer(
    stage: Stage, second: str, holds: bool
) -> None:
    stage.emulator.control.switch(second_send=second)
    found = probed(stage)["A1"]
    assert found.holds is holds
    assert "in its own Inbox" in found.seen


def test_where_nothing_arrives_there_is_no_answer(stage: Stage) -> None:
    stage.emulator.control.switch(copy_leaves=False)
    assert probed(stage)["A1"].holds is None


SWITCHES = {
    "L1": "expands_several",
    "L2": "search_finds_hidden",
    "L3": "original_id_on_reports",
    "L4": "named_headers_arrive",
    "L5": "unsubscribe_arrives",
}


@pytest.mark.parametrize("assumption", sorted(SWITCHES))
@pytest.mark.parametrize("holds", [True, False])
def test_what_reading_a_mailbox_rests_on_is_found_out(stage: Stage, assumption: str, holds: bool) -> None:
    control = stage.emulator.control
    control.switch(None, **{SWITCHES[assumption]: holds})
    box = stage.mailbox(stage.world.member())
    address = stage.address(box)
    domain = address.rpartition("@")[2]
    control.incoming(
        address,
        sender=f"colleague@{domain}",
        message_class="IPM.Note.Rules.OofTemplate.Microsoft",
        hidden=True,
    )
    report = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n"
    report += f"From: MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{domain}\n\n"
    control.incoming(
        address, raw=f"{report}--b\nContent-Type: message/rfc822\n\nMessage-ID: <1@x>\n\n\n--b--\n"
    )
    found = {each.assumption: each for each in probe_graph.probe(stage.runtime, box, wait=3)}
    expected: dict[str, bool | None] = {name: holds or name != assumption for name in SWITCHES}
    if not holds and assumption in ("L1", "L2"):
        expected["L2"] = None  # nothing is found, or its class is not shown
    if not holds and assumption == "L1":
        expected["L3"] = None
    assert {name: found[name].holds for name in SWITCHES} == expected


def test_without_a_reply_or_a_report_at_hand_there_is_no_answer(stage: Stage) -> None:
    found = probed(stage)
    assert (found["L2"].holds, found["L3"].holds) == (None, None)
    assert "a colleague who is away" in found["L2"].seen
