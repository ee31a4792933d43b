"""Emails in doubt that only a person can settle."""

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

import typer

from actions import review
from commands.common import AsJson, actor, command, opened, print_json, say, show
from commands.tree import group
from db.views import dashboard

review_app = group("review")


@review_app.command("list")
@command
def list_reviews(as_json: AsJson = False) -> None:
    """Emails in doubt that need a person. Example: onbehalf review list"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = dashboard.deliveries(tx, states=["review"], limit=1000)
    show(
        [asdict(row) for row in rows],
        as_json=as_json,
        title="In review",
        hide=["enrollment_id", "held", "sent_at"],
    )


@review_app.command("settle")
@command
def settle_review(
    delivery: UUID,
    verdict: Annotated[
        Literal["sent", "not-sent", "skip"],
        typer.Option(
            "--as",
            help="sent: it is among the sent emails of its mailbox. not-sent: it did not leave, try again. skip: leave it out.",
        ),
    ],
    because: Annotated[str, typer.Option(help="How you know.")],
    as_json: AsJson = False,
) -> None:
    """Record what became of an email in doubt; audited. Example: onbehalf review settle DELIVERY --as sent --because "seen in Sent Items" """
    with opened() as runtime:
        known: review.Verdict = "not_sent" if verdict == "not-sent" else verdict
        review.settle(runtime, delivery, verdict=known, actor=actor(), because=because)
    if as_json:
        print_json({"delivery_id": delivery, "settled_as": verdict})
    else:
        say(f"Settled as {verdict}.")
