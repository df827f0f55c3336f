"""What the generated pages have in common."""

from __future__ import annotations

HEAD = "<!-- Written by `nftconform docs` from the suites: change those, then run it again. -->\n"


def row(*cells: object) -> str:
    """A row of a table; blanks are folded and bars escaped."""
    return "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + " |"
