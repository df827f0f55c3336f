"""Who dials, and what is dialled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from conformance.model.addresses import Family, Protocol


class ClientKind(Enum):
    """A client position; which rules a packet meets depends on nothing else about the client."""

    POD = "pod"
    NODE = "node"  # a process in the node's own network namespace (host-network pod)
    EXTERNAL = "external"
    API = "api"  # nobody dials: the API server is asked


@dataclass(frozen=True, slots=True)
class Client:
    """A concrete place from which to dial.

    ``node`` is where it runs; for an external client the node through which its packets to Service addresses enter.
    ``addresses`` are its own (one per family); for NODE clients they may be empty: the node's are meant.
    """

    name: str
    kind: ClientKind
    node: str
    addresses: tuple[str, ...] = ()

    def address(self, family: Family) -> str | None:
        """Its address of ``family``, or None."""
        return next((a for a in self.addresses if Family.of(a) is family), None)


class DestinationKind(Enum):
    """What the dialled address is to the Service."""

    CLUSTER_IP = "clusterIP"
    CLUSTER_IP_OTHER_PORT = "clusterIP-badport"  # a port that the Service does not have
    NODE_PORT = "nodePort"  # a node's primary address
    NODE_PORT_SECONDARY = "nodePort-secondary"  # another address of the node
    NODE_PORT_LOOPBACK = "nodePort-loopback"
    HOST_PORT = "hostPort"  # a port of a node that leads to a pod of it, without any Service
    EXTERNAL_IP = "externalIP"
    LOAD_BALANCER = "loadBalancer"
    POD = "pod"  # an endpoint's own address, past every Service
    HEALTH_CHECK = "healthCheckNodePort"  # asked over HTTP
    PROXY_PAGE = "kube-proxy"  # a page of kube-proxy itself
    LOOKUP = "dns"  # the cluster's DNS Service, asked for a name of the Service
    UPLINK = "uplink"  # a node's wires, watched
    RULES = "rules"  # kube-proxy's table on a node, read
    NODE = "node"  # a node itself, looked at
    API = "api"


@dataclass(frozen=True, slots=True)
class Destination:
    """A concrete address to dial, of Service ``service`` (``namespace/name``).

    ``port_name`` is the Service port that is meant (empty when none is, as for a port the Service does not have);
    ``node`` is the node whose address it is, empty when it is nobody's. ``word`` is what the kind needs besides: the
    path of a page, the record and name of a lookup, the networks watched on an uplink.
    """

    kind: DestinationKind
    ip: str
    port: int
    protocol: Protocol
    service: str
    port_name: str = ""
    node: str = ""
    word: str = ""

    @property
    def family(self) -> Family:
        """The family of ``ip``."""
        return Family.of(self.ip)
