"""The flags that a container's command line sets."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping


def flags(words: Iterable[str]) -> Mapping[str, str]:
    """``--name=value`` and ``--name value`` by name, ``true`` for a bare ``--name``; also inside ``sh -c '...'``."""
    parts = [part for word in words for part in _split(word)]
    found: dict[str, str] = {}
    for part, after in zip(parts, [*parts[1:], "--"], strict=False):
        if not part.startswith("--"):
            continue
        name, equals, value = part[2:].partition("=")
        found[name] = value if equals else "true" if after.startswith("-") else after
    return found


def _split(word: str) -> list[str]:
    """A word as it is, but what a shell would be given as the words that it would see."""
    if "--" not in word or word.startswith("--"):
        return [word]
    try:
        return shlex.split(word, comments=True)
    except ValueError:
        return word.split()
