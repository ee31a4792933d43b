"""How a member hears of notices: their preferences, and their chat channels."""

from uuid import UUID

import structlog

from app.runtime import Runtime
from db.events import notice_channels, notice_preferences
from domain.notice_preferences import Preferences
from transports.chat import check_url

log = structlog.get_logger()


def save(runtime: Runtime, member_id: UUID, wanted: Preferences) -> Preferences:
    """Set a member's preferences and return them. Raises ``NotFound``, ``InvalidInput``."""
    with runtime.database.transaction() as tx:
        notice_preferences.save(tx, member_id, wanted)
        return notice_preferences.of_member(tx, member_id)


def add_channel(runtime: Runtime, member_id: UUID, url: str, name: str, *, actor: str) -> UUID:
    """Add a chat channel; returns its id, also the second time. Its address is sealed and never shown again. Nothing is written there yet.

    Raises ``InvalidInput``, ``NotFound``, ``NotPermitted``.
    """
    service = check_url(url).service.name
    with runtime.database.transaction() as tx:
        channel_id = notice_channels.add(
            tx, runtime.sealer, member_id, service=service, name=name, url=url.strip(), actor=actor
        )
    log.info("notice_channel_added", member_id=str(member_id))
    return channel_id


def remove_channel(runtime: Runtime, member_id: UUID, channel_id: UUID, *, actor: str) -> None:
    """Remove a chat channel. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        notice_channels.remove(tx, member_id, channel_id, actor=actor)
    log.info("notice_channel_removed", member_id=str(member_id))
