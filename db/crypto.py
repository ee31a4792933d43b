"""Secrets at rest: AES-256-GCM under a ring of keys, each text bound to its organization, mailbox and column.

A ciphertext is: format (1 byte), key id (8), nonce (12), then AES-GCM's output. The associated data makes a value
copied into another row or column unreadable there.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.audit import Keys
from domain.errors import OperatorMisconfigured

_FORMAT = b"\x01"
_ID, _NONCE, _TAG = 8, 12, 16


class Unreadable(OperatorMisconfigured):
    """A stored secret cannot be decrypted. Ours to mend: the mailbox is not to blame."""


class KeyMissing(Unreadable):
    """It was encrypted under a key that SECRET_KEYS does not hold any more."""


class Tampered(Unreadable):
    """The key is here, but the value was changed, cut off, or belongs to another row."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret is stored."""

    organization_id: UUID
    mailbox_id: UUID
    column: str

    def associated_data(self) -> bytes:
        """Unambiguous: two fixed lengths, then the rest."""
        return self.organization_id.bytes + self.mailbox_id.bytes + self.column.encode()


@dataclass(frozen=True, slots=True)
class _Key:
    id: bytes
    cipher: AESGCM = field(repr=False)
    master: bytes = field(repr=False)


class KeyRing:
    """``keys``: 32 bytes each, newest first. The newest encrypts, all decrypt."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        if not keys or any(len(key) != 32 for key in keys):
            raise OperatorMisconfigured("SECRET_KEYS must hold one or more keys of 32 bytes each.")
        ring = [_derive(key) for key in keys]
        self._keys = {key.id: key for key in ring}
        self.newest_id = ring[0].id
        self.audit = audit_keys(keys)

    def encrypt(self, secret: str, place: Place) -> bytes:
        """Under the newest key."""
        nonce = os.urandom(_NONCE)
        sealed = self._keys[self.newest_id].cipher.encrypt(nonce, secret.encode(), place.associated_data())
        return _FORMAT + self.newest_id + nonce + sealed

    def decrypt(self, sealed: bytes, place: Place) -> str:
        """Raises ``KeyMissing`` or ``Tampered``."""
        key = self._keys.get(self.key_id_of(sealed))
        if key is None:
            raise KeyMissing(
                f"A stored token needs a key that SECRET_KEYS does not hold (id {self.key_id_of(sealed).hex()})."
                " Put the old key back at the end of the list."
            )
        start = len(_FORMAT) + _ID
        nonce, rest = sealed[start : start + _NONCE], sealed[start + _NONCE :]
        try:
            return key.cipher.decrypt(nonce, rest, place.associated_data()).decode()
        except (InvalidTag, UnicodeDecodeError) as error:
            raise Tampered("A stored token was changed or moved; connect the mailbox again.") from error

    def codes(self, purpose: str, text: bytes) -> list[bytes]:
        """What proves that ``text`` is ours (HMAC-SHA256), under each key, the newest first. Each purpose has keys of its own.

        What was made under an older key is still known by it, and nothing is once that key is taken out.
        """
        label = b"onbehalf: " + purpose.encode()
        derived = [hmac.digest(key.master, label, hashlib.sha256) for key in self._keys.values()]
        return [hmac.digest(key, text, hashlib.sha256) for key in derived]

    def proves(self, purpose: str, text: bytes, code: bytes) -> bool:
        """Was ``code`` made for ``text`` under one of the keys?"""
        return any(hmac.compare_digest(code, each) for each in self.codes(purpose, text))

    @staticmethod
    def key_id_of(sealed: bytes) -> bytes:
        """The id of the key a ciphertext needs. Raises ``Tampered`` if it is no ciphertext of ours."""
        if len(sealed) < len(_FORMAT) + _ID + _NONCE + _TAG or sealed[:1] != _FORMAT:
            raise Tampered("A stored token is not in our format; connect the mailbox again.")
        return sealed[1 : 1 + _ID]


def _derive(key: bytes) -> _Key:
    # SECRET_KEYS also derives markers and signs links: each use gets a key of its own.
    derived = hmac.new(key, b"onbehalf: secrets at rest", hashlib.sha256).digest()
    return _Key(hashlib.sha256(b"key id:" + derived).digest()[:_ID], AESGCM(derived), key)


def audit_keys(keys: tuple[bytes, ...]) -> Keys:
    """The keys of the audit chains. ``keys``: the ring's, newest first; each use of one has a key of its own."""
    derived = [
        HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"onbehalf: audit").derive(key)
        for key in keys
    ]
    ids = [hashlib.sha256(b"key id:" + each).hexdigest()[: 2 * _ID] for each in derived]
    return Keys(ids[0], dict(zip(ids, derived, strict=True)))
