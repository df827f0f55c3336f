"""NodePort: served on every node's primary address, and on no other."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    Level,
    Matrix,
    Profile,
    SeenSource,
    Vantage,
    dial,
    endpoint,
    external,
    host,
    node_port,
    node_port_loopback,
    node_port_secondary,
    nodes,
    on,
    on_host,
    pod,
    service,
    vantage,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import NFTABLES_DIFFERENCES, NODE_PORT, NODE_PORT_ADDRESSES, SERVICE_TYPE, SOURCE_IP
from suites.variants import variants

NP = ServiceType.NODE_PORT

CASES = (
    Case(
        id="NP-01",
        promise="A client outside the cluster reaches every endpoint at the node port of a node without endpoints.",
        level=Level.MUST,
        sources=(NODE_PORT, SOURCE_IP),
        catches=(Fault.NODE_PORT_NOT_SERVED, Fault.NO_MASQUERADE),
        given=service(NP, endpoints=on("a", "b")),
        when=dial(node_port("c"), client=external()),
        then=Answered(on("a", "b"), source=SeenSource.NODE),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
    ),
    Case(
        id="NP-02",
        promise="A pod reaches every endpoint at the node port of its own node.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(Fault.NODE_PORT_NOT_SERVED, Fault.ENDPOINT_LEFT_OUT),
        given=service(NP, endpoints=on("a", "b")),
        when=dial(node_port("a"), client=pod("a")),
        then=Answered(on("a", "b"), source=SeenSource.NODE),
        needs=(nodes(2),),
    ),
    Case(
        id="NP-03",
        promise="A pod reaches the endpoints at the node port of another node.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(Fault.NODE_PORT_NOT_SERVED, Fault.NO_MASQUERADE),
        given=service(NP, endpoints=on("a")),
        when=dial(node_port("b"), client=pod("a")),
        then=Answered(on("a"), source=SeenSource.NODE),
        needs=(nodes(2),),
    ),
    Case(
        id="NP-04",
        promise="A node's own process reaches the endpoints at the node's own node port.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(Fault.NODE_PORT_NOT_SERVED,),
        given=service(NP, endpoints=on("a")),
        when=dial(node_port("b"), client=host("b")),
        then=Answered(on("a"), source=SeenSource.NODE),
        needs=(nodes(2),),
    ),
    Case(
        id="NP-05",
        promise="In nftables mode a node port is not served on an address that is not the node's primary one.",
        level=Level.SHOULD,
        sources=(NFTABLES_DIFFERENCES, NODE_PORT_ADDRESSES),
        catches=(Fault.NODE_PORT_ON_EVERY_ADDRESS,),
        given=service(NP, endpoints=on("a")),
        when=dial(node_port_secondary("a"), client=pod("b")),
        then=Refused(),
        needs=(nodes(2),),
        profile=Profile.KUBE_PROXY_NFTABLES,
    ),
    Case(
        id="NP-06",
        promise="In nftables mode a node port is not served on the loopback address.",
        level=Level.SHOULD,
        sources=(NFTABLES_DIFFERENCES,),
        catches=(Fault.NODE_PORT_ON_LOOPBACK,),
        given=service(NP, endpoints=on("a")),
        when=dial(node_port_loopback(), client=host("a")),
        then=Refused(),
        profile=Profile.KUBE_PROXY_NFTABLES,
    ),
    Case(
        id="NP-07",
        promise="An endpoint reaches itself through its own node's node port (hairpin).",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(Fault.NO_HAIRPIN, Fault.NO_MASQUERADE),
        given=service(NP, endpoints=on("a")),
        when=dial(node_port("a"), client=endpoint("a")),
        then=Answered(on("a"), source=SeenSource.NODE),
    ),
    Case(
        id="NP-08",
        promise="A node port reaches an endpoint in a node's own network namespace.",
        level=Level.MUST,
        sources=(NODE_PORT, SERVICE_TYPE),
        catches=(Fault.NODE_PORT_NOT_SERVED,),
        given=service(NP, endpoints=on_host("b")),
        when=dial(node_port("a"), client=pod("a")),
        then=Answered(on_host("b"), source=SeenSource.NODE),
        needs=(nodes(2),),
    ),
    Case(
        id="NP-09",
        promise="A node port without any endpoint is refused.",
        level=Level.SHOULD,
        sources=(NODE_PORT, NFTABLES_DIFFERENCES),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=service(NP, endpoints=on()),
        when=dial(node_port("b"), client=pod("a")),
        then=Refused(RefusedBy.ICMP),
        needs=(nodes(2),),
    ),
)

_BOTH = (Policy.CLUSTER, Policy.LOCAL)

MATRICES = (
    Matrix(
        id="NPM",
        promise="Every client gets at a node port what the Service's policies, affinity and endpoints promise.",
        services=variants(NP, external=_BOTH),
        destinations=(node_port("a"), node_port("b"), node_port("c")),
        sources=(NODE_PORT,),
    ),
    Matrix(
        id="NPS",
        promise="A node port is served on the addresses that nodePortAddresses names, and on no other.",
        services=variants(NP, external=_BOTH, affinity=(False,)),
        destinations=(node_port_secondary("a"), node_port_loopback()),
        sources=(NODE_PORT_ADDRESSES, NFTABLES_DIFFERENCES),
        profile=Profile.KUBE_PROXY_NFTABLES,
        level=Level.SHOULD,
    ),
)
