"""Webhooks: other programs that hear of pauses and connections."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from actions import webhooks as actions
from commands.common import REFUSED, AsJson, actor, command, opened, reading, report, show
from commands.names import OrganizationName
from commands.tree import group
from db.events import webhooks
from db.views import lookups, programs

if TYPE_CHECKING:
    from app.runtime import Runtime

webhook_app = group("webhook")


@webhook_app.command("add")
@command
def add_webhook(organization: str, url: str, as_json: AsJson = False) -> None:
    """Add an https address to notify, and show its signing secret, once. Example: onbehalf webhook add Acme https://hooks.acme.example/onbehalf"""
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            organization_id = lookups.by_name(tx, "organization", organization)
        webhook_id, secret = actions.add_webhook(runtime, organization_id, url, actor=actor())
    report(
        f"{secret}\nStore this secret now: it is not shown again. It verifies the header webhook-signature (Standard Webhooks).",
        {"id": webhook_id, "secret": secret},
        as_json=as_json,
    )


@webhook_app.command("list")
@command
def list_webhooks(organization: str, as_json: AsJson = False) -> None:
    """An organization's webhooks, and how their calls of the last month went. Example: onbehalf webhook list Acme"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = webhooks.listing(tx, lookups.by_name(tx, "organization", organization))
    show(rows, as_json=as_json)


@webhook_app.command("calls")
@command
def list_calls(
    organization: OrganizationName,
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 50,
    as_json: AsJson = False,
) -> None:
    """What webhooks were called for in the last month, and how that went, newest first. Example: onbehalf webhook calls Acme"""
    with reading() as tx:
        found = programs.calls(tx, lookups.by_name(tx, "organization", organization), limit=limit)
    show([asdict(each) for each in found], as_json=as_json, hide=["webhook_id"])


@webhook_app.command("remove")
@command
def remove_webhook(organization: str, webhook: UUID, as_json: AsJson = False) -> None:
    """Stop notifying an address. Example: onbehalf webhook remove Acme 01a1…"""
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            organization_id = lookups.by_name(tx, "organization", organization)
        actions.remove_webhook(runtime, organization_id, webhook, actor=actor())
    report("Removed. Onbehalf no longer calls it.", {"removed": webhook}, as_json=as_json)


@webhook_app.command("test")
@command
def try_webhook(organization: str, webhook: UUID, as_json: AsJson = False) -> None:
    """Call a webhook once, with a signed event of the type webhook.test. Example: onbehalf webhook test Acme 01a1…"""
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            organization_id = lookups.by_name(tx, "organization", organization)
        found = actions.try_webhook(runtime, organization_id, webhook, actor=actor())
    report(actions.said(found), found, as_json=as_json)
    if found is None or not found["taken"]:
        raise typer.Exit(REFUSED)


@webhook_app.command("events")
@command
def choose_events(
    organization: str,
    webhook: UUID,
    event: Annotated[
        list[str] | None, typer.Option(help="A type like permission.ended; several times.")
    ] = None,
    all_events: Annotated[bool, typer.Option("--all", help="All, also those of later releases.")] = False,
    as_json: AsJson = False,
) -> None:
    """Choose the events that a webhook hears of. Example: onbehalf webhook events Acme 01a1… --event permission.ended"""
    with opened() as runtime:
        types = None if all_events else list(event or [])
        done = actions.choose_events(runtime, _of(runtime, organization), webhook, types, actor=actor())
    report("Saved." if done else "It was so before.", {"changed": done}, as_json=as_json)


@webhook_app.command("disable")
@command
def disable_webhook(organization: str, webhook: UUID, as_json: AsJson = False) -> None:
    """Call a webhook no more, until it is enabled. Example: onbehalf webhook disable Acme 01a1…"""
    with opened() as runtime:
        done = actions.disable(runtime, _of(runtime, organization), webhook, actor=actor())
    report("Disabled." if done else "It was disabled before.", {"changed": done}, as_json=as_json)


@webhook_app.command("enable")
@command
def enable_webhook(organization: str, webhook: UUID, as_json: AsJson = False) -> None:
    """Call a webhook again, for events from now on. Example: onbehalf webhook enable Acme 01a1…"""
    with opened() as runtime:
        done = actions.enable(runtime, _of(runtime, organization), webhook, actor=actor())
    report("Enabled." if done else "It was enabled before.", {"changed": done}, as_json=as_json)


@webhook_app.command("new-secret")
@command
def replace_secret(organization: str, webhook: UUID, as_json: AsJson = False) -> None:
    """Make another secret and show it, once; both sign until it is confirmed. Example: onbehalf webhook new-secret Acme 01a1…"""
    with opened() as runtime:
        secret = actions.replace_secret(runtime, _of(runtime, organization), webhook, actor=actor())
    report(
        f"{secret}\nStore this secret now: it is not shown again. Once the program knows it: onbehalf webhook confirm-secret",
        {"secret": secret},
        as_json=as_json,
    )


@webhook_app.command("confirm-secret")
@command
def confirm_secret(organization: str, webhook: UUID, as_json: AsJson = False) -> None:
    """The program knows the new secret: the one before it signs no more. Example: onbehalf webhook confirm-secret Acme 01a1…"""
    with opened() as runtime:
        done = actions.confirm_secret(runtime, _of(runtime, organization), webhook, actor=actor())
    report(
        "The new secret alone signs from now on." if done else "There is no new secret.",
        {"changed": done},
        as_json=as_json,
    )


@webhook_app.command("send-again")
@command
def send_again(organization: str, webhook: UUID, event: UUID, as_json: AsJson = False) -> None:
    """Call a webhook for an event of the last month once more. Example: onbehalf webhook send-again Acme 01a1… 01a2…"""
    with opened() as runtime:
        done = actions.send_again(runtime, _of(runtime, organization), webhook, event)
    report("It is sent again." if done else "It waits already.", {"changed": done}, as_json=as_json)


def _of(runtime: "Runtime", organization: str) -> UUID:
    with runtime.database.transaction() as tx:
        return lookups.by_name(tx, "organization", organization)
