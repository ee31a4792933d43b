"""Webhooks: other programs that hear of pauses and connections."""

from uuid import UUID

import typer

from actions import webhooks as actions
from commands.common import AsJson, actor, command, opened, report, show
from db.events import webhooks
from db.views import lookups

webhook_app = typer.Typer(help="Other programs that hear of pauses and connections.", no_args_is_help=True)


@webhook_app.command("add")
@command
def add_webhook(organization: str, url: str, as_json: AsJson = False) -> None:
    """Tell an https address from now on, and show the secret that signs it, once. Example: onbehalf webhook add Acme https://hooks.acme.example/onbehalf"""
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            organization_id = lookups.by_name(tx, "organization", organization)
        webhook_id, secret = actions.add_webhook(runtime, organization_id, url, actor=actor())
    report(
        f"{secret}\nThis is the only time that it is shown. It verifies the header webhook-signature (Standard Webhooks).",
        {"id": webhook_id, "secret": secret},
        as_json=as_json,
    )


@webhook_app.command("list")
@command
def list_webhooks(organization: str, as_json: AsJson = False) -> None:
    """An organization's webhooks, and what became of their calls of the last month. Example: onbehalf webhook list Acme"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = webhooks.listing(tx, lookups.by_name(tx, "organization", organization))
    show(rows, as_json=as_json)


@webhook_app.command("remove")
@command
def remove_webhook(organization: str, webhook: UUID, as_json: AsJson = False) -> None:
    """Tell it nothing any more. Example: onbehalf webhook remove Acme 01a1…"""
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            organization_id = lookups.by_name(tx, "organization", organization)
        actions.remove_webhook(runtime, organization_id, webhook, actor=actor())
    report("Removed. It is not called any more.", {"removed": webhook}, as_json=as_json)
