"""Versions as numbers, of whatever writes major.minor.patch somewhere in its name."""

from __future__ import annotations

import re
from functools import lru_cache

Release = tuple[int, int, int]

_NUMBERS = re.compile(r"(?<![\d.])(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?")


@lru_cache
def release(text: str | None) -> Release | None:
    """The first version in ``text``, as in ``v1.36.2+k3s1`` or ``Talos (v1.7.4)``; None without one."""
    found = _NUMBERS.search(text or "")
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def told(version: Release) -> str:
    """A version in words, without a patch level of zero."""
    return ".".join(map(str, version if version[2] else version[:2]))
