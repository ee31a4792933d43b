"""A file may still use the old addresses of mailboxes and members that Microsoft has renamed."""

from collections.abc import Mapping
from dataclasses import replace

from importing.organization_specs import OrganizationSpec


def under_new_names(spec: OrganizationSpec, names: Mapping[str, str]) -> OrganizationSpec:
    """Replace former addresses with current ones. ``names``: former -> current address."""
    if not names:
        return spec

    def now(address: str) -> str:
        return names.get(address, address)

    return replace(
        spec,
        members=tuple(replace(each, email=now(each.email)) for each in spec.members),
        mailboxes=tuple(
            replace(each, address=now(each.address), owner=now(each.owner)) for each in spec.mailboxes
        ),
        grants=tuple(
            replace(each, mailbox=now(each.mailbox), to=None if each.to is None else now(each.to))
            for each in spec.grants
        ),
        sequences=tuple(
            replace(
                each,
                owner=now(each.owner),
                send_from=None if each.send_from is None else now(each.send_from),
            )
            for each in spec.sequences
        ),
    )
