"""A unique index to which two nulls are equal, on every PostgreSQL that we support."""

_NAMES = ("uq_grants_active", "uq_mailboxes_sender_address")  # of all there are
_NO_ID = "00000000-0000-0000-0000-000000000000"  # stands for null; no row has it


def create(index: str, table: str, columns: tuple[str, str], where: str) -> str:
    """Return SQL that makes the index. The second column is a uuid that may be null. PostgreSQL 14 knows no such index."""
    first, second = columns
    return f"""
        DO $$ BEGIN
            IF current_setting('server_version_num')::int >= 150000 THEN
                EXECUTE $made$CREATE UNIQUE INDEX {index} ON {table} ({first}, {second}) NULLS NOT DISTINCT WHERE {where}$made$;
            ELSE
                CREATE UNIQUE INDEX {index} ON {table} ({first}, coalesce({second}, '{_NO_ID}')) WHERE {where};
            END IF;
        END $$;
    """


def comparable(name: str | None, server_version: int) -> bool:
    """Can the database's index of this name be compared with the table's? By an expression, it cannot. ``server_version``: as 140023."""
    return name not in _NAMES or server_version >= 150000
