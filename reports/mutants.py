"""Mutants as they are hunted, and what is kept of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from conformance.judge.mutants import Fate, Mutant, score

_STYLES = {Fate.KILLED: "green", Fate.SURVIVED: "red"}


def line(mutant: Mutant) -> Text:
    """One mutant: its fate, and for all but the killed the command before and after."""
    where = mutant.node or "all nodes"
    text = Text.assemble((f"{mutant.fate.value:<11}", _STYLES.get(mutant.fate, "dim")))
    text.append(f"#{mutant.number} {mutant.kind} on {where}")
    told = f"by {', '.join(mutant.by[:3])}{', ...' if len(mutant.by) > 3 else ''}" if mutant.by else mutant.reason
    text.append(f"  {told}{', ' if told else ''}{mutant.seconds:.0f} s", "dim")
    if mutant.fate is not Fate.KILLED and mutant.was:
        text.append(f"\n            was     {mutant.was}\n            became  {mutant.became}", "dim")
    return text


def summary(mutants: Sequence[Mutant], seed: int) -> str:
    """The score and its seed, and what did not count."""
    killed, counted = score(mutants)
    share = f"{killed / counted:.1%}" if counted else "none"
    rest = Counter(mutant.fate for mutant in mutants)
    apart = ", ".join(
        f"{rest[fate]} {fate.value}" for fate in Fate if fate not in (Fate.KILLED, Fate.SURVIVED) and rest[fate]
    )
    return f"{killed} of {counted} mutants killed ({share}), seed {seed}." + (f" Apart: {apart}." if apart else "")


def plain(mutants: Sequence[Mutant], seed: int) -> dict[str, Any]:
    """To be kept: the totals, and every mutant that was not killed."""
    killed, counted = score(mutants)
    lived = [m for m in mutants if m.fate in (Fate.SURVIVED, Fate.EQUIVALENT)]
    return {
        "seed": seed,
        "killed": killed,
        "counted": counted,
        "alive": [asdict(m) | {"fate": m.fate.name} for m in lived],
    }
