"""Product code, pages and docs use the words of docs/glossary.md, and none of those that they replaced."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Former word -> the present one. A word that has another, ordinary meaning is matched in its former meaning only.
RETIRED = {
    r"\b(door)?bells?\b|\brung\b|\b(ring|rings) (for|again|the|it)\b|\bring\((broker|job)": "message, enqueue",
    r"\bhand(s|ed|ing)?[ _]back\b|handback": "release",
    r"\bmarkers?\b": "correlation id",
    r"\bfence[sd]?\b|\bfencing\b(?! token)": "recall",
    r"\breconciling\b|\bambiguous(ly)?\b|\bdoubtful\b": "in doubt",
    r"\blook_|_looks?\b|\b(one|a|the|next|each|last|few|four|more|two) looks?\b": "reconcile attempt",
    r"\binsist": "retry_while_unavailable",
    r"\bset[ _]aside": "disable",
    r"left_before|\btally\b": "withdrawal result, already_sent",
    r"\bforesight\b|\bstranded\b": "early warning",
    r"\btwins?\b": "duplicate",
    r"\b(a|the|our|strict|independent|provider's) doubles?\b": "emulator",
    r"\bstory\b|\bstories\b": "payload, explanation",
    r"\btold\b|\b_?tell\(|\btell:": "notify, say, ask",
    r"\breaders?\b": "recipient",
    r"\bgrantors?\b|\b(?<!key )(?<!key_)holders?\b": "mailbox owner",
    r"\bcompanies\b|company_address|compan(y's|ies') address": "sender address",
    r"\bworlds?\b": "organization file",
    r"[A-Z]_AT_MOST\b": "MAX_…",
    r"\bin hand\b": "in flight",
    r"\bmended\b": "fixed",
}
# Where a word means something else.
ELSEWHERE = {
    "world": ("emulator/", "deploy/local.py", "drills/"),  # the emulator's own state
    "readers": ("importing/", "transports/html.py"),  # parsers
}
"""(filled below)"""


def product() -> list[Path]:
    """Every file that is ours and not a test's, a migration's or a record of its time."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [
        ROOT / name
        for name in listed.stdout.splitlines()
        if name.endswith((".py", ".html", ".sql", ".yaml", ".css", ".js", ".toml", ".md")) and (ROOT / name).is_file()
        and not name.startswith(("tests/", "db/migrations/", "docs/decisions/", "docs/faults.md", "docs/glossary.md", "CHANGELOG.md"))
    ]


if __name__ == "__main__":
    for path in product():
        name = str(path.relative_to(ROOT))
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for word in RETIRED:
                if m := re.search(word, line, re.I):
                    print(f"{name}:{number}: {m[0]!r}: {line.strip()[:130]}")
