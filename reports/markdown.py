"""What Markdown pages have in common."""

from __future__ import annotations

import re

from conformance.model.printable import printable

HEAD = "<!-- Written by `nftconform docs` from the suites: change those, then run it again. -->\n"
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~$&@]")


def row(*cells: object) -> str:
    """A row of a table; blanks are folded and bars escaped."""
    return "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + " |"


def plain(text: str) -> str:
    """``text`` that somebody else wrote: shown as it is, without a word of it being Markdown, HTML or a mention."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", printable(text))


def fenced(text: str) -> str:
    """``text`` of several lines as a block of code that it cannot end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
