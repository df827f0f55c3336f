"""Which case claims to catch which fault, and what is asked under each of them. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from conformance.model.case import Case
from conformance.model.cell import Cell
from conformance.model.client import DestinationKind
from conformance.spec.faults import Fault


@dataclass(frozen=True, slots=True)
class Claims:
    """``catchers``: of every fault the IDs of the cases that claim it; ``idle``: cases that claim none.

    ``elsewhere`` are claims of cases that have no cell in the lab: nobody can try them there.
    """

    catchers: Mapping[Fault, tuple[str, ...]]
    idle: tuple[str, ...]
    elsewhere: tuple[tuple[Fault, str], ...] = ()


def claims(cases: Iterable[Case], in_lab: Collection[str]) -> Claims:
    """What ``cases`` say that they catch; a fault that nobody claims has an empty row. ``in_lab``: IDs of cases."""
    catchers: dict[Fault, list[str]] = {fault: [] for fault in Fault}
    idle, elsewhere = [], []
    for case in cases:
        if not case.catches:
            idle.append(case.id)
        for fault in (Fault[each.name] for each in case.catches):
            if case.id in in_lab:
                catchers[fault].append(case.id)
            else:
                elsewhere.append((fault, case.id))
    return Claims({fault: tuple(ids) for fault, ids in catchers.items()}, tuple(idle), tuple(elsewhere))


def some(faults: Sequence[Fault], share: float, seed: int) -> tuple[Fault, ...]:
    """A random ``share`` of ``faults``, at least one, in their order; the same for the same ``seed``."""
    count = max(1, math.ceil(len(faults) * share))
    chosen = set(random.Random(seed).sample(sorted(faults, key=lambda f: f.name), min(count, len(faults))))
    return tuple(fault for fault in faults if fault in chosen)


def sample(matrices: Mapping[str, Sequence[str]], count: int, seed: int) -> tuple[str, ...]:
    """``count`` random cells of each matrix (IDs of cells by ID of matrix); all where there are no more."""
    draw = random.Random(seed)
    return tuple(
        cell
        for _, cells in sorted(matrices.items())
        for cell in sorted(draw.sample(sorted(cells), min(count, len(cells))))
    )


def near(cells: Iterable[Cell], service: str, count: int) -> tuple[str, ...]:
    """Up to ``count`` of the cells that dial ``service``, or of all that tell no story when it is empty.

    They are spread over their order, and those that read the nodes' rules are always among them.
    """
    every = list(cells)
    reading = [cell.id for cell in every if cell.destination.kind is DestinationKind.RULES]
    standing = (cell for cell in every if len(cell.phases) == 1 and not cell.alone)
    about = (cell for cell in every if any(spec.name == service for spec in cell.specs))
    dialling = [cell.id for cell in (about if service else standing)]
    step = max(1, math.ceil(len(dialling) / count))
    return tuple(dict.fromkeys((*dialling[::step], *reading)))
