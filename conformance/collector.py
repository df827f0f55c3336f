"""Python's garbage collector, told what this program is like: what it reads and makes stays, and has no cycles."""

from __future__ import annotations

import gc

_YOUNG, _GENERATIONS = 50_000, 20
"""Objects more than freed before it looks at new ones, and such looks before it looks at older ones."""


def spare() -> None:
    """Look at nothing that is there by now, and at the rest seldom: it would find nothing, and take a tenth of a run.

    Cost and memory were weighed by `nftconform bench --scale` (docs/performance-kit.md).
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, _GENERATIONS, _GENERATIONS)
