"""Product code, pages and docs use the words of docs/glossary.md, and none of those that they replace.

Names are read word by word: ``MARKER_PROPERTY``, ``set-aside`` and ``DeliveryUnknown`` are two words each.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Former word -> what stands for it now. A word with an ordinary meaning too is matched in the former one only.
RETIRED = {
    r"\bbells?\b|\bdoorbells?\b|\brung\b|\brings? (for|again|the|it)\b|\bring\((broker|job)": "message, enqueue",
    r"\bhand(s|ed|ing)?[ _]back\b|handback": "release",
    r"\bmarkers?\b": "correlation id",
    r"\bfence[sd]?\b|\bfencing\b(?! token)": "recall",
    r"\breconciling\b|\bambiguous(ly)?\b|\bdoubt(ful|ed)\b"
    r"|\bdelivery unknown\b|\bunknown remains\b|\b(outcome|anything|sent or) (is )?(still )?unknown\b": "in doubt",
    r"\b_?looks?_|_looks?\b|\b(one|a|the|next|each|last|few|more|two) looks?\b(?!-)": "reconcile attempt",
    r"\binsist": "retry_while_unavailable",
    r"\bset[ _-]aside": "disable",
    r"left_before|\btally\b": "withdrawal result, already_sent",
    r"\bforesight\b|\bstranded\b": "early warning",
    r"\btwins?\b": "duplicate",
    r"\b(a|the|our|strict|independent|provider's) doubles?\b": "emulator",
    r"\bstory\b|\bstories\b": "payload, explanation",
    r"\btold\b|\b_?tell\(|\btell:": "notify, say, ask",
    r"\breaders?\b|\b[a-z]+_readers?\b|\breaders?_[a-z_]+": "recipient",
    r"\bgrantor(s|_id)?\b|(?<!key )(?<!key_)\bholders?\b(?!,)": "mailbox owner",
    r"\bcompanies\b|\bcompany (address|email)|\b(a|each|the|your) company['\u2019]s\b(?! (name|inbox))": "sender address, organization",
    r"\bworlds?\b": "organization file",
    r"[A-Z]_AT_MOST\b|\bAT_MOST\b": "MAX_…",
    r"\bin hand\b": "in flight",
    r"\bmended\b": "fixed",
}
# Files in which a word of them is another one's: a parser, people who read an email, the emulator's own state.
ELSEWHERE = {
    # Parsers, and the streams of io and asyncio.
    "reader": (
        "importing/", "transports/html.py", "transports/links.py", "transports/removed.py",
        "inbox/session.py", "transports/smtp_session.py",
    ),
    "world": ("lab/",),
    "doorbell": ("ARCHITECTURE.md",),  # the name of decision 3
    "markers": ("pyproject.toml",),
    "marker": ("web/static/components.css",),  # of a details element
    "set-aside": ("commands/mail_servers.py", "web/api_addresses.py"),  # the former name still works
    "companies": ("domain/foreign_fields.py",),  # of candidates
}  # fmt: skip
RECORDS = (  # what was true when it was written
    "tests/",
    "web/static/vendor/",
    "lab/",
    "db/migrations/",
    "docs/decisions/",
    "docs/faults.md",
    "docs/coverage.md",
    "docs/glossary.md",
    "CHANGELOG.md",
)
DEMONSTRATES = ("lab/emulator/", "lab/drills/", "lab/local.py")
KINDS = (
    *(".py", ".html", ".sql", ".yaml", ".yml", ".css", ".js", ".toml", ".md", ".sh", ".example", ".json"),
    *("Procfile", "Makefile", "Dockerfile"),
)
# Where a word of a name ends: NAME_OF, name-of, nameOf, HTMLName.
IN_NAMES = re.compile(r"_|-|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def product() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [
        name
        for name in listed.stdout.splitlines()
        if name.endswith(KINDS)
        and (not name.startswith(RECORDS) or name.startswith(DEMONSTRATES))
        and (ROOT / name).is_file()
    ]


def found(name: str, text: str) -> list[str]:
    """Each retired word in a file, on its own or in a name, with its line and what replaces it."""
    hits = (
        f"{name}:{number}: {match[0]!r} is now {present!r}"
        for number, line in enumerate(text.splitlines(), start=1)
        for former, present in RETIRED.items()
        for read in (line, IN_NAMES.sub(" ", line))
        for match in re.finditer(former, read, re.IGNORECASE)
        if not any(
            match[0].lower().replace(" ", "-") in word and name.startswith(places)
            for word, places in ELSEWHERE.items()
        )
    )
    return list(dict.fromkeys(hits))


def test_no_retired_word_is_left_in_the_product() -> None:
    assert [each for name in product() for each in found(name, (ROOT / name).read_text())] == []


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("the bell rings", "message, enqueue"),
        ("hand_back(tx)", "release"),
        ("state = 'reconciling'", "in doubt"),
        ("claim_look(tx)", "reconcile attempt"),
        ("notice.told", "notify, say, ask"),
        ("QUEUED_AT_MOST = 5", "MAX_…"),
        ("grantor_id", "mailbox owner"),
        ("look it up at once", None),
        ("MARKER_PROPERTY", "correlation id"),
        ("detailsMarker", "correlation id"),
        ("class DeliveryUnknown(Error)", "in doubt"),
        ("_Doubtful", "in doubt"),
        ("mailbox set-aside", "disable"),
        ("your company\u2019s emails", "sender address, organization"),
        ("company_name", None),
        ("unknown_keys", None),
    ],
)
def test_a_retired_word_is_found_with_what_replaces_it(text: str, instead: str | None) -> None:
    assert {each.rsplit("now ", 1)[1] for each in found("x.py", text)} == (
        {repr(instead)} if instead else set()
    )


def test_settings_scripts_and_workflows_are_read_too() -> None:
    assert {"deploy/env.example", "deploy/release.sh", ".github/workflows/ci.yml", "Procfile"} <= set(
        product()
    )


# Sentences of pages, notices and emails that people read twice, or wrongly.
ODD = (
    "what has not left by then stays", "Asked again before every", "yours, and those of whom", "The permission stands from",
    "It goes on from now", "From that moment nothing", "wait for the next, the first", "That is nobody",
    "Ask a colleague for theirs", "They will read it", "go by the address further up", "from the address that counts",
    "no longer, good", "The employee's who wrote", "Empty: until you end", "has to be the address itself", "needs no set-up",
    "In use: Nothing", "Left before", "Answered in", "without a visit", "is connected since", "that you would have to know",
)  # fmt: skip


def test_no_odd_sentence_is_left() -> None:
    shown = [name for name in product() if name.startswith(("actions/", "domain/", "web/", "transports/"))]
    assert len(shown) > 100
    found = [(name, odd) for name in shown for odd in ODD if odd in (ROOT / name).read_text()]
    assert found == []
