"""What must happen when a client dials a destination."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from conformance.model.demand import Demand, Either
from conformance.model.source import Reason


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint that may answer, and every source address that it may see the client as; none listed: any will do.

    ``source_port`` is the one that it must see: of a flow that goes on, the one that it saw before. 0: any will do.
    """

    address: str
    port: int
    sources: frozenset[str]
    pod: str = ""
    source_port: int = 0


@dataclass(frozen=True, slots=True)
class Reaches:
    """Every dial is answered by one of ``targets``.

    ``sticky``: all dials of this client end at the same target (session affinity). Otherwise ``every`` target is
    chosen by some dial, equally likely (nftables: numgen random; iptables: statistic). ``movable``: neither is
    promised, for what the same client dials elsewhere at the same time may move its affinity. ``astray`` are endpoints
    that are chosen as well, but whose answers need not find their way back: a dial that chooses one may be silent.
    ``promptly``: nothing that is sent is lost on the way, first packets least of all: no connection takes a second SYN.
    """

    targets: frozenset[Target]
    sticky: bool = False
    movable: bool = False
    astray: frozenset[Target] = frozenset()
    promptly: bool = False

    @property
    def every(self) -> bool:
        """Whether all targets must be seen, given enough dials."""
        return not self.sticky and not self.movable


class RefusedBy(Enum):
    """How a refusal shows: kube-proxy rejects with an ICMP error, a closed port with a RST (TCP) or ICMP (UDP)."""

    ICMP = "icmp"
    RST = "rst"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Refused:
    """Every dial is refused at once; ``by`` says with what."""

    by: RefusedBy = RefusedBy.ANY


@dataclass(frozen=True, slots=True)
class Dropped:
    """Silence: no answer, no ICMP error, no RST."""


@dataclass(frozen=True, slots=True)
class NoRoute:
    """The client has no route to the address, or is told so by a router."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody answers; whether that shows as silence or as a router's error is for the network beyond to say."""


@dataclass(frozen=True, slots=True)
class TooBig:
    """The client is told, by an ICMP error about what it sent, that the path behind the Service has this MTU."""

    mtu: int


@dataclass(frozen=True, slots=True)
class Resolves:
    """A DNS question has exactly these answers (record data in presentation form), in any order."""

    answers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unspecified:
    """The API leaves this open: dialled and recorded, never judged."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pins:
    """Session affinity port by port: the dials of one port and round end at one of ``targets``.

    Ports choose independently of each other. ``forgets``: the pins have expired between two rounds, so that some port
    moves, given enough of them; otherwise none does. ``kept`` are the ports (the numbers dialled) whose client was tied
    to endpoints before, and to which: one of those answers.
    """

    targets: frozenset[Target]
    forgets: bool = False
    kept: tuple[tuple[int, frozenset[Target]], ...] = ()


@dataclass(frozen=True, slots=True)
class Tells:
    """An HTTP answer of kube-proxy: its status, and where not None its number of local endpoints, or its whole body.

    ``service`` (``namespace/name``): it names that Service, says that the proxy is healthy, and is not to be sniffed.
    """

    status: int
    local_endpoints: int | None = None
    body: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Quiet:
    """No packet to the watched networks is seen on the wires."""


@dataclass(frozen=True, slots=True)
class Faithful:
    """The rules that were read do what the API's objects ask for, and nothing else."""


@dataclass(frozen=True, slots=True)
class Shows:
    """Every node that was looked at meets all ``demands``."""

    demands: tuple[Demand | Either, ...]


@dataclass(frozen=True, slots=True)
class Decides:
    """The API server's answer: a refusal (HTTP ``status`` not 0) that names ``field`` where one is said, or an object.

    The object ``holds`` these values (path, value). None says that the path holds nothing; an ellipsis character that
    it holds something.
    """

    field: str = ""
    holds: tuple[tuple[str, object], ...] = ()
    status: int = 0


Outcome = (
    Reaches
    | Refused
    | Dropped
    | NoRoute
    | Unanswered
    | TooBig
    | Resolves
    | Pins
    | Tells
    | Quiet
    | Faithful
    | Shows
    | Decides
    | Unspecified
)


@dataclass(frozen=True, slots=True)
class Expectation:
    """An outcome and the argument for it, in order; the last reason is the one that decided."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
