"""Secrets at rest: AES-256-GCM under a ring of keys, each secret bound to its organization, mailbox and column.

A ciphertext is: format (1 byte), key id (8), nonce (12), then AES-GCM's output. The associated data makes a value
unreadable when copied into another row or column.

The web process has no such key. It seals to the workers' public key (``Seal``: HPKE, RFC 9180, base mode, with X25519,
HKDF-SHA256 and AES-256-GCM) and cannot open the result: format (1 byte), key id (8), then HPKE's output, with the place
as its ``info``. It has keys of its own (``KeyRing.web_keys``) for the codes it must verify. All keys derive from
SECRET_KEYS and rotate with them.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.audit import Keys
from domain.errors import OperatorMisconfigured

_FORMAT, _SEALED = b"\x01", b"\x02"
_ID, _NONCE, _TAG, _PUBLIC = 8, 12, 16, 32
_SHORTEST = {_FORMAT: 1 + _ID + _NONCE + _TAG, _SEALED: 1 + _ID + _PUBLIC + _TAG}
_HPKE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class Unreadable(OperatorMisconfigured):
    """A stored secret cannot be decrypted. That is ours to fix; the mailbox is not at fault."""


class KeyMissing(Unreadable):
    """The secret's key is no longer in SECRET_KEYS."""


class Tampered(Unreadable):
    """The key is available, but the value was altered, truncated, or belongs to another row."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret is stored. ``mailbox_id``: or the id of the row that holds it."""

    organization_id: UUID
    mailbox_id: UUID
    column: str

    def associated_data(self) -> bytes:
        """Encode the place unambiguously: two fixed lengths, then the rest."""
        return self.organization_id.bytes + self.mailbox_id.bytes + self.column.encode()


class Sealer(Protocol):
    """Encrypts secrets; may be unable to decrypt them."""

    def encrypt(self, secret: str, place: Place) -> bytes:
        """Return the ciphertext to store."""

    def encrypt_bytes(self, secret: bytes, place: Place) -> bytes:
        """The same for what is no text."""


class Seal:
    """The workers' public key, preceded by its id: the only one of their keys that the web process has."""

    def __init__(self, public_key: bytes) -> None:
        if len(public_key) != _ID + _PUBLIC:
            raise OperatorMisconfigured(
                f"SEALING_PUBLIC_KEY must hold {_ID + _PUBLIC} bytes. Print it where SECRET_KEYS is: onbehalf keys web"
            )
        self._id = public_key[:_ID]
        self._key = X25519PublicKey.from_public_bytes(public_key[_ID:])

    def encrypt(self, secret: str, place: Place) -> bytes:
        """Encrypt so that only workers can decrypt."""
        return self.encrypt_bytes(secret.encode(), place)

    def encrypt_bytes(self, secret: bytes, place: Place) -> bytes:
        """The same for what is no text."""
        return _SEALED + self._id + _HPKE.encrypt(secret, self._key, info=_info(place))


@dataclass(frozen=True, slots=True)
class _Key:
    id: bytes
    cipher: AESGCM = field(repr=False)
    master: bytes = field(repr=False)
    private: X25519PrivateKey = field(repr=False)


