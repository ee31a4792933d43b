"""The two servers that every process uses, opened from its settings. Both connect at first use."""

from dramatiq.middleware import Middleware

from app.broker import Broker
from config import Settings
from db.core.session import Database


def open_database(settings: Settings, *, application: str, pool_size: int, by_key: bool = False) -> Database:
    """Postgres. ``application``: the name that it shows for our connections. ``by_key``: as ``Database`` has it."""
    return Database(settings.database_url, pool_size=pool_size, application=application, by_key=by_key)


def open_broker(settings: Settings, *middleware: Middleware) -> Broker:
    """Dramatiq's broker on Redis."""
    return Broker(settings.redis_url, list(middleware))
