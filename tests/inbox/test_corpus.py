import json
from typing import Any

import pytest

from lab import inbox_report

CORPUS = inbox_report.load()


@pytest.mark.parametrize("name", sorted(CORPUS.answers))
def test_an_email_of_the_corpus_is_judged_as_it_should_be(name: str) -> None:
    assert inbox_report.answer(CORPUS, name) == CORPUS.answers[name]


def test_the_corpus_has_all_kinds_and_no_file_without_an_answer() -> None:
    files = {each.name for each in (inbox_report.CORPUS / "incoming").iterdir()}
    assert files == set(CORPUS.answers)
    assert len(files) >= 150
    kinds = {answer["kind"] for answer in CORPUS.answers.values()}
    assert kinds == {
        "answer",
        "auto_reply",
        "left_company",
        "bounce",
        "opt_out",
        "sender_wrote",
        "other",
        "unclear",
    }


def test_the_answers_name_emails_that_were_sent() -> None:
    answers: dict[str, dict[str, Any]] = json.loads((inbox_report.CORPUS / "answers.json").read_text())
    assert {each["sent"] for each in answers.values()} - {None} <= set(CORPUS.sent)
