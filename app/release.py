"""Which release this is."""

import tomllib
from functools import cache
from pathlib import Path


@cache
def release() -> str:
    """Return this release's version. An image holds the source and installs no package, so it is read where it is written."""
    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]
    return str(project["version"])
