"""Starting drafts, and setting sequences back to draft."""

from dataclasses import asdict

from actions import activation, withdraw
from commands.common import AsJson, Organization, Yes, actor, command, confirm, opened, print_json, say, show
from commands.names import SequenceName
from commands.withdrawals import Because, find, say_no, sequence_app

__all__ = ["activate_sequence", "deactivate_sequence", "sequence_app"]
_SHOWN = 20


@sequence_app.command("activate")
@command
def activate_sequence(
    name: SequenceName, organization: Organization = None, yes: Yes = False, as_json: AsJson = False
) -> None:
    """See what a draft lacks, or who would get what first; then start it. Example: onbehalf sequence activate "Talent pool" """
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        preview = activation.preview_activation(runtime, sequence_id)
        going = [each for each in preview.planned if each.send_at is not None]
        if not as_json:
            rows = [asdict(each) for each in going[:_SHOWN]]
            show(
                rows,
                as_json=False,
                title="Earliest sending times (UTC)",
                hide=["delivery_id", "reason", "note"],
            )
            if len(going) > _SHOWN:
                say(
                    f"… and {len(going) - _SHOWN} more, the last at {going[-1].send_at:%Y-%m-%d %H:%M:%S} UTC."
                )
            for blocker in preview.blockers:
                say(f"Not yet: {blocker}", "red")
        if not preview.blockers:
            confirm(f"Activate {preview.sequence_name!r}?", yes=yes)
        done = activation.activate_sequence(runtime, sequence_id, actor=actor())
    if as_json:
        print_json(asdict(done))
    else:
        people = "1 person gets" if len(going) == 1 else f"{len(going)} people get"
        say(f"Activated {done.sequence_name}: {people} their next email.")


@sequence_app.command("deactivate")
@command
def deactivate_sequence(
    name: SequenceName,
    because: Because = "set back to draft by hand",
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Set a sequence back to draft; none of its emails leave once this returns. Example: onbehalf sequence deactivate "Talent pool" """
    say_no(
        as_json,
        lambda runtime: withdraw.deactivate_sequence(
            runtime, find(runtime, "sequence", name, organization), actor=actor(), reason=because
        ),
    )
