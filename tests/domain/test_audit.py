"""The chain's rules, and how the audit trail identifies who did something."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit import (
    GENESIS,
    Actor,
    ActorKind,
    Chain,
    Entry,
    Judgement,
    Keys,
    Link,
    Sealed,
    chain_hash,
    chain_seal,
    judge,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ORGANIZATION = UUID(int=1)
OLD, NEW = b"o" * 32, b"n" * 32
KEYS = Keys("new", {"new": NEW, "old": OLD})
HANS = Actor(ActorKind.MEMBER, UUID(int=7), "Hans Holder")


def entries(*key_ids: str | None) -> list[Sealed]:
    """A chain, each entry sealed under the key named."""
    previous, chain = GENESIS, []
    for position, key_id in enumerate(key_ids, start=1):
        actor = HANS if key_id else Actor.of("hans")
        entry = Entry(
            ORGANIZATION, uuid4(), position, NOW, actor, "grant_revoked", "grant:1", {"n": position}
        )
        key = {"new": NEW, "old": OLD, "gone": b"g" * 32}[key_id] if key_id else None
        previous = chain_hash(previous, entry, key)
        chain.append(Sealed(entry, previous, key_id))
    return chain


def record(entries: list[Sealed], *, dropped: int = 0, unkeyed: int = 0) -> Chain:
    where = [Link(), *(Link(each.entry.position, each.hash) for each in entries)]
    return Chain(ORGANIZATION, where[-1], where[dropped], unkeyed=unkeyed)


def test_an_untouched_chain_holds() -> None:
    chain = entries(*["new"] * 20)
    assert judge(chain, record(chain), KEYS) == Judgement()
    assert judge([], Chain(ORGANIZATION), KEYS) == Judgement()


def test_a_chain_whose_old_entries_were_dropped_is_judged_from_there_on() -> None:
    chain = entries(*["new"] * 20)
    assert judge(chain[5:], record(chain, dropped=5), KEYS) == Judgement()
    assert judge(chain[6:], record(chain, dropped=5), KEYS).broken_at == 6


def test_a_chain_holds_over_a_change_of_keys() -> None:
    chain = entries("old", "old", "new", "new")
    assert judge(chain, record(chain), KEYS) == Judgement()


def test_entries_under_a_key_that_is_gone_are_named_and_not_taken_for_proven() -> None:
    chain = entries("old", "gone", "gone", "new")
    assert judge(chain, record(chain), KEYS) == Judgement(None, ("gone",))


def test_entries_from_before_there_were_keys_are_judged_as_they_were_then() -> None:
    chain = entries(None, None, "new", "new")
    assert judge(chain, record(chain, unkeyed=2), KEYS) == Judgement()
    assert judge(chain, record(chain), KEYS).broken_at == 1, "only up to where the record says"
    assert judge(chain, record(chain, unkeyed=3), KEYS).broken_at == 3


def test_an_old_entry_cannot_be_given_an_actor_that_it_never_named() -> None:
    chain = entries(None, "new")
    chain[0] = replace(chain[0], entry=replace(chain[0].entry, actor=Actor(ActorKind.SYSTEM, "", "hans")))
    assert judge(chain, record(chain, unkeyed=1), KEYS).broken_at == 1


@given(
    st.integers(0, 9),
    st.sampled_from(["change", "drop", "swap", "forge", "actor", "without a key", "another key"]),
)
def test_any_tampering_breaks_the_chain_where_it_happened(where: int, how: str) -> None:
    chain = entries(*["new"] * 10)
    whole = record(chain)
    sealed = chain[where]
    before = chain[where - 1].hash if where else GENESIS
    forged = replace(sealed.entry, data={"n": "forged"})
    match how:
        case "change":
            chain[where] = replace(sealed, entry=replace(sealed.entry, action="grant_given"))
        case "actor":
            namesake = Actor(ActorKind.MEMBER, UUID(int=8), HANS.name)
            chain[where] = replace(sealed, entry=replace(sealed.entry, actor=namesake))
        case "forge":
            chain[where] = Sealed(forged, chain_hash(before, forged, b"guess" * 8), "new")
        case "without a key":
            chain[where] = Sealed(forged, chain_hash(before, forged, None))
        case "another key":
            chain[where] = replace(sealed, key_id="old")
        case "drop":
            del chain[where]
        case _:
            other = (where + 1) % 10
            chain[where], chain[other] = chain[other], chain[where]
    broken = judge(chain, whole, KEYS).broken_at
    assert broken == (1 if how == "swap" and where == 9 else where + 1)


@pytest.mark.parametrize(
    "change",
    [
        {"head": Link(3, "a" * 64)},
        {"dropped": Link(1, "b" * 64)},
        {"kept_from": NOW},
        {"unkeyed": 1},
        {"organization_id": UUID(int=2)},
    ],
)
def test_the_seal_of_a_chains_record_covers_all_of_it(change: dict[str, object]) -> None:
    chain = Chain(ORGANIZATION, Link(4, "c" * 64))
    changed: Chain = replace(chain, **change)  # type: ignore[arg-type]  # one field of several kinds
    assert chain_seal(changed, NEW) != chain_seal(chain, NEW)
    assert chain_seal(chain, NEW) != chain_seal(chain, OLD)


def test_an_actor_reads_as_its_name_and_is_told_from_its_namesakes() -> None:
    other = Actor(ActorKind.MEMBER, UUID(int=8), "Hans Holder")
    assert f"{HANS} ended it" == "Hans Holder ended it"
    assert (HANS == "Hans Holder", other == HANS) == (True, False)
    assert HANS.typed == f"member:{UUID(int=7)}"
    assert orjson.loads(orjson.dumps({"actor": HANS})) == {"actor": "Hans Holder"}


@pytest.mark.parametrize("name", ["onbehalf", "Onbehalf", "Microsoft", "api:ats", "operator root", "system"])
def test_a_member_may_be_called_anything_and_stays_a_member(name: str) -> None:
    member = Actor(ActorKind.MEMBER, UUID(int=9), name)
    assert Actor.of(member).typed == f"member:{UUID(int=9)}"
    assert Actor.of(member) != Actor.of(name)


def test_a_bare_name_is_ours_or_a_providers_or_says_nothing_but_itself() -> None:
    assert Actor.of("onbehalf").typed == "system"
    assert Actor.of("Microsoft").typed == "provider:microsoft"
    assert Actor.of("The mail server").typed == "provider:mail_server"
    assert Actor.of("Hans").typed == "name"
