"""What became of random mutants, and what share of them the suites kill. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from importlib import resources


class Fate(Enum):
    """What became of a mutant; only the first two count."""

    KILLED = "killed"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"
    NEVER_CAME = "its command never came by"
    STILLBORN = "nft did not take it"
    LOST = "the trial went wrong"


@dataclass(frozen=True, slots=True)
class Mutant:
    """``kind`` of mutation on ``node`` (empty: all): command ``was`` became ``became``. ``by`` are cells that failed.

    ``reason`` says why an equivalent one cannot be told from the original, or what went wrong with a lost one.
    """

    number: int
    kind: str
    node: str
    fate: Fate
    was: str = ""
    became: str = ""
    by: tuple[str, ...] = ()
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Mutants whose commands match both patterns cannot be told from the original, for ``reason``."""

    was: re.Pattern[str]
    became: re.Pattern[str]
    reason: str


@cache
def equivalences() -> tuple[Equivalence, ...]:
    """Those that are known: ``equivalents.toml`` in `conformance.spec`."""
    rows = tomllib.loads(resources.files("conformance.spec").joinpath("equivalents.toml").read_text())["equivalent"]
    return tuple(Equivalence(re.compile(r["was"]), re.compile(r.get("became", "")), r["reason"]) for r in rows)


def weighed(mutant: Mutant, known: Sequence[Equivalence]) -> Mutant:
    """A survivor for which there is a written reason is equivalent."""
    if mutant.fate is Fate.SURVIVED:
        for each in known:
            if each.was.search(mutant.was) and each.became.search(mutant.became):
                return replace(mutant, fate=Fate.EQUIVALENT, reason=each.reason)
    return mutant


def score(mutants: Iterable[Mutant]) -> tuple[int, int]:
    """How many were killed, of how many that count."""
    fates = [mutant.fate for mutant in mutants]
    return fates.count(Fate.KILLED), fates.count(Fate.KILLED) + fates.count(Fate.SURVIVED)
