"""What a database that cannot be used says itself, without secrets: the server's words, or libpq's where it does not answer."""

import re

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_LONGEST = 300
_NO_NAME = "Name or service not known|No address associated|nodename nor servname"
# libpq gives a refused connection no SQLSTATE. Servers that speak another language are waited for, as if they were away.
_WRONG = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|pg_hba\.conf rejects|permission denied for database"
    r"|(role|database|user) \".*\" (does not exist|is not permitted to log in|is not currently accepting connections)"
    rf"|{_NO_NAME}"
    r"|does not support SSL|certificate|private key|invalid .* value|could not load|unsupported"
)


def reason(error: DBAPIError | PoolTimeout, password: str | None) -> str:
    """Return the reason in one line. ``password``: never quoted, whatever the text says."""
    if isinstance(error, PoolTimeout):
        return "all connections of this process are in use"
    cause = error.orig
    if not isinstance(cause, psycopg.Error):
        return type(cause).__name__
    if cause.sqlstate is not None and cause.diag.message_primary:
        # Of what ends a transaction: timeouts, deadlocks, shutdowns. These texts quote no rows.
        said = f"{cause.diag.severity or 'ERROR'}: {cause.diag.message_primary}"
    else:
        said = _of_libpq(str(cause))
    return (said.replace(password, "***") if password else said)[:_LONGEST]


def is_wrong(reason: str) -> bool:
    """Does waiting not help, because a setting is wrong or the server refuses it? Of several hosts: all of them."""
    return all(_WRONG.search(each) for each in reason.split("; "))


def is_unnamed(reason: str) -> bool:
    """Has a host no address at present? In a network of containers, names come and go with their containers."""
    return re.search(_NO_NAME, reason) is not None


def _of_libpq(text: str) -> str:
    """Return what each attempt failed by, each once."""
    found = []
    for line in text.splitlines():
        attempt = line.rpartition(" failed: ")[2].removeprefix("connection failed: ")
        # An indented line is advice; the summary of several hosts repeats the last of them.
        if line.strip() and not line.startswith(("\t", "Multiple ", "Either ")):
            found.append(" ".join(attempt.split()))
    return "; ".join(dict.fromkeys(found)) or "no answer"
