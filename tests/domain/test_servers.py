"""Which servers are those that tests run on."""

import pytest

from domain.servers import Fit, broker, postgresql


@pytest.mark.parametrize(
    ("number", "version", "fit"),
    [
        (130022, "13.22", Fit.TOO_OLD),
        (140023, "14.23", Fit.TESTED),
        (180006, "18.6", Fit.TESTED),
        (190000, "19.0", Fit.NEWER),
    ],
)
def test_postgresql_is_known_by_its_number(number: int, version: str, fit: Fit) -> None:
    server = postgresql(number)
    assert (server.version, server.fit) == (version, fit)


@pytest.mark.parametrize(
    ("info", "sentence", "fit"),
    [
        ({"redis_version": "6.2.14"}, "This is Redis 6.2.14; Onbehalf is tested on 7 to 8.", Fit.TOO_OLD),
        ({"redis_version": "7.0.15"}, "This is Redis 7.0.15; Onbehalf is tested on 7 to 8.", Fit.TESTED),
        (
            {"redis_version": "7.2.4", "valkey_version": "8.1.8"},
            "This is Valkey 8.1.8; Onbehalf is tested on 8 to 9.",
            Fit.TESTED,
        ),
        (
            {"redis_version": "7.2.4", "valkey_version": "7.2.11"},
            "This is Valkey 7.2.11; Onbehalf is tested on 8 to 9.",
            Fit.TOO_OLD,
        ),
    ],
)
def test_a_broker_is_known_by_its_own_version_and_not_by_the_redis_that_it_stands_for(
    info: dict[str, object], sentence: str, fit: Fit
) -> None:
    server = broker(info)
    assert (server.sentence, server.fit) == (sentence, fit)
