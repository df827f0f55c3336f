"""A lab's component that is not ours: the process becomes it."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Become the program that the first argument names; the others are its own. ``OSError``."""
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606
