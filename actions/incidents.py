"""What people do with incidents: acknowledge one, and say for how long one may stay unread."""

from uuid import UUID

import structlog

from app.runtime import Runtime
from db.events import incidents
from db.views import incidents as views
from db.views.incidents import Viewer

log = structlog.get_logger()


def acknowledge(runtime: Runtime, viewer: Viewer, incident_id: UUID, *, actor: str) -> bool:
    """Say that somebody looks after an incident: it goes to nobody else, and still closes by itself.

    Returns False if somebody does already, or it is closed. Raises ``NotFound``.
    """
    with runtime.database.transaction() as tx:
        views.check_seen(tx, viewer, incident_id)
        done = incidents.acknowledge(tx, viewer.organization_id, incident_id, actor=actor, by=actor)
    log.info("incident_acknowledged", organization_id=str(viewer.organization_id), count=int(done))
    return done


def set_unread_hours(runtime: Runtime, organization_id: UUID, hours: int, *, actor: str) -> bool:
    """Set for how long an incident may stay unread. Returns False if it was so. Raises ``NotFound``, ``InvalidInput``."""
    with runtime.database.transaction() as tx:
        return incidents.set_unread_hours(tx, organization_id, hours, actor=actor)
