"""Measures how the whole installation stands, four times a minute, for the page Operations (docs/decisions/0025)."""

from redis.exceptions import RedisError

from app.broker import Broker
from db.core import measurements
from db.core.session import Database
from db.views import operations


def measure(database: Database, broker: Broker) -> None:
    """Run one round. Of several schedulers one measures; what two of them measure at once is the same."""
    with database.transaction() as tx:
        if not measurements.is_due(tx):
            return
    try:
        queues = broker.depths()
    except RedisError:
        queues = None
    with database.transaction() as tx:
        found = operations.measure(tx, queues)
        measurements.keep(tx, operations.figures(found), operations.as_json(found))
