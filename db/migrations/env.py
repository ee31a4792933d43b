"""Runs migrations: one at a time over all hosts, and never waiting long for a lock that live work holds."""

import re

from alembic import context
from sqlalchemy import pool, text

from db.core.session import open_engine
from db.schema import (
    access_models,
    delivery_models,
    equal_nulls,
    hold_models,
    import_models,
    inbox_models,
    listening_models,
    notice_models,
    number_models,
    operation_models,
    privileges,
    process_models,
    sequence_models,
)
from db.schema.models import metadata

_ADVISORY_LOCK = 7_266_242_535_031  # any constant: "onbehalf migrations"
_PARTITION = re.compile(r"audit_entries_(default|\d{4}_\d{2})")

assert access_models.sessions.metadata is delivery_models.deliveries.metadata is metadata
assert sequence_models.sequences.metadata is listening_models.mailbox_reads.metadata is metadata
assert inbox_models.received_mail.metadata is metadata
assert import_models.people_imports.metadata is metadata
assert notice_models.notice_channels.metadata is metadata
assert operation_models.operators.metadata is metadata
assert process_models.processes.metadata is metadata
assert hold_models.holds.metadata is metadata
assert number_models.numbers_counts.metadata is metadata

engine = open_engine(
    context.config.attributes["database_url"],
    application="onbehalf-migrate",
    session={},
    poolclass=pool.NullPool,
)
with engine.connect() as connection:
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _ADVISORY_LOCK})
    connection.execute(text("SET lock_timeout = '5s'"))
    server_version: int = connection.execute(
        text("SELECT current_setting('server_version_num')::int")
    ).scalar_one()
    privileges.make_roles(connection)
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        # Partitions come and go with the months; the table they belong to is compared.
        include_name=lambda name, kind, _: kind != "table" or not _PARTITION.fullmatch(name or ""),
        include_object=lambda _, name, kind, *__: (
            kind != "index" or equal_nulls.comparable(name, server_version)
        ),
    )
    with context.begin_transaction():
        context.run_migrations()
    present = context.get_context().get_current_revision()
    if present is not None and present == context.script.get_current_head():
        # Every time, so that nothing given by hand stays and no new table is forgotten.
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        privileges.give(connection)
        connection.commit()
    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _ADVISORY_LOCK})
    connection.commit()
