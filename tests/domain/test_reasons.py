"""Reasons in words: whatever is stored has words, and no sentence shows a code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.preflight import ENDED_BY
from domain.reasons import WORDS, after, because
from domain.suppression import Reason
from domain.waiting import _BY_REASON
from domain.why import Around, next_of
from tests.domain.test_why import NOW, situation

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"\b[a-z]+_[a-z_]+\b|\(\w*\)")
# Verdicts and moves whose first text is kept as the reason of an email or of a person in a sequence.
KEEP = {"Fail", "Hold", "Skip", "LeaveOut", "Wait", "Retry", "Reconcile", "Review", "InDoubt", "Ends"}
# Kept elsewhere: of mailboxes, connections, imports, and of requests to machines.
PLACES = ("domain/preflight.py", "domain/delivery.py", "domain/recovery.py", "domain/refusals.py", "domain/listening/consequences.py",
          "workers/send_step.py", "workers/read_absence.py", "db/sending", "db/listening/overrules.py", "db/withdrawing/people.py",
          "db/sequences/decisions.py", "actions/attention.py", "web/sequence_decisions.py", "web/conversations.py", "web/messages.py")  # fmt: skip


def kept() -> Iterator[tuple[str, str]]:
    """Each reason that the code keeps of an email or a person, and where."""
    files = [
        each
        for place in PLACES
        for each in (sorted((ROOT / place).rglob("*.py")) if (ROOT / place).is_dir() else [ROOT / place])
    ]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            texts = [each.value for each in node.keywords if each.arg in ("reason", "cancels")]
            texts += node.args if name in KEEP else []
            for text in texts:
                if isinstance(text, ast.Constant) and isinstance(text.value, str) and "_" in text.value:
                    yield text.value, f"{file.relative_to(ROOT)}:{node.lineno}"


def test_every_reason_that_is_kept_has_words() -> None:
    found = dict(kept())
    assert len(found) > 15  # the search still finds them
    assert {code: where for code, where in found.items() if code.partition(": ")[0] not in WORDS} == {}
    for code in (*ENDED_BY.values(), *Reason, *_BY_REASON):
        assert because(code), code


@pytest.mark.parametrize(
    "code", sorted({*WORDS, "missing_merge_field: first_name", "ErrorAccessDenied", "some_code", "5.7.60"})
)
def test_no_sentence_shows_a_code(code: str) -> None:
    places: list[dict[str, Any]] = [
        {"suppressed": code},
        {"status": "stopped", "reason": code},
        {"status": "archived", "reason": code},
        {"status": "paused", "reason": code},
        {"status": "stopped", "reason": code, "state": "closed", "outcome": "failed", "delivery_reason": code},
        *({"state": state, "delivery_reason": code} for state in ("closed", "review", "in_doubt", "queued", "preparing", "drafted", "sending")),
        {"held": True, "delivery_reason": code},
        {"delivery_reason": code},
        {"delivery_reason": code, "due_at": NOW},
    ]  # fmt: skip
    for changed in places:
        text = next_of(situation(**changed), Around(), lambda at, _form: f"{at:%d %B %H:%M}").text
        assert not CODE.search(text), (changed, text)
        assert "Error" not in text, (changed, text)
        assert " ." not in text, (changed, text)
        assert ": ." not in text, (changed, text)
        assert "None" not in text, (changed, text)


def test_what_a_person_wrote_stays_as_it_is_and_a_providers_code_is_left_out() -> None:
    assert because("on holiday until May") == "on holiday until May"
    assert because("missing_merge_field: first_name") == "first name is missing"
    assert (because("ErrorItemNotFound"), because("some_new_code"), because(None)) == ("", "", "")
    assert after(": ", "answered") == ": they answered"
    assert after(": ", "ErrorItemNotFound") == ""