class KeyRing:
    """Keys of 32 bytes each, newest first. The newest encrypts; all decrypt."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        if not keys or any(len(key) != 32 for key in keys):
            raise OperatorMisconfigured("SECRET_KEYS must hold one or more keys of 32 bytes each.")
        ring = [_derive(key) for key in keys]
        self._keys = {key.id: key for key in ring}
        self.newest_id = ring[0].id
        self.audit = audit_keys(keys)

    def encrypt(self, secret: str, place: Place) -> bytes:
        """Encrypt under the newest key."""
        return self.encrypt_bytes(secret.encode(), place)

    def encrypt_bytes(self, secret: bytes, place: Place) -> bytes:
        """The same for what is no text."""
        nonce = os.urandom(_NONCE)
        sealed = self._keys[self.newest_id].cipher.encrypt(nonce, secret, place.associated_data())
        return _FORMAT + self.newest_id + nonce + sealed

    def decrypt(self, sealed: bytes, place: Place) -> str:
        """Decrypt. Raises ``KeyMissing`` or ``Tampered``."""
        try:
            return self.decrypt_bytes(sealed, place).decode()
        except UnicodeDecodeError as error:
            raise Tampered("A stored token was changed or moved; connect the mailbox again.") from error

    def decrypt_bytes(self, sealed: bytes, place: Place) -> bytes:
        """The same for what is no text."""
        key = self._keys.get(self.key_id_of(sealed))
        if key is None:
            raise KeyMissing(
                f"A stored token needs a key that SECRET_KEYS does not hold (id {self.key_id_of(sealed).hex()})."
                " Put the old key back at the end of the list."
            )
        rest = sealed[1 + _ID :]
        try:
            if sealed[:1] == _SEALED:
                return _HPKE.decrypt(rest, key.private, info=_info(place))
            return key.cipher.decrypt(rest[:_NONCE], rest[_NONCE:], place.associated_data())
        except InvalidTag as error:
            raise Tampered("A stored token was changed or moved; connect the mailbox again.") from error

    def codes(self, purpose: str, text: bytes) -> list[bytes]:
        """Return codes (HMAC-SHA256) that prove ``text`` is ours, one per key, newest first. Each purpose has its own keys.

        A code made under an older key verifies until that key is removed.
        """
        label = b"onbehalf: " + purpose.encode()
        derived = [hmac.digest(key.master, label, hashlib.sha256) for key in self._keys.values()]
        return [hmac.digest(key, text, hashlib.sha256) for key in derived]

    def proves(self, purpose: str, text: bytes, code: bytes) -> bool:
        """Was ``code`` made for ``text`` under one of the keys?"""
        return any(hmac.compare_digest(code, each) for each in self.codes(purpose, text))

    @property
    def ids(self) -> list[bytes]:
        """The keys' ids, newest first."""
        return list(self._keys)

    @property
    def public_key(self) -> bytes:
        """The newest key's public half, with which the web process seals."""
        return self.newest_id + self._keys[self.newest_id].private.public_key().public_bytes_raw()

    def web_keys(self) -> tuple[bytes, ...]:
        """Derive the web process's own keys, newest first. They reveal nothing about the ring's keys."""
        return tuple(_derived(key.master, b"onbehalf: web") for key in self._keys.values())

    @staticmethod
    def key_id_of(sealed: bytes) -> bytes:
        """Return the id of the key that a ciphertext needs. Raises ``Tampered`` if the format is not ours."""
        if len(sealed) < _SHORTEST.get(sealed[:1], len(sealed) + 1):
            raise Tampered("A stored token is not in our format; connect the mailbox again.")
        return sealed[1 : 1 + _ID]


def _derive(key: bytes) -> _Key:
    # SECRET_KEYS also derives correlation ids and signs links. Each use gets its own key.
    derived = hmac.new(key, b"onbehalf: secrets at rest", hashlib.sha256).digest()
    private = X25519PrivateKey.from_private_bytes(_derived(key, b"onbehalf: sealing"))
    return _Key(hashlib.sha256(b"key id:" + derived).digest()[:_ID], AESGCM(derived), key, private)


def _derived(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(key)


def _info(place: Place) -> bytes:
    return b"onbehalf: sealed" + place.associated_data()


def audit_keys(keys: tuple[bytes, ...]) -> Keys:
    """Derive the keys of the audit chains from the ring's ``keys``, newest first. Each use has its own key."""
    derived = [_derived(key, b"onbehalf: audit") for key in keys]
    ids = [hashlib.sha256(b"key id:" + each).hexdigest()[: 2 * _ID] for each in derived]
    return Keys(ids[0], dict(zip(ids, derived, strict=True)))
