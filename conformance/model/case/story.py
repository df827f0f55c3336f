"""A case: a promise, and the questions and changes that put it to the test."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from conformance.model.addresses import Family, Protocol
from conformance.model.case.policy_spec import PolicySpec
from conformance.model.case.refs import ClientRef, DestinationRef, host, nodes_themselves, uplink
from conformance.model.case.requests import Submission
from conformance.model.case.service_spec import ServiceSpec
from conformance.model.case.then import Then
from conformance.model.client import ClientKind
from conformance.model.demand import Aspect
from conformance.model.source import Source


class Level(Enum):
    """How strongly the promise binds: the API promises, the documentation says, or it is only reported."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    CHECK = "CHECK"


@dataclass(frozen=True, slots=True)
class Dialling:
    """Who dials what, and how where the usual way will not do.

    ``times``: so many dials instead of as many as the number of endpoints demands. ``flow``: the exchanges of one
    connection (TCP) or source port (UDP) that lives on, under this name, in later steps of the case. ``rounds``: every
    port of the Service is dialled at each of these seconds. ``size``: bytes of each question and answer. ``pin``: under
    this name the case remembers, port by port, which endpoints the client is tied to, by affinity or because a hostPort
    has the node port's number; it goes with ``rounds``. ``source_port``: where each dial comes from (0: a new one each
    time). ``fits``: each question is one datagram that fills the path's MTU and may not be cut. ``too_big``: the
    endpoint, of breed RAW, answers with the ICMP error of a router whose next link has this MTU. ``promptly``: it
    counts how often the client's kernel had to send something again.
    """

    destination: DestinationRef
    client: ClientRef
    times: int | None = None
    flow: str = ""
    rounds: tuple[float, ...] = ()
    size: int = 0
    pin: str = ""
    source_port: int = 0
    fits: bool = False
    too_big: int = 0
    promptly: bool = False


def dial(
    destination: DestinationRef,
    *,
    client: ClientRef,
    times: int | None = None,
    flow: str = "",
    rounds: tuple[float, ...] = (),
    size: int = 0,
    pin: str = "",
    source_port: int = 0,
    fits: bool = False,
    too_big: int = 0,
    promptly: bool = False,
) -> Dialling:
    """One client dialling one destination."""
    return Dialling(destination, client, times, flow, rounds, size, pin, source_port, fits, too_big, promptly)


def watch(role: str) -> Dialling:
    """The wires of the role's node, watched while the same step's dials are made."""
    return Dialling(uplink(role), host(role))


def look(aspect: Aspect) -> Dialling:
    """Every node of the run, looked at."""
    return Dialling(nodes_themselves(aspect), ClientRef(ClientKind.NODE))


@dataclass(frozen=True, slots=True)
class Ask:
    """One question of a case, and what must follow; ``name`` tells it from the case's others, in its ID.

    ``then`` None: the oracle alone says.
    """

    name: str
    what: Dialling | Submission
    then: Then | None = None


@dataclass(frozen=True, slots=True)
class Become:
    """From here on exactly these Services exist: a Service of the same name is changed, one that is missing deleted.

    Likewise with NetworkPolicies; ``policies`` None leaves them as they are.
    """

    services: tuple[ServiceSpec, ...]
    policies: tuple[PolicySpec, ...] | None = None


class Disruption(Enum):
    """What is done to the cluster itself; the value completes "while"."""

    RESTART_PROXY = "kube-proxy restarts"
    RESTART_CNI_AGENT = "the pod network's agent restarts"
    DELETE_RULES = "somebody has deleted kube-proxy's tables"


@dataclass(frozen=True, slots=True)
class Disturb:
    """From here on, until the next change of Services, this goes on at the role's node; others may notice it."""

    what: Disruption
    role: str


def disturb(what: Disruption, role: str) -> Disturb:
    """A disturbance of the cluster itself, under way while the next questions are asked."""
    return Disturb(what, role)


def ask(name: str, what: Dialling | Submission, then: Then | None = None) -> Ask:
    """A question of a case."""
    return Ask(name, what, then)


def becomes(*services: ServiceSpec, policies: tuple[PolicySpec, ...] | None = None) -> Become:
    """What exists from here on; nothing, if nothing is said. Policies stay where none are said."""
    return Become(services, policies)


Step = Ask | Become | Disturb


class Vantage(Enum):
    """Places that not every cluster offers."""

    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Need:
    """What a case needs: a number of nodes in so many zones, a vantage point, so many IP families, or a version.

    ``rules``: to read the nodes' rules, ``hosts``: to enter the nodes themselves, which a user must permit.
    ``host_ports``: a pod network that offers hostPorts. ``agent``: one whose agents are a DaemonSet's that is known.
    """

    nodes: int = 1
    vantage: Vantage | None = None
    zones: int = 1
    since: tuple[int, int] = (0, 0)
    families: int = 0  # any number
    rules: bool = False
    hosts: bool = False
    host_ports: bool = False
    agent: bool = False


