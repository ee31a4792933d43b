"""The PowerShell that limits the application to some mailboxes is one text: on the page, in the command and in docs/microsoft.md."""

from pathlib import Path

from domain.connection import SCOPES, Provider
from domain.exchange_scopes import PERMISSIONS, powershell

DOCS = Path(__file__).parents[2] / "docs" / "microsoft.md"


def test_the_guide_shows_the_same_commands() -> None:
    shown = DOCS.read_text().partition("```powershell\n")[2].partition("```")[0]
    assert shown == powershell("APPLICATION-ID")


def test_it_grants_what_a_mailbox_needs_and_no_more() -> None:
    assert {each.lower() for each in PERMISSIONS} == SCOPES[Provider.TENANT]
    assigned = [line for line in powershell("id").splitlines() if line.startswith("New-ManagementRole")]
    assert len(assigned) == len(PERMISSIONS)
    assert all("-CustomResourceScope" in each for each in assigned)
