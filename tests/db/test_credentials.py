"""Tokens in the database: encrypted, written by compare-and-set, never restored after they were erased."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from db.core.crypto import KeyMissing, KeyRing, Seal, Tampered
from db.core.session import Database
from db.mailboxes import credentials
from db.mailboxes.credentials import Credential, Rotation
from lab.access_records import Credentials
from lab.factories import KEY, World
from lab.tables import lock

LATER = datetime.now(UTC) + timedelta(hours=1)


def read(world: World, mailbox_id: UUID, ring: KeyRing | None = None) -> Credential:
    with world.database.transaction() as tx:
        row = credentials.load(tx, ring or world.keys, mailbox_id)
    assert row is not None
    return row


def connect(world: World, mailbox_id: UUID, name: str = "1", ring: KeyRing | None = None) -> None:
    with world.database.transaction() as tx:
        credentials.store_connected(
            tx, ring or world.keys, world.organization_id, mailbox_id,
            access_token=f"access-{name}", expires_at=LATER, refresh_token=f"refresh-{name}",
        )  # fmt: skip


def refresh(world: World, old: Credential, name: str = "2") -> bool:
    with world.database.transaction() as tx:
        return credentials.store_refreshed(
            tx,
            world.keys,
            old,
            access_token=f"access-{name}",
            expires_at=LATER,
            refresh_token=f"refresh-{name}",
        )


def erase(world: World, mailbox_id: UUID) -> None:
    with world.database.transaction() as tx:
        credentials.erase(tx, mailbox_id)


@pytest.fixture
def mailbox_id(world: World) -> UUID:
    made = world.mailbox(world.member())
    connect(world, made)
    return made


def test_what_was_stored_is_loaded(world: World, mailbox_id: UUID) -> None:
    row = read(world, mailbox_id)
    assert (row.access_token, row.refresh_token) == ("access-1", "refresh-1")
    assert row.access_expires_at == LATER
    assert abs(row.read_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert row.tenant_id == "organizations"
    assert "access-1" not in repr(row)
    assert "refresh-1" not in repr(row)


def test_nothing_is_stored_in_clear(world: World, mailbox_id: UUID) -> None:
    stored = world.only(Credentials)
    assert "-1" not in repr((stored.access_token, stored.refresh_token))
    assert mailbox_id


def test_a_mailbox_without_a_row_has_none(database: Database, world: World) -> None:
    with database.transaction() as tx:
        assert credentials.load(tx, world.keys, uuid4()) is None


def test_a_refresh_replaces_both_tokens_once(world: World, mailbox_id: UUID) -> None:
    old = read(world, mailbox_id)
    assert refresh(world, old, "2")
    assert not refresh(world, old, "3")
    assert read(world, mailbox_id).refresh_token == "refresh-2"


def test_a_refresh_that_lands_after_a_disconnect_writes_nothing(world: World, mailbox_id: UUID) -> None:
    old = read(world, mailbox_id)
    erase(world, mailbox_id)
    assert not refresh(world, old)
    row = read(world, mailbox_id)
    assert (row.access_token, row.refresh_token, row.access_expires_at) == (None, None, None)


def test_a_refresh_that_lands_after_a_reconnect_writes_nothing(world: World, mailbox_id: UUID) -> None:
    old = read(world, mailbox_id)
    erase(world, mailbox_id)
    connect(world, mailbox_id, "9")
    assert not refresh(world, old)
    assert read(world, mailbox_id).refresh_token == "refresh-9"


def test_an_erased_row_takes_no_refresh_even_with_its_present_version(world: World, mailbox_id: UUID) -> None:
    erase(world, mailbox_id)
    assert not refresh(world, read(world, mailbox_id))


def test_of_many_refreshes_at_once_one_is_kept(world: World, mailbox_id: UUID) -> None:
    old = read(world, mailbox_id)
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda name: refresh(world, old, str(name)), range(8)))
    assert kept.count(True) == 1
    assert read(world, mailbox_id).refresh_token == f"refresh-{kept.index(True)}"


def test_tokens_of_one_mailbox_do_not_open_in_another(world: World, mailbox_id: UUID) -> None:
    other = world.mailbox(world.member())
    world.put(Credentials, other, refresh_token=world.only(Credentials, mailbox_id).refresh_token)
    with pytest.raises(Tampered):
        read(world, other)


def test_tokens_do_not_open_in_the_other_column(world: World, mailbox_id: UUID) -> None:
    world.put(Credentials, mailbox_id, access_token=world.only(Credentials, mailbox_id).refresh_token)
    with pytest.raises(Tampered):
        read(world, mailbox_id)


def test_one_flight_at_a_time_and_it_holds_no_row(world: World, mailbox_id: UUID) -> None:
    with world.database.transaction() as first, world.database.transaction() as second:
        assert credentials.try_single_flight(first, mailbox_id)
        assert not credentials.try_single_flight(second, mailbox_id)
        assert credentials.try_single_flight(second, uuid4())
        erase(world, mailbox_id)  # a disconnect does not wait for it
    with world.database.transaction() as third:
        assert credentials.try_single_flight(third, mailbox_id)


NEW = b"n" * 32


def rotate(world: World, ring: KeyRing, limit: int) -> Rotation:
    with world.database.transaction() as tx:
        return credentials.rotate_keys(tx, ring, limit)


def test_keys_rotate_round_by_round_until_the_old_one_can_go(world: World) -> None:
    boxes = [world.mailbox(world.member()) for _ in range(5)]
    for box in boxes[:4]:
        connect(world, box)
    erase(world, boxes[0])
    both = KeyRing((NEW, KEY))
    assert rotate(world, both, 3) == Rotation(rotated=3, left=1)
    assert rotate(world, both, 3) == Rotation(rotated=1, left=0)
    assert rotate(world, both, 3) == Rotation(rotated=0, left=0)
    only_new = KeyRing((NEW,))
    assert read(world, boxes[1], only_new).refresh_token == "refresh-1"
    assert read(world, boxes[4], only_new).refresh_token == "refresh"
    assert read(world, boxes[0], only_new).refresh_token is None
    with pytest.raises(KeyMissing):
        read(world, boxes[1], KeyRing((KEY,)))


def test_what_the_web_process_has_sealed_rotates_too(world: World) -> None:
    box = world.mailbox(world.member())
    with world.database.transaction() as tx:
        credentials.store_connected(
            tx,
            Seal(world.keys.public_key),
            world.organization_id,
            box,
            access_token="access",
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            refresh_token="sealed",
        )
    assert read(world, box).refresh_token == "sealed"
    assert rotate(world, KeyRing((KEY,)), 10) == Rotation(rotated=0, left=0)
    assert rotate(world, KeyRing((NEW, KEY)), 10) == Rotation(rotated=1, left=0)
    assert read(world, box, KeyRing((NEW,))).refresh_token == "sealed"


def test_a_refresh_under_way_loses_against_rotation_and_asks_again(world: World, mailbox_id: UUID) -> None:
    old = read(world, mailbox_id)
    rotate(world, KeyRing((NEW, KEY)), 10)
    assert not refresh(world, old)


def test_rotation_passes_over_rows_in_use(world: World, mailbox_id: UUID) -> None:
    with world.database.transaction() as busy:
        lock(busy, Credentials)
        assert rotate(world, KeyRing((NEW, KEY)), 10) == Rotation(rotated=0, left=1)
    assert rotate(world, KeyRing((NEW, KEY)), 10) == Rotation(rotated=1, left=0)
    assert mailbox_id
