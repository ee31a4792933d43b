"""Operators: members who see the page Operations. Nobody is one until a command says so."""

from dataclasses import asdict

from actions import operators
from commands.common import AsJson, Organization, actor, command, opened, reading, report, show
from commands.names import MemberAddress
from commands.tree import group
from commands.withdrawals import find
from db.access import operators as known

operator_app = group("operator")


@operator_app.command("list")
@command
def list_operators(as_json: AsJson = False) -> None:
    """All operators; "holds" is no for somebody who left or has another account since. Example: onbehalf operator list"""
    with reading() as tx:
        found = [asdict(each) for each in known.everyone(tx)]
    show(found, as_json=as_json, title="Operators", hide=["member_id"])


@operator_app.command("add")
@command
def add_operator(email: MemberAddress, organization: Organization = None, as_json: AsJson = False) -> None:
    """Let a member, who has signed in before, see the page Operations. Example: onbehalf operator add otto@globex.example"""
    with opened() as runtime:
        member_id = find(runtime, "member", email, organization)
        changed = operators.add_operator(runtime, member_id, actor=actor())
    said = f"{email} sees the page Operations now." if changed else f"{email} was an operator before."
    report(said, {"member_id": member_id, "operator": True, "changed": changed}, as_json=as_json)


@operator_app.command("remove")
@command
def remove_operator(email: MemberAddress, organization: Organization = None, as_json: AsJson = False) -> None:
    """Take the page Operations from a member again; they stay a member. Example: onbehalf operator remove otto@globex.example"""
    with opened() as runtime:
        member_id = find(runtime, "member", email, organization)
        changed = operators.remove_operator(runtime, member_id, actor=actor())
    said = f"{email} is no operator any more." if changed else f"{email} was no operator."
    report(said, {"member_id": member_id, "operator": False, "changed": changed}, as_json=as_json)
