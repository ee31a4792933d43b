"""Hosts that give all processes one environment (Heroku, honcho): those that must not read what is stored lose the keys to it."""

import os
import sys
from collections.abc import Callable

from config import KEYS_ONLY, Settings
from domain.errors import OperatorMisconfigured


def keep_own_secrets(module: str, own: Callable[[tuple[bytes, ...]], dict[str, str]]) -> None:
    """Under ``ONE_ENVIRONMENT=yes`` start this process again without SECRET_KEYS, with ``own`` (variables derived from them).

    It starts again because a process's first environment stays readable in it. Otherwise it does nothing: then SECRET_KEYS here is
    a mistake, which ``Settings`` refuses.
    """
    if not os.environ.get("SECRET_KEYS", "").strip():
        return
    if os.environ.get("ONE_ENVIRONMENT", "").strip().lower() in ("", "no"):
        return
    try:
        settings = Settings.from_environment(without=KEYS_ONLY)
    except OperatorMisconfigured as error:
        sys.exit(f"onbehalf: {error}")
    if settings.one_environment:
        kept = {name: value for name, value in os.environ.items() if name != "SECRET_KEYS"}
        os.execve(sys.executable, [sys.executable, "-m", module], kept | own(settings.secret_keys))  # noqa: S606 - no shell is meant
