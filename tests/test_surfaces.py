"""What people can do on pages, programs can by the API and operators by the command line: one action behind all three.

Whatever one of them lacks is named below, with why. A new action that only pages call fails here.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

NO_COMMAND = {
    # Reading a conversation and answering in it takes a page or a program.
    "by_hand.choices", "by_hand.write", "conversation.as_json", "conversation.load", "conversation.theirs", "messages.classify", "messages.handle",
    # An operator proves nobody's identity: members sign in, candidates open their link, owners confirm by themselves.
    "sign_in.begin_sign_in", "sign_in.begin_connect", "sign_in.begin_approval", "sign_in.finish", "sign_in.wait_for_approval",
    "opt_outs.opt_out", "grants.confirm_grant",
    # `onbehalf import people` reads the file by itself: it needs no worker, and shows no page meanwhile.
    "people_imports.upload", "people_imports.one", "people_imports.check_again", "people_imports.confirm", "people_imports.left_out",
    # An operator vouches for a domain (`organization verify-domain`); `mailbox smtp` saves, and `mailbox activate` tests.
    "sender_addresses.records", "smtp.save_and_test", "smtp.check_microsoft_server",
    # `onbehalf api-key make|end` writes what these do in the name of a member.
    "programs.make_key", "programs.end_key",
    # `onbehalf audit verify` does it at once, without a worker.
    "audit_trail.verify",
    # `onbehalf email approve` shows and approves one; a shell repeats it.
    "approvals.approve_several",
    # A page that is drawn within its own transaction; the command asks `preview_activation`.
    "activation.preview_of", "resume.previews_of", "resume.resume_together", "planned.too_late",
}  # fmt: skip
NO_API = {
    # Only a person gives a permission in their own name, by signing in.
    "grants.give_grant", "grants.confirm_grant", "grants.accept_request", "grants.decline_request",
    "sign_in.begin_sign_in", "sign_in.begin_connect", "sign_in.begin_approval", "sign_in.finish", "sign_in.wait_for_approval",
    "opt_outs.opt_out",
    # Nor does a program put emails under a person's name: whoever is asked takes over by themselves.
    "handovers.accept", "handovers.decline",
    # A key makes no key.
    "programs.make_key", "programs.end_key",
    # What cannot be taken back, or overrules a rule, takes a person who is signed in.
    "people.foresee", "people.erase", "people.export", "opt_outs.confirm", "overrule.overrule",
    # Mail that is nobody's shows more than a program needs to read.
    "unassigned.assign", "unassigned.make_candidate", "unassigned.discard",
    # The API has it in another call: `classify` handles too, an upload of one row adds one person, and its answer has what is left out.
    "messages.handle", "people_imports.add", "people_imports.left_out", "suppressions.foresee",
    # A rule of the organization, which its admins set on the page.
    "people_imports.set_days",
    # Pages alone need them, to draw what the API answers with.
    "activation.preview_of", "by_hand.choices", "planned.too_late", "resume.previews_of", "resume.resume_together",
    "sender_addresses.records", "smtp.check_microsoft_server", "webhooks.said",
    # The web process makes its own keys of its host's, where all processes have the same variables.
    "keys.of_web",
}  # fmt: skip


def called(path: Path) -> Iterator[str]:
    """The actions that a module calls, as ``module.function``."""
    tree = ast.parse(path.read_text())
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "actions":
            modules |= {each.asname or each.name: each.name for each in node.names}
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("actions."):
            module = str(node.module).removeprefix("actions.")
            yield from (f"{module}.{each.name}" for each in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield f"{modules[node.value.id]}.{node.attr}"


def verbs() -> set[str]:
    """Every public function of ``actions/``."""
    return {
        f"{path.stem}.{node.name}"
        for path in (ROOT / "actions").glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def surfaces() -> tuple[set[str], set[str], set[str]]:
    """What pages, the API and the command line call."""
    of_api = set((ROOT / "web").glob("api*.py"))
    pages = set((ROOT / "web").glob("*.py")) - of_api
    known = verbs()
    web, api, commands = (
        {verb for path in paths for verb in called(path)} & known
        for paths in (pages, of_api, set((ROOT / "commands").glob("*.py")))
    )
    return web, api, commands


def test_the_command_line_can_do_what_pages_and_programs_can() -> None:
    web, api, commands = surfaces()
    assert (web | api) - commands == NO_COMMAND


def test_programs_can_do_what_pages_can() -> None:
    web, api, _ = surfaces()
    assert web - api == NO_API
