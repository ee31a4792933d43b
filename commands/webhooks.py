"""Webhooks: other programs that hear of pauses and connections."""

from uuid import UUID

import typer

from actions import webhooks as actions
from commands.common import REFUSED, AsJson, actor, command, opened, report, show
from commands.tree import group
from db.events import webhooks
from db.views import lookups

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
