"""A mailbox's access token for one delivery: read with it, refreshed by one worker at a time.

No token outlives its delivery, and we lock no row during a request to a provider: a disconnect never waits for a refresh, and
a late refresh writes nothing.
"""

import random
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

import counters
from db.core.crypto import KeyRing
from db.core.session import Database, DatabaseUnavailable, Transaction
from db.mailboxes import credentials
from db.mailboxes.credentials import Credential, SealedToken
from domain.errors import (
    ConsentMissing,
    MailboxDisconnected,
    OperatorMisconfigured,
    ProviderError,
    ProviderUnavailable,
    RefusalUnexplained,
    Throttled,
)
from transports.base import AccessToken
from transports.token_endpoint import TokenEndpoint, Tokens

log = structlog.get_logger()

REFRESH_BEFORE = timedelta(minutes=5)  # spread by 20 % either way, so that workers do not all refresh at once
USABLE_FOR = timedelta(seconds=60)  # enough for one delivery while another worker refreshes
HELD_FOR = 30.0  # seconds; half of the shortest remaining life of a token in use
WAIT_FOR_OTHERS = 10.0  # seconds
_POLL = 0.1
_NO_CLAIMS = "{}"  # a challenge that only asks for another token
# A flight holds a connection while a provider answers. A slow one must not use up a process's whole pool of 8.
_FLIGHTS = threading.BoundedSemaphore(4)


