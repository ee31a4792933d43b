"""Imports that wait until they are used.

Help needs a command's name, options and words, and nothing of what the command does. So what a module of commands takes from the
packages below is found when the module is imported, and executed when a function first asks for something of it. This holds for
``from actions import withdraw``; ``from actions.withdraw import Asked`` asks at once, so a name that only annotations need
is imported under ``TYPE_CHECKING``.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

_PACKAGES = {"actions", "app", "config", "db", "domain", "importing", "inbox", "transports", "workers"}


class _Late(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] not in _PACKAGES:
            return None
        found = PathFinder.find_spec(name, path, target)
        if found is not None and found.loader is not None and found.submodule_search_locations is None:
            found.loader = LazyLoader(found.loader)  # a package is an empty file: not worth waiting with
        return found


@contextmanager
def late_imports() -> Iterator[None]:
    """Whatever is imported in here from ``_PACKAGES`` waits; what it imports itself, once it is used, does not."""
    finder = _Late()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
