"""What people can do on pages, programs can by the API and operators by the command line: one action behind all three.

Whatever one of them lacks is named below, with why. A new action that only pages call fails here.
"""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from db.core.statements import Statement

ROOT = Path(__file__).parents[1]

NO_COMMAND = {
    # Lists and single messages: `onbehalf inbox list`, `candidate messages` and `inbox overrule` say and decide it.
    "conversation.theirs", "messages.classify",
    # An operator proves nobody's identity: members sign in, candidates open their link, owners confirm by themselves.
    "sign_in.begin_sign_in", "sign_in.begin_connect", "sign_in.begin_approval", "sign_in.finish", "sign_in.wait_for_approval",
    "opt_outs.opt_out", "grants.confirm_grant", "approvals.approve_first", "approvals.ask_for_first",
    # Only members let their own mailbox be used, as the account that signed in; an administrator consents at Microsoft.
    "sign_in.begin_consent", "tenant.join",
    # `onbehalf import people` reads the file by itself: it needs no worker, and shows no page meanwhile.
    "people_imports.upload", "people_imports.one", "people_imports.check_again", "people_imports.confirm", "people_imports.left_out",
    # An operator vouches for a domain (`organization verify-domain`); `mailbox smtp` saves, and `mailbox activate` tests.
    "sender_addresses.records", "smtp.save_and_test", "smtp.check_microsoft_server",
    # `onbehalf mailbox add` lists one with any address; `onbehalf api-key revoke` takes the name.
    "smtp.list_own_mailbox", "programs.end_key",
    # `onbehalf audit verify` does it at once, without a worker.
    "audit_trail.verify",
    # `onbehalf email approve` shows and approves one; a shell repeats it.
    "approvals.approve_several",
    # `enrollment pause|resume|stop` and `sequence pause|archive` do one; a shell repeats them.
    "withdraw.end_enrollments", "withdraw.end_sequences", "resume.resume_people", "resume.previews_of_people",
    # A page asks before several emails are changed; `email skip` of one shows what moves, and of several says what became of each.
    "planned_several.foresee_several",
    # An identity provider's, by SCIM: `onbehalf member add`, `deactivate` and `reactivate` do the same by hand.
    "provisioning.create", "provisioning.change", "provisioning.remove", "provisioning.end_access",
    # Pages alone need them: what to choose from, and what is drawn within their own transaction (`preview_activation` for others).
    "my_zone.zones", "by_hand.choices", "activation.preview_of", "resume.previews_of", "resume.resume_together", "planned.too_late",
}  # fmt: skip
NO_API = {
    # Only a person gives a permission in their own name, by signing in.
    "grants.give_grant", "grants.confirm_grant", "grants.accept_request", "approvals.approve_first", "approvals.ask_for_first",
    "tenant.join", "tenant.connect", "sign_in.begin_consent",
    # A text that is the same for every organization.
    "tenant.commands",
    "sign_in.begin_sign_in", "sign_in.begin_connect", "sign_in.begin_approval", "sign_in.finish", "sign_in.wait_for_approval",
    "opt_outs.opt_out",
    # A key makes no key, and ends none.
    "programs.make_key", "programs.end_key", "programs.replace_key",
    # The API has it in another call: an import's answer has what is left out.
    "people_imports.left_out",
    # `/deliveries/{id}/moves` foresees one; the answer about several says what became of each.
    "planned_several.foresee_several",
    # A call does each of them; a program repeats it.
    "withdraw.end_enrollments", "withdraw.end_sequences", "resume.resume_people", "resume.previews_of_people",
    # Pages alone need them, to draw what the API answers with.
    "my_zone.zones", "activation.preview_of", "by_hand.choices", "planned.too_late", "resume.previews_of", "resume.resume_together",
    "sender_addresses.records", "smtp.check_microsoft_server", "webhooks.said",
    # The web process makes its own keys of its host's, where all processes have the same variables.
    "keys.of_web",
}  # fmt: skip
WITHOUT_ACTION = {
    # The bookkeeping of one request: its Idempotency-Key, the use of its key or session, what its next page shows, a provider's hint.
    "web/api_call.py: api_keys.begin", "web/api_call.py: api_keys.finish", "web/api_call.py: api_keys.forget",
    "web/api_call.py: api_keys.caller_of", "web/protection.py: sessions.session_of", "web/hooks.py: subscriptions.take",
    "web/changes.py: page_results.put", "web/mailbox_hours.py: page_results.put", "web/outbox_decisions.py: page_results.put", "web/organization_hours.py: page_results.put", "web/pages.py: page_results.put", "web/sequences_settings.py: approvals.check_soon",
    # Whoever is signed in in a browser signs out there. Neither a program nor an operator has a browser's session.
    "web/my_sessions.py: sessions.end_all", "web/my_sessions.py: sessions.end_session", "web/sign_in.py: sessions.close_session",
    # A scheduler seals all the time; whoever verifies or exports wants it done now.
    "commands/audit_trail.py: audit_chain.seal",
    # Of the installation, for operators alone: no page and no program has these verbs.
    "commands/connections.py: sessions.trust_tenant", "commands/connections.py: accounts.forget_account",
    "commands/jobs.py: outbox.retry", "commands/mail_servers.py: sender_addresses.vouch",
}  # fmt: skip
_WRITES = re.compile(r"\b(INSERT INTO|UPDATE \w+ (AS )?(\w+ )?SET|DELETE FROM)\b")


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


def uses(tree: ast.AST, names: dict[str, str], own: str = "") -> set[str]:
    """What code names of ``db/``, as ``module.function``. ``names``: what it imported. ``own``: the module itself, for what is in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            found.add(f"{names[node.value.id]}.{node.attr}")
        elif isinstance(node, ast.Name):
            found.add(names.get(node.id, f"{own}.{node.id}"))
    return found


def imported(tree: ast.AST) -> dict[str, str]:
    """What a module imported from ``db/``, by the name that it has there."""
    return {
        each.asname or each.name: f"{node.module}.{each.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("db.")
        for each in node.names
    }


def writers() -> set[str]:
    """Every function of ``db/`` that writes, by itself or by another one."""
    used: dict[str, set[str]] = {}
    found = set()
    for path in (ROOT / "db").rglob("*.py"):
        if "migrations" in path.parts or path.name == "__init__.py":
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        module, tree = import_module(name), ast.parse(path.read_text())
        names = imported(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                here = used[f"{name}.{node.name}"] = uses(node, names, name)
                values = [
                    getattr(module, each.rpartition(".")[2], None) for each in here if each.startswith(name)
                ]
                flat = [
                    one for each in values for one in (each.values() if isinstance(each, dict) else (each,))
                ]
                if any(isinstance(each, Statement) and _WRITES.search(each.text) for each in flat):
                    found.add(f"{name}.{node.name}")
    while more := {each for each, calls in used.items() if each not in found and calls & found}:
        found |= more
    return found


def test_pages_programs_and_commands_write_by_actions_alone() -> None:
    known = writers()
    assert {
        "db.withdrawing.suppressions.lift",
        "db.views.frame.set_zone",
        "db.listening.answer_settings.set_sequence",
    } <= known
    direct = set()
    for path in (*(ROOT / "web").glob("*.py"), *(ROOT / "commands").glob("*.py")):
        tree = ast.parse(path.read_text())
        for each in uses(tree, imported(tree)) & known:
            direct.add(f"{path.parent.name}/{path.name}: {'.'.join(each.split('.')[-2:])}")
    assert direct == WITHOUT_ACTION
