"""Subjects of one thread."""

import re

_REPLY_PREFIX = re.compile(
    r"^\s*((re|aw|sv|antw|r|odp|vs|ré|rép|res|tr|fw|fwd)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE
)


def same_thread_subject(present: object, wanted: str) -> bool:
    """Do two subjects differ at most in prefixes such as ``Re:``?"""
    return isinstance(present, str) and _bare(present) == _bare(wanted)


def _bare(subject: str) -> str:
    return _REPLY_PREFIX.sub("", subject).strip().casefold()
