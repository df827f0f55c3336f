"""A case: one promise, what is given, what is dialled and what must follow, all in terms of node roles.

Roles are letters: node ``a`` is the first node that the plan chose, ``b`` the second, and so on. A case never names a
node, an address or a port of a particular cluster; `conformance.plan` binds roles to what is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from conformance.model.addresses import Family, Protocol
from conformance.model.client import ClientKind, DestinationKind
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped, Refused
from conformance.model.source import Source


class Level(Enum):
    """How strongly the promise binds: the API promises, the documentation says, or it is only reported."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    CHECK = "CHECK"


@dataclass(frozen=True, slots=True, order=True)
class Backend:
    """A pod that answers, by its node's role; one pod serves every Service that wants it."""

    role: str
    host_network: bool = False

    @property
    def name(self) -> str:
        """The pod's name in the run's namespace, and the name it answers with."""
        return f"{'host' if self.host_network else 'web'}-{self.role}"


def on(*roles: str) -> tuple[Backend, ...]:
    """Pod-network backends, one on each role's node; ``on()`` is no endpoint at all."""
    return tuple(Backend(role) for role in roles)


def on_host(*roles: str) -> tuple[Backend, ...]:
    """Host-network backends, one on each role's node."""
    return tuple(Backend(role, host_network=True) for role in roles)


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A Service to create: both protocols on one port number, dual-stack where the cluster is."""

    type: ServiceType
    endpoints: tuple[Backend, ...]
    internal_policy: Policy = Policy.CLUSTER
    external_policy: Policy = Policy.CLUSTER
    affinity: bool = False
    external_ip: bool = False

    @property
    def name(self) -> str:
        """A stable, readable name: equal specs share one Service, e.g. ``np-etpl-aff-web-a-web-b``."""
        short = {
            ServiceType.CLUSTER_IP: "cip",
            ServiceType.NODE_PORT: "np",
            ServiceType.LOAD_BALANCER: "lb",
            ServiceType.EXTERNAL_NAME: "ext",
        }[self.type]
        words = [
            short,
            "eip" if self.external_ip else "",
            "itpl" if self.internal_policy is Policy.LOCAL else "",
            "etpl" if self.external_policy is Policy.LOCAL else "",
            "aff" if self.affinity else "",
            *([b.name for b in self.endpoints] or ["none"]),
        ]
        return "-".join(w for w in words if w)


def service(
    type: ServiceType = ServiceType.CLUSTER_IP,  # noqa: A002  the API's own word, used as a keyword in every row
    *,
    endpoints: tuple[Backend, ...],
    internal_policy: Policy = Policy.CLUSTER,
    external_policy: Policy = Policy.CLUSTER,
    affinity: bool = False,
    external_ip: bool = False,
) -> ServiceSpec:
    """The Service that a case is about; what is not said has the API's default."""
    return ServiceSpec(type, endpoints, internal_policy, external_policy, affinity, external_ip)


@dataclass(frozen=True, slots=True, order=True)
class ClientRef:
    """A client position by role: on which node, or for EXTERNAL through which; ``own_pod`` is an endpoint dialling."""

    kind: ClientKind
    role: str = ""
    own_pod: bool = False

    @property
    def label(self) -> str:
        """The word used in IDs, e.g. ``pod-a``, ``endpoint-a``, ``node-b``, ``external-a``."""
        word = "endpoint" if self.own_pod else self.kind.value
        return f"{word}-{self.role}" if self.role else word


def pod(role: str) -> ClientRef:
    """A client pod on the role's node that is no endpoint of anything."""
    return ClientRef(ClientKind.POD, role)


def endpoint(role: str) -> ClientRef:
    """The endpoint pod on the role's node, dialling the Service that it serves (hairpin)."""
    return ClientRef(ClientKind.POD, role, own_pod=True)


def host(role: str) -> ClientRef:
    """A process in the node's own network namespace."""
    return ClientRef(ClientKind.NODE, role)


def external(role: str = "") -> ClientRef:
    """A client outside the cluster whose packets to Service addresses enter through the role's node."""
    return ClientRef(ClientKind.EXTERNAL, role)


@dataclass(frozen=True, slots=True, order=True)
class DestinationRef:
    """What is dialled, by role: ``role`` is the node whose address it is, where it is a node's."""

    kind: DestinationKind
    role: str = ""

    @property
    def label(self) -> str:
        """The word used in IDs, e.g. ``clusterIP``, ``nodePort-b``."""
        return f"{self.kind.value}-{self.role}" if self.role else self.kind.value


def cluster_ip() -> DestinationRef:
    """The Service's ClusterIP and port."""
    return DestinationRef(DestinationKind.CLUSTER_IP)


def cluster_ip_other_port() -> DestinationRef:
    """The Service's ClusterIP at a port that the Service does not have."""
    return DestinationRef(DestinationKind.CLUSTER_IP_OTHER_PORT)


def node_port(role: str) -> DestinationRef:
    """The Service's node port on the role's node's primary address."""
    return DestinationRef(DestinationKind.NODE_PORT, role)


def node_port_secondary(role: str) -> DestinationRef:
    """The Service's node port on an address of the node that is not its primary one."""
    return DestinationRef(DestinationKind.NODE_PORT_SECONDARY, role)


def node_port_loopback() -> DestinationRef:
    """The Service's node port on the client's own loopback address."""
    return DestinationRef(DestinationKind.NODE_PORT_LOOPBACK)


def external_ip() -> DestinationRef:
    """The Service's external IP and port."""
    return DestinationRef(DestinationKind.EXTERNAL_IP)


def load_balancer() -> DestinationRef:
    """The address that the load balancer gave the Service."""
    return DestinationRef(DestinationKind.LOAD_BALANCER)


class SeenSource(Enum):
    """The source address that the endpoint must see: the client's own, one of a node's, or either."""

    CLIENT = "client"
    NODE = "node"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Answered:
    """Every dial is answered by one of ``endpoints``; by all of them in turn unless ``sticky``."""

    endpoints: tuple[Backend, ...]
    source: SeenSource = SeenSource.ANY
    sticky: bool = False


Then = Answered | Refused | Dropped


@dataclass(frozen=True, slots=True)
class Dialling:
    """Who dials what."""

    destination: DestinationRef
    client: ClientRef


def dial(destination: DestinationRef, *, client: ClientRef) -> Dialling:
    """One client dialling one destination, as often as the number of endpoints demands."""
    return Dialling(destination, client)


class Vantage(Enum):
    """Places that not every cluster offers."""

    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Need:
    """What a case needs of the cluster: a number of nodes, or a vantage point."""

    nodes: int = 1
    vantage: Vantage | None = None


def nodes(count: int) -> Need:
    """At least ``count`` schedulable nodes."""
    return Need(nodes=count)


def vantage(kind: Vantage) -> Need:
    """A place to dial from that the user must provide."""
    return Need(vantage=kind)


BOTH_FAMILIES = (Family.IPV4, Family.IPV6)
TCP_AND_UDP = (Protocol.TCP, Protocol.UDP)


@dataclass(frozen=True, slots=True)
class Axes:
    """The families and protocols that a case is multiplied by."""

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
    """One promise and how it is put to the test; ``id`` is written by hand and never used again."""

    id: str
    promise: str
    level: Level
    sources: tuple[Source, ...]
    catches: tuple[Enum, ...]  # members of conformance.spec.faults.Fault; the model imports nothing above it
    given: ServiceSpec
    when: Dialling
    then: Then
    needs: tuple[Need, ...] = ()
    across: Axes = field(default_factory=Axes)
    profile: Profile = Profile.CORE


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
