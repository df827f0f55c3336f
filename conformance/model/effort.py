"""What a run has cost: seconds by phase, and how much work they were spent on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Phase(Enum):
    """What a process of a run is doing; each moment is counted for the innermost of those that it is in."""

    LAB = "lab"  # a lab of the run's own starts
    FACTS = "facts"  # what the cluster is, and what we may do there
    PLAN = "plan"  # cases x facts -> cells
    PODS = "pods"  # namespaces and pods, until they are ready
    AGENTS = "agents"  # agents start, and say where they are
    ARRANGE = "arrange"  # Services are created, changed, deleted
    CONVERGE = "converge"  # until slices, balancers and proxies have caught up
    SUBMIT = "submit"  # questions for the API server
    EXPECT = "expect"  # addresses, and what the oracle says of them
    DIAL = "dial"
    WAIT = "wait"  # for dials that last by what they ask: silence, schedules, flows, watches
    AGAIN = "again"  # surprises asked again, alone and patiently
    JUDGE = "judge"
    REPORT = "report"  # results are written down as they come
    CLEAN_UP = "clean up"


@dataclass(frozen=True, slots=True)
class Effort:
    """Of ``processes`` together; ``phases`` are seconds by the wall clock, ``busy`` those of a processor in which their
    main threads were at work, by phase too, ``cpu`` all that of these processes themselves, without pods and lab.
    ``requests`` were made of the API server, ``streams`` are execs, ``peak`` is the largest resident set in MiB.
    """

    phases: Mapping[Phase, float] = field(default_factory=dict)
    processes: int = 0
    dials: int = 0
    requests: int = 0
    streams: int = 0
    cpu: float = 0.0
    peak: float = 0.0
    busy: Mapping[Phase, float] = field(default_factory=dict)

    def __add__(self, other: Effort) -> Effort:
        return Effort(
            _together(self.phases, other.phases),
            self.processes + other.processes,
            self.dials + other.dials,
            self.requests + other.requests,
            self.streams + other.streams,
            round(self.cpu + other.cpu, 3),
            max(self.peak, other.peak),
            _together(self.busy, other.busy),
        )


def _together(one: Mapping[Phase, float], other: Mapping[Phase, float]) -> dict[Phase, float]:
    sums = Counter(one)
    sums.update(other)  # += would drop what is nought
    return {phase: round(sums[phase], 3) for phase in Phase if phase in sums}
