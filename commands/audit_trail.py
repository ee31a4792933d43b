"""The audit trail: read it, verify it, and keep its heads where the database's administrators cannot write."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.common import REFUSED, AsJson, Organization, command, opened, print_json, show
from commands.tree import group
from db.audit import audit, audit_chain, audit_heads
from db.views import lookups
from domain.audit import Link
from domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from db.core.session import Database, Transaction

audit_app = group("audit")


@audit_app.command("verify")
@command
def verify_audit(
    organization: Organization = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            help="A head that was logged, printed or exported before, as ORGANIZATION:POSITION:HASH. May be given several times."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every seal of the chains, and that they still contain the heads given.

    Exit code 1 when something was changed, cut off or cannot be proven.
    Examples: onbehalf audit verify · onbehalf audit verify --expect "Acme:812:3f9c…"
    """
    wanted = [_head(each) for each in expect or []]
    results: list[dict[str, Any]] = []
    missing: list[str] = []
    with opened() as runtime:
        keys = runtime.keys.audit
        with runtime.database.transaction() as tx:
            while audit_chain.seal(tx, keys):
                pass
        with runtime.database.transaction() as tx:
            for each in _organizations(tx, organization):
                verified = audit_chain.verify(tx, keys, each["id"])
                results.append(
                    {
                        "organization": each["name"],
                        "entries": verified.entries,
                        "broken_at": verified.broken_at,
                        "altered_receipts": audit.broken_receipts(tx, each["id"]),
                        "kept_from": verified.kept_from,
                        "without_key": verified.unkeyed,
                        "unknown_keys": " ".join(verified.unknown_keys),
                        "waiting": audit.unsealed(tx, each["id"]),
                        "head": f"{each['id']}:{verified.head.position}:{verified.head.hash}",
                        "problem": verified.problem,
                    }
                )
            for name, link in wanted:
                if said := audit_heads.contains(tx, _organizations(tx, name)[0]["id"], link):
                    missing.append(f"{name}, entry {link.position}: {said}")
    show(results, as_json=as_json)
    for line in missing:
        typer.echo(f"The history does not contain what was expected. {line}", err=True)
    if missing or any(
        each["broken_at"] is not None or each["altered_receipts"] or each["unknown_keys"] for each in results
    ):
        raise typer.Exit(REFUSED)


@audit_app.command("list")
@command
def list_audit(
    subject: Annotated[
        str | None, typer.Option(help="Only entries about this, for example grant:ID or delivery:ID.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 50,
    as_json: AsJson = False,
) -> None:
    """What happened, newest first; actor_id tells namesakes apart. Example: onbehalf audit list --subject delivery:ID"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = audit.newest(tx, subject=subject, limit=limit)
    show(rows, as_json=as_json)


@audit_app.command("export")
@command
def export_audit(
    organization: Organization = None,
    heads_only: Annotated[bool, typer.Option("--heads", help="Only each chain's newest link.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON list instead of one line each.")
    ] = False,
) -> None:
    """Print the chains as JSON lines: each chain's head, then its entries. Example: onbehalf audit export --heads > heads.jsonl"""
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            while audit_chain.seal(tx, runtime.keys.audit):
                pass
        lines = _lines(runtime.database, organization, heads_only=heads_only)
        if as_json:
            print_json(list(lines))
            return
        for line in lines:
            sys.stdout.write(audit_heads.as_line(line))


def _lines(
    database: "Database", organization: str | None, *, heads_only: bool
) -> Iterator[dict[str, object]]:
    with database.transaction() as tx:
        organizations = _organizations(tx, organization)
    for each in organizations:
        for line in audit_heads.export(database, each["id"]):
            yield {**line, "organization": each["name"]}
            if heads_only:
                break


def _organizations(tx: "Transaction", name: str | None) -> list[dict[str, Any]]:
    found = [
        each
        for each in lookups.listing(tx, "organization")
        if name is None or name.lower() in (each["name"].lower(), str(each["id"]))
    ]
    if name is not None and not found:
        raise NotFound(f"There is no organization {name!r}.")
    return found


def _head(given: str) -> tuple[str, Link]:
    name, _, rest = given.rpartition(":")
    name, _, position = name.rpartition(":")
    if not name or not position.isdigit() or len(rest) != 64:
        raise InvalidInput(
            f"{given!r} is not a head",
            where="--expect",
            fix="Write ORGANIZATION:POSITION:HASH, as verify prints it.",
        )
    return name, Link(int(position), rest.lower())
