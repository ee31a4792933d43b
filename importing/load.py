"""Load an organization file into the database, in one transaction: all of it, or nothing."""

from pathlib import Path

from db.core.session import Database
from importing.files import read_file
from importing.organization_file import read_organization_file
from importing.organizations import Organizations, check_bound
from importing.problems import ImportRejected, Problem
from importing.summary import ImportSummary
from importing.tree import MAX_SIZE

ORGANIZATION_SUFFIXES = (".yaml", ".yml")


def import_file(
    database: Database,
    path: Path,
    *,
    organization: str | None = None,
    actor: str,
    default_domain: str = "",
    dry_run: bool = False,
    go_on: bool = False,
) -> ImportSummary:
    """Import a ``.yaml`` organization file; people are imported by ``importing/people.py``.

    ``organization``: the file may hold this one alone. ``go_on``: people who had finished a sequence get what the file adds to
    it. ``dry_run``: everything is done and taken back. ``default_domain``: of the default mail service. Whoever imports has to
    wait for ``ImportSummary.stopping`` (``actions/organization_files.py``). Raises ``InvalidInput`` (``ImportRejected``),
    ``NotFound``.
    """
    raw = read_file(path, max_bytes=MAX_SIZE)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportRejected(
            str(path), [Problem(0, 0, f"it is not UTF-8 (byte {error.start})", "Save it as UTF-8.")]
        ) from None
    specs = read_organization_file(str(path), text)
    if organization is not None:
        check_bound(str(path), specs, organization)
    with database.transaction() as tx:
        summary = Organizations(tx, str(path), actor, default_domain, go_on=go_on).load(specs)
        if dry_run:
            tx.rollback()
            summary.stopping.clear()
    return summary
