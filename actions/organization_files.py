"""Import an organization file: its transaction, and then the wait until nothing can leave of what it set back to draft."""

from dataclasses import dataclass
from pathlib import Path

from actions import withdraw
from app.runtime import Runtime
from domain.withdrawal import WithdrawalResult
from importing.load import import_file
from importing.summary import ImportSummary


@dataclass(frozen=True, slots=True)
class Imported:
    """``withdrawal``: of the sequences that the file set back to draft; None: it set back none."""

    summary: ImportSummary
    withdrawal: WithdrawalResult | None


def import_and_wait(
    runtime: Runtime,
    path: Path,
    *,
    actor: str,
    organization: str | None = None,
    dry_run: bool = False,
    go_on: bool = False,
) -> Imported:
    """Import an organization file, as the settings say. Raises as it does."""
    settings = runtime.settings
    summary = import_file(
        runtime.database,
        path,
        organization=organization,
        actor=actor,
        default_domain=settings.default_mail_domain if settings.default_mail_url else "",
        dry_run=dry_run,
        go_on=go_on,
    )
    answer = None
    if summary.stopping:
        answer = withdraw.finish_withdrawal(runtime, summary.stopping, actor=actor)
    return Imported(summary, answer)
