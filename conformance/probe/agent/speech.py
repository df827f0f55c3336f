"""What questions say to whoever answers."""

from __future__ import annotations

import zlib
from functools import lru_cache

BRIEF, TOO_BIG = "brief ", "too-big "
"""How questions begin that ask for a sum in place of a repetition, and for an ICMP error in place of an answer."""


def filled(words: str, size: int) -> str:
    """``words``, and up to ``size`` characters more words that tell their own place: what is missing, moved or changed
    on the way shows.
    """
    return words + _places(size)[len(words) : size]


@lru_cache(maxsize=8)
def _places(size: int) -> str:
    return "".join(f".{at:07x}" for at in range(0, size, 8))


def repeated(question: str) -> str:
    """What an answer repeats of a question: all of it, or of one that asks to be brief its length and sum."""
    if question.startswith(BRIEF):
        return f"{len(question)} {zlib.crc32(question.encode()):08x}"
    return question
