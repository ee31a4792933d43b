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
    """Import a ``.yaml`` organization file; ``importing/people.py`` imports people.

    ``organization``: the only one that the file may contain. ``go_on``: people who finished a sequence get the steps the
    file adds. ``dry_run``: do everything, then roll back. ``default_domain``: of the default mail service. The caller
    must drain ``ImportSummary.stopping`` (``actions/organization_files.py``). Raises ``InvalidInput``
    (``ImportRejected``), ``NotFound``.
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
