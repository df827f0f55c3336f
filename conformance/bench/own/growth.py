"""Whole runs of the kit on one cluster, each a process as a user starts it: what they cost, by size and by workers."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from conformance.errors import ClusterError
from conformance.lab.launch.start import environment
from conformance.model.effort import Effort
from conformance.model.verdict import Status
from reports.files import RESULTS
from reports.results_file import load

SMALL, MIDDLE = ("CIP-01",), ("CIPM", "NPM")
"""One case; two matrices, of different areas, so that two workers have something to share."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A run to be made: ``cases`` empty is the whole default suite."""

    cases: tuple[str, ...] = ()
    workers: int = 1
    nodes: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """Its options."""
        chosen = tuple(word for case in self.cases for word in ("--case", case))
        nodes = ("--max-nodes", str(self.nodes)) if self.nodes else ()
        return (*chosen, *nodes, *(("-n", str(self.workers)) if self.workers > 1 else ()))


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took: ``wall`` seconds from the command's start to its end, ``seconds`` of it by its own account."""

    trial: Trial
    cells: int
    wall: float
    seconds: float
    effort: Effort


TRIALS = (
    Trial(SMALL),
    *(Trial(MIDDLE, nodes=nodes) for nodes in (1, 2, 3)),
    *(Trial(workers=workers) for workers in (1, 2)),
)


def runs(cluster: Sequence[str], trials: Sequence[Trial] = TRIALS) -> Iterator[Cost]:
    """Each trial in turn; ``cluster`` are the options that name it. `ClusterError` when one has no results."""
    for trial in trials:
        with TemporaryDirectory() as folder:
            words = [sys.executable, "-P", "-m", "conformance.cli", "run", *cluster, *trial.words, "--output", folder]
            began = time.monotonic()
            done = subprocess.run(words, capture_output=True, text=True, env=environment(), check=False)
            wall = time.monotonic() - began
            run = load(Path(folder) / RESULTS) if (Path(folder) / RESULTS).exists() else None
        if run is None or run.footer is None:
            raise ClusterError(f"A run failed: {done.stderr.strip()[-300:]}", "Try it by itself.")
        judged = sum(count for status, count in run.counts.items() if status is not Status.NOT_APPLICABLE)
        yield Cost(trial, judged, wall, run.footer.seconds, run.footer.effort)
