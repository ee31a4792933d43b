"""How well incoming mail is judged: precision and recall of each kind over the corpus of ``tests/inbox/corpus``.

`make inbox-report`. The corpus was written from what mail programs and people write, after the tables that judge it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.listening.kinds import Judged, Kind
from domain.listening.message import Sent
from inbox.judge import judge
from inbox.parse import parse
from inbox.sent_mail import sent_from

CORPUS = Path(__file__).parents[1] / "tests" / "inbox" / "corpus"
MAILBOX = "rita.roe@recruit.example"
_NOW = datetime(2026, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Emails of ours by file name, and the right answer for each incoming one."""

    sent: dict[str, Sent]
    answers: dict[str, dict[str, Any]]


def load() -> Corpus:
    """Read the corpus."""
    sent = {
        file.name: sent_from(file.read_bytes(), name=file.name, now=_NOW)
        for file in sorted((CORPUS / "sent").glob("*.eml"))
    }
    return Corpus(sent, json.loads((CORPUS / "answers.json").read_text()))


def answer(corpus: Corpus, name: str) -> dict[str, Any]:
    """What is said of one incoming email, in the shape of the right answers."""
    incoming = parse((CORPUS / "incoming" / name).read_bytes(), now=_NOW)
    return _shaped(corpus, judge(incoming, list(corpus.sent.values()), [MAILBOX]))


def _shaped(corpus: Corpus, judged: Judged) -> dict[str, Any]:
    names = {each.delivery_id: name for name, each in corpus.sent.items()}
    bounce = judged.bounce
    return {
        "kind": judged.kind.value,
        "sent": names[judged.match.sent.delivery_id] if judged.match else None,
        "matched_by": judged.match.matched_by.value if judged.match else "none",
        "bounce": bounce
        and {"class": bounce.kind.value, "recipient": bounce.recipient, "status": bounce.status or None},
        "return_on": judged.return_on.isoformat() if judged.return_on else None,
        "opt_out": judged.kind is Kind.OPT_OUT,
    }


def _lines(corpus: Corpus) -> Iterator[str]:
    said = {name: answer(corpus, name) for name in corpus.answers}
    wanted: Counter[str] = Counter()
    given: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for name, correct in corpus.answers.items():
        wanted[correct["kind"]] += 1
        given[said[name]["kind"]] += 1
        right[correct["kind"]] += correct["kind"] == said[name]["kind"]
    yield f"{'kind':<14}{'emails':>7}{'precision':>11}{'recall':>8}"
    for kind in Kind:
        precision = right[kind] / given[kind] if given[kind] else 1.0
        recall = right[kind] / wanted[kind] if wanted[kind] else 1.0
        yield f"{kind.value:<14}{wanted[kind]:>7}{precision:>11.3f}{recall:>8.3f}"
    for key in ("sent", "matched_by", "bounce", "return_on", "opt_out"):
        good = sum(said[name][key] == correct[key] for name, correct in corpus.answers.items())
        yield f"{key:<14}{good:>7} of {len(said)} right"
    for name, correct in corpus.answers.items():
        for key, value in correct.items():
            if said[name][key] != value:
                yield f"{name}: {key} is {said[name][key]}, right is {value}"


if __name__ == "__main__":
    print("\n".join(_lines(load())))
