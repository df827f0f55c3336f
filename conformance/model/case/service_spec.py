"""A Service to create, in terms of roles: what a case is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from conformance.model.addresses import Family, Protocol
from conformance.model.case.backend import Backend
from conformance.model.case.refs import ClientRef
from conformance.model.kube import IPMode, Policy, ServiceType

SERVICE_PORT = 80


@dataclass(frozen=True, slots=True)
class PortSpec:
    """A port of a Service. ``target`` None is the backends' own port number; a word is a container port's name.

    ``number`` 0 is the backends' own port number, with ``targetPort`` left out, and `AS_HOST_PORT` that of the PORTED
    backends' hostPort.
    """

    name: str
    protocol: Protocol
    number: int = SERVICE_PORT
    target: int | str | None = None
    node_port: int = 0


AS_HOST_PORT = -1
BOTH = (PortSpec("tcp", Protocol.TCP), PortSpec("udp", Protocol.UDP))
"""TCP and UDP on one port number."""


def numbered(node_port: int) -> tuple[PortSpec, ...]:
    """The same, on the ``node_port``-th node port that the run names: no other Service is given that one by chance."""
    return tuple(replace(port, node_port=node_port) for port in BOTH)


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """An endpoint of a hand-made slice: a backend's address, conditions (None: not said) and hints, by role.

    ``named``: it has a hostname of its own, the backend's name.
    """

    backend: Backend
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None
    hint_zones: tuple[str, ...] = ()  # roles of nodes whose zones are meant
    hint_nodes: tuple[str, ...] = ()  # roles of nodes
    node: str = "own"  # role of the node that nodeName says; "own": the backend's; "": none said
    named: bool = False


@dataclass(frozen=True, slots=True)
class SlicePort:
    """A port of a hand-made slice; ``number`` None is the backends' own, 0 leaves the number out (every port)."""

    name: str
    protocol: Protocol
    number: int | None = None


@dataclass(frozen=True, slots=True)
class SliceSpec:
    """A hand-made EndpointSlice, made once a family of the Service; ``ports`` None are the Service's own.

    ``fqdn``: the addresses are host names instead. ``family`` restricts it to one.
    """

    endpoints: tuple[EndpointSpec, ...]
    ports: tuple[SlicePort, ...] | None = None
    family: Family | None = None
    fqdn: bool = False
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class IngressSpec:
    """A load balancer's address, written into the Service's status by hand; ``hostname`` has none.

    ``secondary_of`` is the role of the node whose address besides its primary one is the load balancer's.
    """

    mode: IPMode = IPMode.VIP
    hostname: bool = False
    secondary_of: str = ""


Range = ClientRef | str
"""Who may use a load balancer's address: a client's own addresses, or a literal CIDR."""


@dataclass(frozen=True)  # no slots: many cells share one, and ask for its name
class ServiceSpec:
    """A Service to create: both protocols on one port number and dual-stack where the cluster is, unless it says more.

    ``called`` names it where the derived name would not tell it from others. ``slices`` are its EndpointSlices where
    they are made by hand: it then has no selector, and ``endpoints`` is left empty. ``mirrored``: it has no selector
    either, and ``endpoints`` stand in an Endpoints object of the kit's, for the cluster to mirror. ``ingress`` None
    leaves the status to the cluster's load balancer controller. ``external_ip_of`` is the role of the node whose
    primary addresses are the Service's external IPs, ``shares_external_ip_of`` the Service whose external IPs are its
    own as well. ``reuses`` is the Service whose ClusterIP, external IPs and node ports it takes over.
    ``health_check_port`` n is the n-th node port that the run names itself, as healthCheckNodePort; 0 leaves it to the
    API server.
    """

    type: ServiceType = ServiceType.CLUSTER_IP
    endpoints: tuple[Backend, ...] = ()
    internal_policy: Policy = Policy.CLUSTER
    external_policy: Policy = Policy.CLUSTER
    affinity: bool = False
    external_ip: bool = False
    called: str = ""
    ports: tuple[PortSpec, ...] = BOTH
    affinity_seconds: int | None = None
    families: tuple[Family, ...] = ()  # none: as many as the cluster has, its primary one first
    labels: tuple[tuple[str, str], ...] = ()
    source_ranges: tuple[Range, ...] = ()
    ingress: tuple[IngressSpec, ...] | None = None
    allocate_node_ports: bool = True
    publish_not_ready: bool = False
    traffic_distribution: str = ""
    slices: tuple[SliceSpec, ...] | None = None
    mirrored: bool = False
    headless: bool = False
    external_name: str = ""
    external_ip_of: str = ""
    shares_external_ip_of: str = ""
    reuses: str = ""
    health_check_port: int = 0

    @cached_property
    def name(self) -> str:
        """A stable, readable name: equal specs share one Service, e.g. ``np-etpl-aff-web-a-web-b``."""
        if self.called:
            return self.called
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

    @cached_property
    def backends(self) -> tuple[Backend, ...]:
        """Everybody who may be asked to answer, chosen by selector or by hand."""
        by_hand = tuple(e.backend for s in self.slices or () for e in s.endpoints)
        return tuple(dict.fromkeys((*self.endpoints, *by_hand)))

    def but(self, **changes: Any) -> ServiceSpec:  # noqa: ANN401  the fields' own types
        """The same Service with these fields changed: what it becomes in the course of a case."""
        return replace(self, **changes)


service = ServiceSpec
"""How a row says it: ``service(NODE_PORT, endpoints=on("a"))``; what is not said has the API's default."""


def by_hand(*endpoints: EndpointSpec, ports: tuple[SlicePort, ...] | None = None) -> SliceSpec:
    """A hand-made slice of these endpoints."""
    return SliceSpec(endpoints, ports)


def draining(backend: Backend) -> EndpointSpec:
    """Terminating, but still serving."""
    return EndpointSpec(backend, ready=False, serving=True, terminating=True)
