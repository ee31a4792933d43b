"""What somebody with a copy of the database, and without its keys, can do with it: nothing."""

import base64
import hashlib

import pytest

from db.access import api_keys
from db.core.crypto import KeyRing
from db.core.session import Database
from db.mailboxes import approvals
from domain.errors import NotFound
from lab.access_records import IdempotencyKey, Organization
from lab.factories import KEY, World

RING, ROTATED = KeyRing((KEY,)), KeyRing((b"n" * 32, KEY))
REQUEST = b'POST\0/addresses/x/mail-server\0{"host":"smtp.acme.example","password":"Sommer2026!"}'


def test_a_password_is_not_guessed_from_what_is_kept_of_a_request(database: Database, world: World) -> None:
    with database.transaction() as tx:
        assert api_keys.begin(tx, RING, world.organization_id, "once", REQUEST) is None
        api_keys.finish(tx, world.organization_id, "once", 200, {"done": True})
    kept = world.only(IdempotencyKey).request_hash
    guesses = {
        hash_(part + REQUEST).digest()
        for part in (b"", world.organization_id.bytes)
        for hash_ in (hashlib.sha256, hashlib.sha1, hashlib.sha512)
    }
    assert kept not in guesses
    with database.transaction() as tx:
        again = api_keys.begin(tx, ROTATED, world.organization_id, "once", REQUEST)
        other = api_keys.begin(tx, ROTATED, world.organization_id, "once", REQUEST + b" ")
    assert again is not None
    assert other is not None
    assert (again.same, other.same) == (True, False)


def test_approval_links_are_not_in_it(database: Database, world: World) -> None:
    hans, rita = world.member("Hans"), world.member("Rita")
    with database.transaction() as tx:
        for each in (hans, rita):
            approvals.wait_for(tx, world.organization_id, each)
        waiting = [approvals.waiting(tx, RING, each) for each in (hans, rita)]
    (link,) = {each[1] for each in waiting if each is not None}  # one for all who wait
    kept = str(world.everything(Organization))
    assert link not in kept
    with database.transaction() as tx:
        for ring in (RING, ROTATED):
            assert approvals.approver(tx, ring, link).organization_id == world.organization_id
        number = str(world.only(Organization).approval_token)
        guess = base64.urlsafe_b64encode(world.organization_id.bytes + b"\0" * 23).decode()
        for wrong in (
            "",
            number,
            guess,
            link[:-4],
            link[:-1] + ("A" if link[-1] != "A" else "B"),
            link + "AAAA",
            "é",
        ):
            with pytest.raises(NotFound):
                approvals.approver(tx, RING, wrong)
        with pytest.raises(NotFound):
            approvals.approver(tx, KeyRing((b"x" * 32,)), link)
    world.put(Organization, approval_token=None)
    with database.transaction() as tx, pytest.raises(NotFound):
        approvals.approver(tx, RING, link)
