"""A mailbox's access token for one delivery: read with the row, refreshed by one worker at a time.

No token outlives the delivery it was read for, and no row is locked while Entra is asked: a disconnect never waits
for a refresh, and a refresh that comes late writes nothing.
"""

import random
import time
from datetime import timedelta
from uuid import UUID

import structlog

from db import credentials
from db.credentials import Credential
from db.crypto import KeyRing
from db.session import CommitUnknown, Database, DatabaseUnavailable
from domain.errors import MailboxDisconnected, ProviderUnavailable
from transports.base import AccessToken
from transports.entra import Entra, Tokens

log = structlog.get_logger()

REFRESH_BEFORE = timedelta(
    minutes=5
)  # spread by 20 % either way, so that a fleet does not refresh at once
USABLE_FOR = timedelta(
    seconds=60
)  # enough for one delivery, while somebody else refreshes
WAIT_FOR_OTHERS = 10.0  # seconds
_POLL = 0.1


class StoredTokens:
    """``TokenSource`` over the credentials row of one mailbox. Made for one delivery."""

    def __init__(
        self, database: Database, ring: KeyRing, entra: Entra, mailbox_id: UUID
    ) -> None:
        self._database, self._ring, self._entra = database, ring, entra
        self._mailbox_id = mailbox_id
        self._margin = REFRESH_BEFORE * (1 + random.uniform(-0.2, 0.2))  # noqa: S311 - spreads load, guards nothing
        self._given = -1  # the version of the row whose token was given out last

    def token(self, claims: str | None = None) -> AccessToken:
        """The token of this moment. With ``claims``: one newer than the last one given.

        Raises ``MailboxDisconnected`` and the other kinds of ``Entra.refresh``, and ``ProviderUnavailable`` when
        somebody else's refresh takes too long or the database cannot be read.
        """
        refused = self._given if claims is not None else None
        ends_at = time.monotonic() + WAIT_FOR_OTHERS
        try:
            while True:
                row = self._load()
                if _lasts(row, self._margin) and row.version != refused:
                    return self._give(row)
                renewed = self._refresh(row, claims)
                if renewed is not None:
                    return self._give(renewed)
                if _lasts(row, USABLE_FOR) and row.version != refused:
                    return self._give(row)
                if time.monotonic() > ends_at:
                    raise ProviderUnavailable(
                        "The mailbox's token is being renewed by another worker.",
                        code="refresh_busy",
                    )
                time.sleep(_POLL * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, guards nothing
        except (DatabaseUnavailable, CommitUnknown) as error:
            raise ProviderUnavailable(
                "The mailbox's token cannot be read.", code="database_unavailable"
            ) from error

    def _give(self, row: Credential) -> AccessToken:
        if row.access_token is None or row.access_expires_at is None:
            raise _disconnected()
        self._given = row.version
        return AccessToken(row.access_token, row.access_expires_at)

    def _load(self) -> Credential:
        with self._database.transaction() as tx:
            row = credentials.load(tx, self._ring, self._mailbox_id)
        if row is None or row.refresh_token is None:
            raise _disconnected()
        return row

    def _refresh(self, row: Credential, claims: str | None) -> Credential | None:
        """The row with new tokens, when the flight is ours. None: somebody else is at it, or has been."""
        with self._database.transaction() as flight:
            if not credentials.try_single_flight(flight, self._mailbox_id):
                return None
            # Whoever held the lock before may have renewed the row since it was read.
            now = self._load()
            if (now.version, now.epoch) != (row.version, row.epoch):
                return None
            try:
                tokens = self._ask(now, claims)
            except MailboxDisconnected:
                # A refresh token that was replaced meanwhile says nothing about the mailbox.
                moved = self._load()
                if moved.version == now.version:
                    raise
                now, tokens = moved, self._ask(moved, claims)
            return self._store(now, tokens)

    def _ask(self, row: Credential, claims: str | None) -> Tokens:
        if row.refresh_token is None:
            raise _disconnected()
        return self._entra.refresh(row.refresh_token, row.tenant_id, claims=claims)

    def _store(self, row: Credential, tokens: Tokens) -> Credential | None:
        with self._database.transaction() as tx:
            stored = credentials.store_refreshed(
                tx,
                self._ring,
                row,
                access_token=tokens.access_token.value,
                expires_at=tokens.access_token.expires_at,
                refresh_token=tokens.refresh_token,
            )
        log.info(
            "token_refreshed" if stored else "refreshed_token_discarded",
            mailbox_id=str(self._mailbox_id),
        )
        # What was stored is read again: a token reaches a request only out of the row, under the row's epoch.
        return self._load() if stored else None


def _lasts(row: Credential, margin: timedelta) -> bool:
    expires_at = row.access_expires_at
    return (
        row.access_token is not None
        and expires_at is not None
        and expires_at - row.read_at > margin
    )


def _disconnected() -> MailboxDisconnected:
    return MailboxDisconnected("The mailbox is not connected.", code="not_connected")
