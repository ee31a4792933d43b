"""Which servers the product is tested on (``make servers``, ``make test``)."""

from dataclasses import dataclass
from enum import StrEnum

TESTED = {"PostgreSQL": range(14, 19), "Redis": range(7, 9), "Valkey": range(8, 10)}


class Fit(StrEnum):
    """How a server's version relates to those that are tested."""

    TESTED = "tested"
    TOO_OLD = "too_old"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class Server:
    """``name``: a key of ``TESTED``. ``version``: such as 14.23."""

    name: str
    version: str

    @property
    def fit(self) -> Fit:
        """Is it one of those?"""
        major, tested = int(self.version.partition(".")[0]), TESTED[self.name]
        if major in tested:
            return Fit.TESTED
        return Fit.TOO_OLD if major < tested.start else Fit.NEWER

    @property
    def sentence(self) -> str:
        """Say which versions there are tests for."""
        tested = TESTED[self.name]
        return (
            f"This is {self.name} {self.version}; Onbehalf is tested on {tested.start} to {tested.stop - 1}."
        )


def postgresql(number: int) -> Server:
    """Return the server of a ``server_version_num``, such as 140023 for 14.23."""
    return Server("PostgreSQL", f"{number // 10_000}.{number % 10_000}")


def broker(info: dict[str, object]) -> Server:
    """Return the server of what ``INFO server`` answers. Valkey also names the Redis that its commands are those of."""
    if valkey := info.get("valkey_version"):
        return Server("Valkey", str(valkey))
    return Server("Redis", str(info["redis_version"]))
