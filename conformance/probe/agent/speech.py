"""What questions say to whoever answers."""

from __future__ import annotations

import zlib

BRIEF, TOO_BIG = "brief ", "too-big "
"""How questions begin that ask for a sum in place of a repetition, and for an ICMP error in place of an answer."""


def filled(words: str, size: int) -> str:
    """``words``, and up to ``size`` characters more words that tell their own place: what is missing, moved or changed
    on the way shows.
    """
    return (words + "".join(f".{at:07x}" for at in range(len(words), size, 8)))[: max(size, len(words))]


def repeated(question: str) -> str:
    """What an answer repeats of a question: all of it, or of one that asks to be brief its length and sum."""
    if question.startswith(BRIEF):
        return f"{len(question)} {zlib.crc32(question.encode()):08x}"
    return question
