"""Incidents: what stopped and is not over, and who hears of it."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from actions import incidents as actions
from commands.common import AsJson, actor, command, opened, print_json, report, show
from commands.tree import group
from commands.withdrawals import find
from db.events import incidents
from db.views import incidents as views

incident_app = group("incident")


@incident_app.command("list")
@command
def list_incidents(organization: str, as_json: AsJson = False) -> None:
    """An organization's open incidents, newest first. Example: onbehalf incident list Acme"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        with runtime.database.transaction() as tx:
            found = views.standing(tx, views.Viewer.of_all(organization_id))
    if as_json:
        print_json([{**asdict(each), "state": each.state} for each in found])
        return
    rows = [
        {
            "id": each.id,
            "state": each.state.value,
            "since": each.opened_at,
            "owner": each.owner,
            "what": each.title,
        }
        for each in found
    ]
    show(rows, as_json=False, title="Incidents")


@incident_app.command("acknowledge")
@command
def acknowledge(organization: str, incident: UUID, as_json: AsJson = False) -> None:
    """Say that somebody looks after it: it goes to nobody else. Example: onbehalf incident acknowledge Acme 01a2…"""
    with opened() as runtime:
        viewer = views.Viewer.of_all(find(runtime, "organization", organization))
        done = actions.acknowledge(runtime, viewer, incident, actor=actor())
    sentence = (
        "Acknowledged. It closes by itself once it is over." if done else "Already acknowledged, or closed."
    )
    report(sentence, {"id": incident, "acknowledged": done}, as_json=as_json)


@incident_app.command("unread-hours")
@command
def set_unread_hours(
    organization: str,
    hours: Annotated[int | None, typer.Argument(help="1 to 168. Without it, the setting is shown.")] = None,
    as_json: AsJson = False,
) -> None:
    """For how long an incident may stay unread before others hear of it. Example: onbehalf incident unread-hours Acme 4"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        if hours is not None:
            actions.set_unread_hours(runtime, organization_id, hours, actor=actor())
        with runtime.database.transaction() as tx:
            present = incidents.unread_hours(tx, organization_id)
    report(
        f"Others hear of an incident that is unread for {present} hours.",
        {"unread_hours": present},
        as_json=as_json,
    )
