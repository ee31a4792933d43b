"""Others' files are what docs/pages.md says they are, each with its licence beside it."""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "web" / "static" / "vendor"
LISTED = re.compile(r"^\| `web/static/vendor/(\S+)` .*\| ([0-9a-f]{64}) \|$", re.MULTILINE)


def test_each_file_has_the_hash_that_is_listed_and_a_licence() -> None:
    listed = dict(LISTED.findall((ROOT / "docs" / "pages.md").read_text()))
    present = {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in VENDOR.iterdir()
        if each.suffix == ".js"
    }
    assert listed == present
    for name in present:
        package, _, _ = name.partition("-")
        assert (VENDOR / f"{package}-LICENSE").read_text().strip()