def nodes(count: int) -> Need:
    """At least ``count`` schedulable nodes."""
    return Need(nodes=count)


def zones(count: int) -> Need:
    """Nodes a, b, c ... in at least ``count`` different zones."""
    return Need(zones=count)


def since(major: int, minor: int) -> Need:
    """The Kubernetes version that first has, without being asked for it, what the case is about."""
    return Need(since=(major, minor))


def vantage(kind: Vantage) -> Need:
    """A place to dial from that the user must provide."""
    return Need(vantage=kind)


def readable_rules() -> Need:
    """A way to read kube-proxy's table on the nodes."""
    return Need(rules=True)


def enterable_hosts() -> Need:
    """A way into the nodes' own file system."""
    return Need(hosts=True)


def offered_host_ports() -> Need:
    """A pod network of which nobody says that it offers no hostPorts, as plugins need not."""
    return Need(host_ports=True)


def known_agent() -> Need:
    """A pod network of which it is known which DaemonSet's pods are its agents."""
    return Need(agent=True)


def dual_stack() -> Need:
    """A cluster whose Services have both IP families."""
    return Need(families=2)


def single_stack() -> Need:
    """A cluster whose Services have one IP family."""
    return Need(families=1)


BOTH_FAMILIES = (Family.IPV4, Family.IPV6)
TCP_AND_UDP = (Protocol.TCP, Protocol.UDP)


@dataclass(frozen=True, slots=True)
class Axes:
    """The families and protocols that a case is multiplied by; an empty axis is none."""

    family: tuple[Family, ...] = BOTH_FAMILIES
    protocol: tuple[Protocol, ...] = TCP_AND_UDP


def axes(family: Iterable[Family] = BOTH_FAMILIES, protocol: Iterable[Protocol] = TCP_AND_UDP) -> Axes:
    """The axes of a case; IDs become ``ETP-03.ipv4-tcp``."""
    return Axes(tuple(family), tuple(protocol))


class Profile(Enum):
    """Who must keep the promise: every Service implementation, or kube-proxy in nftables mode only."""

    CORE = "core"
    KUBE_PROXY_NFTABLES = "kube-proxy-nftables"

    def includes(self, other: Profile) -> bool:
        """Whether a run with this profile asks promises of ``other``: core is part of every profile."""
        return other in (Profile.CORE, self)


@dataclass(frozen=True, slots=True)
class Case:
    """One promise and how it is put to the test; ``id`` is written by hand and never used again.

    Most cases dial once: ``when``, ``then``. Others are a story: ``steps``, questions and changes in their order.
    ``policies`` are the NetworkPolicies that exist from the beginning. ``covers`` are rows of the coverage table
    (`conformance.spec.coverage`). ``alone``: a process asks it after all its others, for where the promise is broken
    other Services suffer.
    """

    id: str
    promise: str
    level: Level
    sources: tuple[Source, ...]
    catches: tuple[Enum, ...]  # members of conformance.spec.faults.Fault; the model imports nothing above it
    given: ServiceSpec | tuple[ServiceSpec, ...]
    when: Dialling | None = None
    then: Then | None = None
    steps: tuple[Step, ...] = ()
    needs: tuple[Need, ...] = ()
    across: Axes = field(default_factory=Axes)
    profile: Profile = Profile.CORE
    covers: tuple[str, ...] = ()
    alone: bool = False
    policies: tuple[PolicySpec, ...] = ()

    @property
    def services(self) -> tuple[ServiceSpec, ...]:
        """What is given, as a tuple."""
        return self.given if isinstance(self.given, tuple) else (self.given,)

    @property
    def disruptive(self) -> bool:
        """Whether it disturbs others: asked only of who permits it, and by itself."""
        return any(isinstance(step, Disturb) for step in self.steps)

    @property
    def story(self) -> tuple[Step, ...]:
        """The steps; of a case that dials once, that one question, without a name."""
        if self.when is not None and self.then is not None:
            return (Ask("", self.when, self.then),)
        return self.steps


@dataclass(frozen=True, slots=True)
class Matrix:
    """Service variants, each dialled from every client position at every listed address; the oracle alone judges."""

    id: str
    promise: str
    services: tuple[ServiceSpec, ...]
    destinations: tuple[DestinationRef, ...]
    sources: tuple[Source, ...]
    across: Axes = field(default_factory=Axes)
    profile: Profile = Profile.CORE
    level: Level = Level.MUST
    covers: tuple[str, ...] = ()
