"""Text that somebody else wrote, made safe to print: a terminal obeys what it is sent."""

from __future__ import annotations

import unicodedata

MOST = 320
"""Characters of one value from a cluster: the longest key of a label has 317."""


def printable(text: str) -> str:
    """``text`` with control, formatting and other invisible characters escaped."""
    if text.isprintable():  # the same question, asked of the whole
        return text
    return "".join(c if c == " " or unicodedata.category(c)[0] not in "CZ" else _escape(c) for c in text)


def short(text: str, most: int = MOST) -> str:
    """``text``, printable and cut after ``most`` characters, with an ellipsis to say so."""
    cut = text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
    return printable(cut)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
