"""What the pages for newcomers say about the code is true: the files they name are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "README.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_.]*\w)`", text))
    linked = set(re.findall(r"\]\((?!https?://|#)([^)#]+)", text))
    assert named
    assert [each for each in sorted(named | linked) if not (ROOT / each).exists()] == []
