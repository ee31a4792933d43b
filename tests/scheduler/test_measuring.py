"""How the whole installation stands is measured four times a minute, by one scheduler, and kept for two days."""

from app.broker import Broker
from db.core import measurements
from lab.access_records import Measurement
from lab.stage import Stage
from lab.tables import ago
from scheduler import measuring


def test_of_several_schedulers_one_measures(stage: Stage, redis_url: str) -> None:
    broker = Broker(redis_url)
    measuring.measure(stage.world.database, broker)
    first = stage.all(Measurement)[-1].measured_at
    measuring.measure(stage.world.database, broker)
    assert stage.all(Measurement)[-1].measured_at == first
    stage.older(Measurement, "measured_at", seconds=14)
    measuring.measure(stage.world.database, broker)
    assert stage.all(Measurement)[-1].measured_at > first


def test_only_the_newest_is_kept_whole_and_nothing_for_longer_than_two_days(
    stage: Stage, redis_url: str
) -> None:
    old = {"figures": {"due": 1}, "details": {"whole": True}}
    this_minute = ago().replace(second=0, microsecond=0)
    stage.add(
        Measurement,
        {**old, "minute": ago(days=2, minutes=2), "measured_at": ago(days=2)},
        {**old, "minute": ago(days=1), "measured_at": ago(days=1)},
        {**old, "minute": this_minute - measurements.EVERY * 8, "measured_at": ago(minutes=2)},
    )
    measuring.measure(stage.world.database, Broker(redis_url))
    kept = stage.all(Measurement)
    assert len(kept) == 3
    assert [each.details is None for each in kept[-2:]] == [True, False]
    assert kept[-2].figures == {"due": 1}
