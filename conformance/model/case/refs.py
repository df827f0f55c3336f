"""Who dials what, in terms of node roles: never a node, an address or a port of a particular cluster."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.model.case.backend import HOST_PORT, Breed
from conformance.model.client import ClientKind, DestinationKind
from conformance.model.demand import Aspect


@dataclass(frozen=True, slots=True, order=True)
class ClientRef:
    """A client position by role: on which node, or for EXTERNAL through which; ``own_pod`` is an endpoint dialling.

    ``breed`` is the endpoint's where it is not the usual one.
    """

    kind: ClientKind
    role: str = ""
    own_pod: bool = False
    breed: str = ""

    @property
    def label(self) -> str:
        """The word used in IDs, e.g. ``pod-a``, ``endpoint-a``, ``endpoint-raw-a``, ``node-b``, ``external-a``."""
        word = "endpoint" if self.own_pod else self.kind.value
        return "-".join(w for w in (word, self.breed, self.role) if w)


def pod(role: str) -> ClientRef:
    """A client pod on the role's node that is no endpoint of anything."""
    return ClientRef(ClientKind.POD, role)


def endpoint(role: str, *, breed: Breed = Breed.WEB) -> ClientRef:
    """The endpoint pod on the role's node, dialling the Service that it serves (hairpin)."""
    return ClientRef(ClientKind.POD, role, own_pod=True, breed="" if breed is Breed.WEB else breed.value)


def host(role: str) -> ClientRef:
    """A process in the node's own network namespace."""
    return ClientRef(ClientKind.NODE, role)


def external(role: str = "") -> ClientRef:
    """A client outside the cluster whose packets to Service addresses enter through the role's node."""
    return ClientRef(ClientKind.EXTERNAL, role)


WHOLE, SECONDARY = "whole", "secondary"
"""What of a healthCheckNodePort's answer counts, and at which address it is asked."""

API = ClientRef(ClientKind.API)
"""Nobody dials: the API server is asked."""


@dataclass(frozen=True, slots=True, order=True)
class DestinationRef:
    """What is dialled, by role: ``role`` is the node whose address it is, where it is a node's.

    ``of`` names the Service where a case has several (default: its first), ``port`` the Service port (default: the
    first of the cell's protocol). ``former``: the address that the Service had when it was first created. ``word`` is
    what the kind needs besides: the record type of a lookup, the backend's name of a pod address.
    """

    kind: DestinationKind
    role: str = ""
    of: str = ""
    port: str = ""
    former: bool = False
    word: str = ""

    @property
    def label(self) -> str:
        """The word used in IDs, e.g. ``clusterIP``, ``nodePort-b``."""
        parts = (self.kind.value, self.role, self.word.replace("/", "_"), "former" if self.former else "")
        return "-".join(p for p in parts if p)


def cluster_ip(of: str = "", *, port: str = "", former: bool = False) -> DestinationRef:
    """The Service's ClusterIP and port."""
    return DestinationRef(DestinationKind.CLUSTER_IP, of=of, port=port, former=former)


def cluster_ip_other_port(of: str = "") -> DestinationRef:
    """The Service's ClusterIP at a port that the Service does not have."""
    return DestinationRef(DestinationKind.CLUSTER_IP_OTHER_PORT, of=of)


def node_port(role: str, of: str = "", *, port: str = "", former: bool = False) -> DestinationRef:
    """The Service's node port on the role's node's primary address."""
    return DestinationRef(DestinationKind.NODE_PORT, role, of, port, former)


def node_port_secondary(role: str) -> DestinationRef:
    """The Service's node port on an address of the node that is not its primary one."""
    return DestinationRef(DestinationKind.NODE_PORT_SECONDARY, role)


def node_port_loopback() -> DestinationRef:
    """The Service's node port on the client's own loopback address."""
    return DestinationRef(DestinationKind.NODE_PORT_LOOPBACK)


def host_port(role: str, number: int = HOST_PORT, *, secondary: bool = False) -> DestinationRef:
    """A hostPort of the PORTED backend, at the role's node, whether or not it is the backend's.

    ``number`` is one of `conformance.model.case.backend`; ``secondary``: not at the node's primary address.
    """
    word = "-".join(w for w in (str(number), SECONDARY if secondary else "") if w)
    return DestinationRef(DestinationKind.HOST_PORT, role, word=word)


def external_ip(of: str = "", *, port: str = "", former: bool = False) -> DestinationRef:
    """The Service's external IP and port."""
    return DestinationRef(DestinationKind.EXTERNAL_IP, of=of, port=port, former=former)


def load_balancer(of: str = "", *, port: str = "", former: bool = False, number: int = 0) -> DestinationRef:
    """The address that the load balancer gave the Service; ``number`` counts them within a family."""
    word = str(number) if number else ""
    return DestinationRef(DestinationKind.LOAD_BALANCER, of=of, port=port, former=former, word=word)


def pod_address(backend: str) -> DestinationRef:
    """A backend's own address and port, past every Service; ``backend`` is its name, e.g. ``web-a``."""
    return DestinationRef(DestinationKind.POD, word=backend)


def health_check(
    role: str, of: str = "", *, former: bool = False, whole: bool = False, secondary: bool = False
) -> DestinationRef:
    """The Service's healthCheckNodePort on the role's node, asked over HTTP.

    ``whole``: everything that kube-proxy says there counts. ``secondary``: not at the node's primary address.
    """
    word = WHOLE if whole else SECONDARY if secondary else ""
    return DestinationRef(DestinationKind.HEALTH_CHECK, role, of, former=former, word=word)


def proxy_page(role: str, page: str) -> DestinationRef:
    """A page of kube-proxy itself on the role's node: ``healthz``, ``livez`` or ``proxyMode``, asked over HTTP."""
    return DestinationRef(DestinationKind.PROXY_PAGE, role, word=page)


def lookup(record: str, of: str = "", *, port: str = "", host: str = "") -> DestinationRef:
    """The cluster's DNS Service, asked for a record (A, AAAA, SRV, CNAME) of the Service's name.

    ``port`` is the port name of an SRV question, ``host`` a name below the Service's (headless: a backend's).
    """
    word = "/".join(w for w in (record, host) if w)
    return DestinationRef(DestinationKind.LOOKUP, of=of, port=port, word=word)


def rules(role: str) -> DestinationRef:
    """kube-proxy's table on the role's node, as the kit has read it after every step."""
    return DestinationRef(DestinationKind.RULES, role)


def nodes_themselves(aspect: Aspect) -> DestinationRef:
    """Something of every node of the run, as the kit has read it there."""
    return DestinationRef(DestinationKind.NODE, word=aspect.value)


def uplink(role: str) -> DestinationRef:
    """The role's node's wires, watched for packets to the Service CIDR."""
    return DestinationRef(DestinationKind.UPLINK, role)
