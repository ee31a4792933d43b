"""An encrypted secret can be decrypted with a key of the ring in its own row and column, and nowhere else."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.core.crypto import KeyMissing, KeyRing, Place, Seal, Tampered, Unreadable
from domain.errors import OperatorMisconfigured

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
HERE = Place(UUID(int=1), UUID(int=2), "refresh_token")


@given(st.text())
def test_what_goes_in_comes_out(secret: str) -> None:
    ring = KeyRing((NEW,))
    assert (
        ring.decrypt(ring.encrypt(secret.encode("utf-8", "ignore").decode(), HERE), HERE)
        == secret.encode("utf-8", "ignore").decode()
    )


def test_the_same_secret_never_looks_the_same() -> None:
    ring = KeyRing((NEW,))
    assert ring.encrypt("secret", HERE) != ring.encrypt("secret", HERE)
    assert b"secret" not in ring.encrypt("secret", HERE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place(UUID(int=9), UUID(int=2), "refresh_token"),
        Place(UUID(int=1), UUID(int=9), "refresh_token"),
        Place(UUID(int=1), UUID(int=2), "access_token"),
    ],
)
def test_a_value_moved_to_another_row_or_column_is_refused(elsewhere: Place) -> None:
    ring = KeyRing((NEW,))
    with pytest.raises(Tampered):
        ring.decrypt(ring.encrypt("secret", HERE), elsewhere)


def test_each_byte_counts() -> None:
    ring = KeyRing((NEW,))
    sealed = ring.encrypt("secret", HERE)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Unreadable):
            ring.decrypt(bytes(changed), HERE)


@pytest.mark.parametrize("length", range(45))
def test_a_value_cut_off_is_refused(length: int) -> None:
    ring = KeyRing((NEW,))
    with pytest.raises(Unreadable):
        ring.decrypt(ring.encrypt("secret!!", HERE)[:length], HERE)


def test_old_keys_read_and_the_newest_writes() -> None:
    old = KeyRing((OLD,)).encrypt("secret", HERE)
    ring = KeyRing((NEW, OLD))
    assert ring.decrypt(old, HERE) == "secret"
    new = ring.encrypt("secret", HERE)
    assert KeyRing.key_id_of(new) == ring.newest_id != KeyRing.key_id_of(old)
    assert KeyRing((NEW,)).decrypt(new, HERE) == "secret"


def test_without_its_key_it_says_which_one_and_never_blames_the_mailbox() -> None:
    old = KeyRing((OLD,)).encrypt("secret", HERE)
    with pytest.raises(KeyMissing) as raised:
        KeyRing((NEW, OTHER)).decrypt(old, HERE)
    assert KeyRing.key_id_of(old).hex() in str(raised.value)
    assert isinstance(raised.value, OperatorMisconfigured)


def test_the_same_key_twice_is_one_key() -> None:
    ring = KeyRing((NEW, NEW))
    assert ring.decrypt(ring.encrypt("secret", HERE), HERE) == "secret"


@pytest.mark.parametrize("keys", [(), (b"short",), (NEW, b"x" * 31)])
def test_a_ring_needs_whole_keys(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(OperatorMisconfigured):
        KeyRing(keys)


def test_no_key_shows_in_a_repr() -> None:
    ring = KeyRing((NEW,))
    assert "nnnn" not in repr(ring) + repr(vars(ring))


def test_a_code_proves_its_text_under_any_key_of_the_ring_and_for_its_purpose_only() -> None:
    before, rotated = KeyRing((OLD,)), KeyRing((NEW, OLD))
    code = before.codes("hooks", b"mailbox")[0]
    assert rotated.proves("hooks", b"mailbox", code)
    assert rotated.codes("hooks", b"mailbox")[0] != code
    assert not rotated.proves("links", b"mailbox", code)
    assert not rotated.proves("hooks", b"mailboy", code)
    assert not KeyRing((NEW,)).proves("hooks", b"mailbox", code)


def test_what_is_sealed_to_the_public_key_only_the_ring_opens_and_only_in_its_place() -> None:
    ring = KeyRing((NEW, OLD))
    sealed = Seal(ring.public_key).encrypt("secret", HERE)
    assert ring.decrypt(sealed, HERE) == "secret"
    assert KeyRing.key_id_of(sealed) == ring.newest_id
    assert sealed != Seal(ring.public_key).encrypt("secret", HERE)
    with pytest.raises(Tampered):
        ring.decrypt(sealed, replace(HERE, column="another"))
    for cut in (sealed[:-1], sealed[:40], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(Tampered):
            ring.decrypt(cut, HERE)
    with pytest.raises(KeyMissing):
        KeyRing(ring.web_keys()).decrypt(sealed, HERE)


def test_what_was_sealed_to_an_older_key_stays_readable_while_that_key_is_there() -> None:
    old = Seal(KeyRing((OLD,)).public_key).encrypt("secret", HERE)
    assert KeyRing((NEW, OLD)).decrypt(old, HERE) == "secret"
    with pytest.raises(KeyMissing):
        KeyRing((NEW,)).decrypt(old, HERE)


def test_a_public_key_that_is_none_is_refused() -> None:
    with pytest.raises(OperatorMisconfigured, match="SEALING_PUBLIC_KEY must hold 40 bytes"):
        Seal(b"x" * 32)


def test_the_web_processs_keys_turn_with_the_workers_and_are_none_of_theirs() -> None:
    before, rotated = KeyRing((OLD,)), KeyRing((NEW, OLD))
    assert rotated.web_keys()[1:] == before.web_keys()
    assert not {NEW, OLD} & set(rotated.web_keys())
