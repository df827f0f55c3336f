"""The lines of ``bench.jsonl``: a header, measurements in the order in which they were made, and a footer.

Latencies are nanoseconds, everything else seconds, bytes and plain counts. ``place`` names one cluster of the bench,
``services`` and ``endpoints`` (of each Service) the rung of the ladder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from conformance.model.addresses import Family, Protocol

SCHEMA = 1
"""Raised when a line changes its meaning; what is only added does not raise it, and readers pass over it."""


class Seat(Enum):
    """Where a dial comes from: a pod, or the node itself."""

    POD = "pod"
    NODE = "node"


class Way(Enum):
    """What is dialled.

    ``DIRECT`` is the floor: the endpoint itself, without any Service. In iptables mode that, too, passes the chain of
    all Services; what no rule touches is ``LOOPBACK``, the client pod itself, which tells how fast the machine is.
    """

    LOOPBACK = "loopback"
    DIRECT = "direct"
    CLUSTER_IP = "clusterip"
    NODE_PORT = "nodeport"


class Change(Enum):
    """What changes in the API."""

    NEW_SERVICE = "new Service"
    ENDPOINT = "endpoint change"
    ENDPOINT_IN_CHURN = "endpoint change amid others"


class Under(Enum):
    """What the proxies do meanwhile."""

    QUIET = "quiet"
    CHURN = "changes"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster: kube-proxy's ``mode``, and who programs the rules, e.g. ``kube-proxy v1.36.2``."""

    name: str
    mode: str
    proxy: str
    reference: bool
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """The bench: ``kit`` is its version, ``started`` UTC in ISO 8601; the options are those that were given."""

    schema: int
    kit: str
    started: str
    seed: int
    family: Family
    places: tuple[Place, ...]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Machine:
    """What the dialling node says of itself, before the first measurement and after the last."""

    place: str
    told: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Latency:
    """One round of first packets: TCP connect(), or a UDP datagram and its answer, each from a new source port.

    ``lost`` dials were answered by nobody in time, or refused; they have no latency.
    """

    place: str
    services: int
    endpoints: int
    round: int
    seat: Seat
    way: Way
    protocol: Protocol
    nanoseconds: tuple[int, ...]
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Overhead:
    """The agent's own part: the same loop against its own loopback socket, and the clock read twice in a row."""

    place: str
    seat: Seat
    tcp: tuple[int, ...]
    udp: tuple[int, ...]
    clock: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """The ladder's next rung: how long the API took for ``created`` Services, and then the nodes to serve the last."""

    place: str
    services: int
    endpoints: int
    created: int
    api_seconds: float
    programmed_seconds: float


@dataclass(frozen=True, slots=True)
class Weight:
    """What a node's proxy weighs when a rung is grown, and again after its changes. None: it could not be read.

    ``cpu_seconds`` are those of the process since it started, without the programs that it runs.
    """

    place: str
    services: int
    endpoints: int
    node: str
    rules: int | None = None
    elements: int | None = None
    resident_bytes: int | None = None
    cpu_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Programmed:
    """From a change's request to the API until ``node`` acts on it. None: not within the time that it was given.

    ``within`` is how far the two clocks may be apart besides.
    """

    place: str
    services: int
    endpoints: int
    change: Change
    node: str
    seconds: float | None
    within: float


@dataclass(frozen=True, slots=True)
class Metric:
    """What a histogram of kube-proxy's own has counted while a rung was measured, all labels together."""

    place: str
    services: int
    endpoints: int
    node: str
    name: str
    count: float
    sum: float


@dataclass(frozen=True, slots=True)
class Load:
    """New TCP connections to Services drawn at random, as many as can be opened; ``changes`` of Services a second."""

    place: str
    services: int
    endpoints: int
    under: Under
    seconds: float
    opened: int
    refused: int
    lost: int
    changes: float = 0.0


@dataclass(frozen=True, slots=True)
class Flow:
    """One established connection through a Service that asks again a millisecond after it is answered.

    ``longest`` is the longest wait for an answer, ``ended`` why it ended before its time.
    """

    place: str
    services: int
    endpoints: int
    under: Under
    seconds: float
    answers: int
    longest: int
    retransmits: int
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Restart:
    """kube-proxy deleted on ``node``: until it acts on a change made when it was gone, and its full syncs since then.

    ``full_syncs`` are the seconds of its full syncs by its own account, all families together; None without one.
    """

    place: str
    services: int
    endpoints: int
    node: str
    seconds: float | None
    full_syncs: float | None


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader should know of how it was measured."""

    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Footer:
    """The end; ``complete`` False after an interrupt or a fault, which ``fault`` names."""

    ended: str
    seconds: float
    complete: bool
    fault: str = ""


Line = (
    Header
    | Machine
    | Latency
    | Overhead
    | Growth
    | Weight
    | Programmed
    | Metric
    | Load
    | Flow
    | Restart
    | Note
    | Footer
)
KINDS: Mapping[str, type[Line]] = {
    "bench": Header,
    "machine": Machine,
    "latency": Latency,
    "overhead": Overhead,
    "growth": Growth,
    "weight": Weight,
    "programmed": Programmed,
    "metric": Metric,
    "load": Load,
    "flow": Flow,
    "restart": Restart,
    "note": Note,
    "footer": Footer,
}
"""What a line's ``type`` says."""