class StoredTokens:
    """``TokenSource`` over the credentials row of one mailbox. Made for one delivery. ``scopes``: what a refresh asks for."""

    def __init__(
        self,
        database: Database,
        ring: KeyRing,
        endpoint: TokenEndpoint,
        mailbox_id: UUID,
        scopes: Sequence[str],
        token: SealedToken | None = None,
    ) -> None:
        self._database, self._ring, self._endpoint = database, ring, endpoint
        self._mailbox_id, self._scopes = mailbox_id, scopes
        self._margin = REFRESH_BEFORE * (1 + random.uniform(-0.2, 0.2))  # noqa: S311 - guards nothing
        self.organization = "" if token is None else str(token.organization_id)
        self._held: AccessToken | None = None
        self._sealed: SealedToken | None = None
        self._read_again_at = 0.0
        if token is not None and token.expires_at - token.read_at > self._margin:
            self._sealed = token
            self._read_again_at = time.monotonic() + HELD_FOR

    def token(self, claims: str | None = None) -> AccessToken:
        """Return the delivery's token, read once. With ``claims``: not the last one, which was refused.

        Raises ``MailboxDisconnected``, ``Throttled`` and the other errors of ``TokenEndpoint.refresh``, and ``ProviderUnavailable`` if
        another worker's refresh takes too long or the database cannot be read.
        """
        if claims is None and time.monotonic() < self._read_again_at:
            if self._held is None and (token := self._sealed) is not None:
                value = credentials.open_access_token(
                    self._ring, token.organization_id, self._mailbox_id, token.ciphertext
                )
                self._held = AccessToken(value, token.expires_at)
            if self._held is not None:
                return self._held
        try:
            row = self._wait_for_token(claims)
        except DatabaseUnavailable as error:
            raise ProviderUnavailable(
                "The mailbox's token cannot be read.", code="database_unavailable"
            ) from error
        if row.access_token is None or row.access_expires_at is None:
            raise _disconnected()
        self._held = AccessToken(row.access_token, row.access_expires_at)
        self._read_again_at = time.monotonic() + HELD_FOR
        return self._held

    def _wait_for_token(self, claims: str | None) -> Credential:
        refused = self._held.value if claims is not None and self._held is not None else None
        # A challenge asks for a token issued after some event. One stored before this call may be older.
        too_old = -1
        ends_at = time.monotonic() + WAIT_FOR_OTHERS
        while True:
            with self._database.statement() as tx:
                row = self._read(tx)
            if claims not in {None, _NO_CLAIMS} and too_old < 0:
                too_old = row.version
            good = row.access_token != refused and row.version > too_old
            if good and _lasts(row, self._margin):
                return row
            if row.refresh_not_before is not None and row.refresh_not_before > row.read_at:
                if good and _lasts(row, USABLE_FOR):
                    return row
                raise self._asked_to_wait(row.refresh_not_before - row.read_at)
            try:
                renewed = self._refresh(row, claims)
            except Throttled as error:
                with self._database.statement() as tx:
                    credentials.hold_refresh(tx, self._mailbox_id, error.retry_after)
                if good and _lasts(row, USABLE_FOR):
                    return row
                raise
            if renewed is not None:
                return renewed
            if good and _lasts(row, USABLE_FOR):
                return row
            if time.monotonic() > ends_at:
                raise ProviderUnavailable(
                    "The mailbox's token is being renewed by another worker.", code="refresh_busy"
                )
            time.sleep(_POLL * random.uniform(0.5, 1.5))  # noqa: S311 - guards nothing

    def _read(self, tx: Transaction) -> Credential:
        row = credentials.load(tx, self._ring, self._mailbox_id)
        if row is None or row.refresh_token is None:
            raise _disconnected()
        return row

    def _refresh(self, row: Credential, claims: str | None) -> Credential | None:
        """Refresh and return the row if we get the flight. Returns None if another worker is refreshing or just has."""
        if not _FLIGHTS.acquire(blocking=False):
            return None
        try:
            # While the provider answers, this transaction holds the flight's lock but no row lock.
            with self._database.transaction() as tx:
                if not credentials.try_single_flight(tx, self._mailbox_id):
                    return None
                now = self._read(tx)
                if (now.version, now.epoch) != (row.version, row.epoch):
                    return None  # another worker has refreshed since
                return self._ask_and_store(tx, now, claims)
        except RefusalUnexplained as error:
            # Other mailboxes' answers tell whether the fault is this mailbox's or our app's. The first transaction has ended.
            with self._database.transaction() as tx:
                everybodys = credentials.refused_elsewhere(tx, self._mailbox_id, error.code)
            if everybodys:
                raise OperatorMisconfigured(self._endpoint.app_refused(error.code)) from error
            raise
        finally:
            _FLIGHTS.release()

    def _ask_and_store(self, tx: Transaction, row: Credential, claims: str | None) -> Credential | None:
        try:
            tokens = self._ask(row, claims)
        except MailboxDisconnected:
            # If the refresh token has been replaced, the refusal says nothing about the mailbox.
            moved = self._read(tx)
            if moved.version == row.version:
                raise
            row, tokens = moved, self._ask(moved, claims)
        stored = credentials.store_refreshed(
            tx,
            self._ring,
            row,
            access_token=tokens.access_token.value,
            expires_at=tokens.access_token.expires_at,
            refresh_token=tokens.refresh_token,
        )
        counters.TOKENS.labels("stored" if stored else "discarded").inc()
        log.info("token_refreshed" if stored else "new_token_discarded", mailbox_id=str(self._mailbox_id))
        # Read again: requests use only tokens from the row, under the row's epoch.
        return self._read(tx) if stored else None

    def _ask(self, row: Credential, claims: str | None) -> Tokens:
        if row.refresh_token is None:
            raise _disconnected()
        try:
            tokens = self._endpoint.refresh(
                row.refresh_token, row.tenant_id, claims=claims, scopes=self._scopes
            )
        except (ProviderError, OperatorMisconfigured) as error:
            counters.TOKENS.labels(type(error).__name__).inc()
            raise
        # If the answer names no scopes, they are unchanged (RFC 6749, section 5.1).
        if tokens.scopes and (missing := self._endpoint.missing_scopes(tokens.scopes, self._scopes)):
            raise ConsentMissing(
                f"{self._endpoint.shown} no longer grants {', '.join(sorted(missing))}.",
                code="scope_withdrawn",
            )
        return tokens

    def _asked_to_wait(self, rest: timedelta) -> Throttled:
        """Another process got this answer already. Asking anyway would only count against us."""
        return Throttled(
            f"{self._endpoint.shown}'s sign-in service asks us to wait a moment.",
            retry_after=rest,
            code="sign_in_waits",
            untaken=True,
        )


def _lasts(row: Credential, margin: timedelta) -> bool:
    expires_at = row.access_expires_at
    return row.access_token is not None and expires_at is not None and expires_at - row.read_at > margin


def _disconnected() -> MailboxDisconnected:
    return MailboxDisconnected("The mailbox is not connected.", code="not_connected")
