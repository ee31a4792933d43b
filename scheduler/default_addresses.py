"""Gives every organization its default address, wherever the operator offers a default mail service."""

import structlog

from config import Settings
from db.core.session import Database
from db.mailboxes import senders

log = structlog.get_logger()


def make(database: Database, settings: Settings) -> None:
    """One round."""
    if not settings.default_mail_url:
        return
    with database.transaction() as tx:
        made = senders.ensure_defaults(tx, settings.default_mail_domain)
    if made:
        log.info("default_addresses_made", count=made)
