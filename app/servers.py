"""The two servers that every process uses, opened from its settings. Both connect at first use.

Dramatiq is imported with its broker: processes and commands without one start without it.
"""

from typing import TYPE_CHECKING

from config import Settings
from db.core.session import Database

if TYPE_CHECKING:
    from dramatiq.middleware import Middleware

    from app.broker import Broker


def open_database(settings: Settings, *, application: str, pool_size: int, by_key: bool = False) -> Database:
    """Postgres. ``application``: the name that it shows for our connections. ``by_key``: as ``Database`` has it."""
    return Database(settings.database_url, pool_size=pool_size, application=application, by_key=by_key)


def open_broker(settings: Settings, *middleware: "Middleware") -> "Broker":
    """Dramatiq's broker on Redis."""
    from app.broker import Broker  # noqa: PLC0415 - see above

    return Broker(settings.redis_url, list(middleware))
