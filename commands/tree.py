"""All commands by what they are for, and the modules that hold them.

A module is imported when one of its commands runs or explains itself: ``--help``, ``--version`` and the completion of verbs import
none, and start in a tenth of the time.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command, get_group

from commands.common import REFUSED, print_error
from commands.late import late_imports

LOOK, PEOPLE, SENDERS, RUN = (
    "Look",
    "Sequences and people",
    "Organizations, mailboxes and permissions",
    "Run Onbehalf",
)


class Place(NamedTuple):
    """Where commands are. ``function``: of one command, whose docstring begins with ``help``; "" for a group of them."""

    panel: str
    help: str
    modules: tuple[str, ...]
    function: str = ""


PLACES = {
    "status": Place(LOOK, "What is due, on its way and in doubt.", ("inspect",), "status"),
    "why": Place(
        LOOK, "Why somebody's next email did or did not leave, in a paragraph.", ("inspect",), "why"
    ),
    "deliveries": Place(
        LOOK,
        "Emails, those to which something happened last first, by state, sequence, sender or person.",
        ("following",),
        "deliveries",
    ),
    "outbox": Place(
        LOOK,
        "Planned emails, the first ones first, each with what it waits for.",
        ("planned",),
        "show_outbox",
    ),
    "receipt": Place(LOOK, "On whose authority an email left.", ("inspect",), "receipt"),
    "withdrawal": Place(
        LOOK, "What a withdrawal stopped, and what became of emails in doubt.", ("inspect",), "withdrawal"
    ),
    "notices": Place(LOOK, "The notices that owners got.", ("inspect",), "notices"),
    "numbers": Place(
        LOOK, "What sequences did, counted at the email it is about.", ("numbers",), "show_numbers"
    ),
    "incident": Place(LOOK, "What stopped and is not over.", ("incidents",)),
    "attention": Place(
        LOOK, "What only a person can decide: empty fields and failed emails.", ("attention",)
    ),
    "review": Place(LOOK, "Emails that only a person can settle.", ("reviews",)),
    "inbox": Place(LOOK, "Incoming mail.", ("inbox", "answers", "received")),
    "holds": Place(LOOK, "What is held: since when, by whom, why, and until when.", ("held",), "show_holds"),
    "audit": Place(LOOK, "The append-only audit trail.", ("audit_trail",)),
    "sequence": Place(
        PEOPLE,
        "Build, start, pause, resume, hand over and archive sequences.",
        ("lists", "withdrawals", "building", "sequences", "answers", "handovers", "signatures"),
    ),
    "step": Place(PEOPLE, "Write the steps of a sequence, also while it runs.", ("steps",)),
    "import": Place(
        PEOPLE,
        "Load organizations, members, mailboxes, grants and sequences (YAML, all or nothing), or people (CSV, Excel).",
        ("operate",),
        "import_data",
    ),
    "enrollment": Place(
        PEOPLE,
        "One person in a sequence: look, pause, resume, stop.",
        ("lists", "withdrawals", "adding"),
    ),
    "candidate": Place(
        PEOPLE,
        "One person, in all sequences.",
        ("lists", "withdrawals", "adding", "planned", "conversations"),
    ),
    "people": Place(PEOPLE, "Export or erase what is known of a person.", ("erasure",)),
    "email": Place(
        PEOPLE, "One planned email: approve, skip, cancel, move or edit it.", ("planned", "approvals")
    ),
    "task": Place(PEOPLE, "Tasks of sequences: what is due, done or skipped.", ("tasks",)),
    "suppressions": Place(
        PEOPLE, "Addresses and domains that nobody in an organization writes to.", ("suppressions",)
    ),
    "organization": Place(
        SENDERS,
        "Organizations, and the accounts that may sign in to them.",
        ("lists", "adding", "connections", "answers", "holds", "settings"),
    ),
    "member": Place(
        SENDERS, "Members of an organization.", ("lists", "connections", "notices", "handovers", "settings")
    ),
    "mailbox": Place(
        SENDERS,
        "Mailboxes and their connections.",
        ("lists", "adding", "connections", "mail_servers", "holds", "settings", "signatures"),
    ),
    "tenant": Place(SENDERS, "Microsoft for a whole organization.", ("tenants",)),
    "grant": Place(SENDERS, "Permissions to send from somebody's mailbox.", ("grants",)),
    "channel": Place(SENDERS, "Chat channels in which members hear of notices.", ("notices",)),
    "api-key": Place(SENDERS, "Keys of the JSON API.", ("connections",)),
    "webhook": Place(SENDERS, "Programs that Onbehalf notifies of pauses and connections.", ("webhooks",)),
    "migrate": Place(
        RUN,
        "Bring the database to the newest schema and give each role its rights; safe to run from several places at once.",
        ("operate",),
        "migrate_database",
    ),
    "doctor": Place(
        RUN,
        "Check everything an operator can get wrong, and say how to fix it; changes and sends nothing.",
        ("doctor",),
        "examine",
    ),
    "processes": Place(
        RUN,
        "Every process that runs: host, queues, version, schema, keys, last job, and what keeps it from working.",
        ("processes",),
        "show_processes",
    ),
    "drain": Place(
        RUN,
        "Before maintenance: no email begins, of any worker, until `onbehalf drain --end`.",
        ("holds",),
        "drain_all",
    ),
    "restored": Place(
        RUN,
        "After a restore from a backup, before any process starts: no email leaves twice.",
        ("restoring",),
        "restored",
    ),
    "operator": Place(RUN, "Members who see the page Operations.", ("operators",)),
    "jobs": Place(RUN, "Jobs that were enqueued too often and wait for an operator.", ("jobs",)),
    "keys": Place(RUN, "The keys that stored tokens are encrypted with.", ("operate",)),
    "probe-graph": Place(
        RUN,
        "Find out how this mailbox's Exchange really behaves (assumptions A1 to A6, L1 to L5).",
        ("operate",),
        "probe",
    ),
    "probe-gmail": Place(
        RUN,
        "Find out how this mailbox's Gmail really behaves (assumptions G1 to G5).",
        ("operate",),
        "probe_at_google",
    ),
}
_GROUPS = {
    name: typer.Typer(
        name=name, help=place.help, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    for name, place in PLACES.items()
    if not place.function
}


def group(name: str) -> typer.Typer:
    """Return the group to which modules add their commands."""
    return _GROUPS[name]


def _module(name: str) -> ModuleType:
    with late_imports():
        return import_module(f"commands.{name}")


class Tree(TyperGroup):
    """The root. Until a command is asked for, only its name, help and panel are here."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        here = dict(self.commands)
        self.commands.clear()
        for name, place in PLACES.items():
            self.commands[name] = TyperCommand(name, help=place.help, rich_help_panel=place.panel)
        self.commands.update(here)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import what was asked for."""
        name, found, rest = super().resolve_command(ctx, args)
        verb = next((each for each in rest if not each.startswith("-")), "")
        return name, None if found is None or name is None else self.whole(name, verb), rest

    def whole(self, name: str, verb: str = "") -> Any:
        """Return a command or group with all that it has, or a group with as much as ``verb`` needs."""
        place = PLACES.get(name)
        if place is None:
            return self.commands[name]
        if place.function:
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command(name)(getattr(_module(place.modules[0]), place.function))
            return get_command(alone)
        for module in place.modules:
            _module(module)
            if any(each.name == verb for each in _GROUPS[name].registered_commands):
                break
        return get_group(_GROUPS[name])

    def main(self, args: Sequence[str] | None = None, *given: Any, **extra: Any) -> Any:
        """Run it. With ``--json`` also what is wrong with the command line is JSON, with the exit codes that it has without."""
        said = list(sys.argv[1:] if args is None else args)
        if "--json" not in said or not extra.get("standalone_mode", True):
            return super().main(args, *given, **extra)
        try:
            code = super().main(args, *given, **{**extra, "standalone_mode": False})
        except typer.Abort:
            print_error("Aborted.")
            code = REFUSED
        except TyperException as error:
            at = getattr(error, "ctx", None)
            where = "" if at is None else str(at.command_path)
            print_error(error.format_message(), where, f"See: {where} --help" if where else "")
            code = error.exit_code
        sys.exit(code or 0)
