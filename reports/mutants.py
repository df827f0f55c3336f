"""Mutants as they are hunted, and what is kept of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.text import Text

from conformance.judge.mutants import Fate, Mutant, equivalences, score, weighed
from reports.markdown import row

_READERS = "NOD-"
"""How the IDs of the cases begin that read the nodes' rules."""
_STYLES = {Fate.KILLED: "green", Fate.SURVIVED: "red"}


def line(mutant: Mutant) -> Text:
    """One mutant: its fate, and for all but the killed the command before and after."""
    where = mutant.node or "all nodes"
    text = Text.assemble((f"{mutant.fate.value:<10} ", _STYLES.get(mutant.fate, "dim")))
    text.append(f"#{mutant.number} {mutant.kind} on {where}")
    told = f"by {', '.join(mutant.by[:3])}{', ...' if len(mutant.by) > 3 else ''}" if mutant.by else mutant.reason
    text.append(f"  {told}{', ' if told else ''}{mutant.seconds:.0f} s", "dim")
    if mutant.fate is not Fate.KILLED and mutant.was:
        text.append(f"\n            was     {mutant.was}\n            became  {mutant.became}", "dim")
    return text


@dataclass(frozen=True, slots=True)
class Hunted:
    """A hunt that was kept: every mutant that was not killed, and the totals; ``hunted`` of them were to count."""

    date: str
    seed: int
    hunted: int
    killed: int
    by_rules_alone: int
    alive: tuple[Mutant, ...]

    @property
    def counted(self) -> int:
        """How many count, now that the reasons are known why some live."""
        return self.killed + sum(mutant.fate is Fate.SURVIVED for mutant in self.alive)


def hunted(mutants: Sequence[Mutant], date: str, seed: int) -> Hunted:
    """What is to be kept of ``mutants``."""
    killed, counted = score(mutants)
    alone = sum(m.fate is Fate.KILLED and all(cell.startswith(_READERS) for cell in m.by) for m in mutants)
    return Hunted(date, seed, counted, killed, alone, tuple(m for m in mutants if m.fate is not Fate.KILLED))


def summary(hunt: Hunted) -> str:
    """The score and its seed, and what did not count."""
    share = f"{hunt.killed / hunt.counted:.1%}" if hunt.counted else "none"
    rest = Counter(mutant.fate for mutant in hunt.alive)
    apart = ", ".join(f"{rest[fate]} {fate.value}" for fate in Fate if fate is not Fate.SURVIVED and rest[fate])
    return (
        f"{hunt.killed} of {hunt.counted} mutants killed ({share}), {hunt.by_rules_alone} of them by reading the "
        f"nodes' rules alone; seed {hunt.seed}." + (f" Apart: {apart}." if apart else "")
    )


def kept(hunt: Hunted) -> str:
    """As JSON."""
    plain = asdict(hunt)
    for mutant in plain["alive"]:
        mutant["fate"] = mutant["fate"].name
    return json.dumps(plain, indent=1) + "\n"


def read(text: str) -> Hunted:
    """The inverse of `kept`, but that a reason may have been written since for one that lives.

    ``ValueError``, ``KeyError`` or ``TypeError`` for what is none.
    """
    plain: dict[str, Any] = json.loads(text)
    alive = (Mutant(**m | {"fate": Fate[m["fate"]], "by": tuple(m["by"])}) for m in plain["alive"])
    return Hunted(**plain | {"alive": tuple(weighed(mutant, equivalences()) for mutant in alive)})


def section(hunt: Hunted) -> list[str]:
    """For the page of faults, as Markdown: the score, and every mutant that lives, with the reason if there is one."""
    lines = [
        "## Random mutants\n",
        f"`nftconform selftest --mutate {hunt.hunted} --seed {hunt.seed}`, {hunt.date}: {summary(hunt)}\n",
        "A mutant changes one command of kube-proxy's transactions, on one node or on all, wherever it comes by: an",
        "element dropped, two verdicts swapped, a number or an address changed, a rule removed or moved, or a whole",
        "transaction lost. What cannot be told from the original is equivalent, and counted apart with the reason.\n",
    ]
    shown = [m for m in hunt.alive if m.fate in (Fate.SURVIVED, Fate.EQUIVALENT)]
    if shown:
        lines += [row("", "mutation", "was", "became", "why it lives"), row(*["---"] * 5)]
    return lines + [row(m.fate.value, m.kind, f"`{m.was}`", f"`{m.became}`", m.reason) for m in shown]
