"""NodePort: served on every node's primary address, and on no other."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Breed,
    Case,
    ClientRef,
    Dialling,
    Level,
    Matrix,
    PortSpec,
    Profile,
    SeenSource,
    Vantage,
    ask,
    axes,
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
from conformance.spec.sources import (
    NFTABLES_DIFFERENCES,
    NODE_PORT,
    NODE_PORT_ADDRESSES,
    SERVICE_PORTS,
    SERVICE_TYPE,
    SOURCE_IP,
)
from suites.nodeport.changes import CHANGES
from suites.variants import variants

NP = ServiceType.NODE_PORT

_SCTP = service(NP, endpoints=on("a", "b", breed=Breed.RAW), ports=(PortSpec("sctp", Protocol.SCTP),))
_ONE_SOURCE_PORT = 21017  # below every usual range of ephemeral ports


def _from_one_port(client: ClientRef) -> Dialling:
    """Exchanges of one connection, or one UDP flow, through node b, that go on while others do the same."""
    return dial(node_port("b"), client=client, flow=client.label, source_port=_ONE_SOURCE_PORT)


CASES: tuple[Case, ...] = (
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
        covers=("B06", "B17"),
    ),
    Case(
        id="NP-02",
        promise="A pod reaches every endpoint at the node port of its own node.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(Fault.NODE_PORT_NOT_SERVED, Fault.ENDPOINT_LEFT_OUT, Fault.SOME_CONNECTIONS_LOST),
        given=service(NP, endpoints=on("a", "b")),
        when=dial(node_port("a"), client=pod("a")),
        then=Answered(on("a", "b"), source=SeenSource.NODE),
        needs=(nodes(2),),
        covers=("B01", "B02"),
    ),
    Case(
        id="NP-03",
        promise="A pod reaches the endpoints at the node port of another node.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(Fault.NODE_PORT_NOT_SERVED, Fault.NO_MASQUERADE, Fault.ONE_NODE_WRONG),
        given=service(NP, endpoints=on("a")),
        when=dial(node_port("b"), client=pod("a")),
        then=Answered(on("a"), source=SeenSource.NODE),
        needs=(nodes(2),),
        covers=("B01", "B02"),
    ),
    Case(
        id="NP-04",
        promise="A node's own process reaches the endpoints at the node's own node port.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(Fault.NODE_PORT_NOT_SERVED, Fault.BASE_JUMP_MISSING),
        given=service(NP, endpoints=on("a")),
        when=dial(node_port("b"), client=host("b")),
        then=Answered(on("a"), source=SeenSource.NODE),
        needs=(nodes(2),),
        covers=("B04",),
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
        covers=("B08",),
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
        covers=("B09",),
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
        covers=("A09",),
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
        covers=("B16",),
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
    Case(
        id="NP-10",
        promise="Over SCTP, a pod reaches every endpoint at the node port of its own node and of another.",
        level=Level.SHOULD,
        sources=(NODE_PORT, SERVICE_PORTS),
        catches=(Fault.ONE_PROTOCOL_MISSING, Fault.NODE_PORT_NOT_SERVED),
        given=_SCTP,
        steps=(
            ask("own", dial(node_port("a"), client=pod("a")), Answered(_SCTP.endpoints, SeenSource.NODE)),
            ask("other", dial(node_port("b"), client=pod("a")), Answered(_SCTP.endpoints, SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(Protocol.SCTP,)),
        covers=("B03",),
    ),
    Case(
        id="NP-11",
        promise="Over SCTP, a node's own process reaches every endpoint at its own node port and at another node's.",
        level=Level.SHOULD,
        sources=(NODE_PORT, SERVICE_PORTS),
        catches=(Fault.ONE_PROTOCOL_MISSING, Fault.NODE_PORT_NOT_SERVED, Fault.BASE_JUMP_MISSING),
        given=_SCTP,
        steps=(
            ask("own", dial(node_port("a"), client=host("a")), Answered(_SCTP.endpoints, SeenSource.NODE)),
            ask("other", dial(node_port("b"), client=host("a")), Answered(_SCTP.endpoints, SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(Protocol.SCTP,)),
        covers=("B05",),
    ),
    Case(
        id="NP-17",
        promise="Two clients with one source port, masqueraded by one node, reach one endpoint at the same time.",
        level=Level.MUST,
        sources=(NODE_PORT, SOURCE_IP),
        catches=(Fault.SOURCE_PORTS_CLASH, Fault.NO_MASQUERADE),
        given=service(NP, endpoints=on("a")),
        steps=(
            ask("one", _from_one_port(pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("two", _from_one_port(pod("c")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(3),),
        covers=("B18",),
    ),
    Case(
        id="NP-19",
        promise="A node's own process reaches the endpoints at the node port of another node.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(Fault.NODE_PORT_NOT_SERVED, Fault.NO_MASQUERADE),
        given=service(NP, endpoints=on("a", "b")),
        when=dial(node_port("c"), client=host("a")),
        then=Answered(on("a", "b"), source=SeenSource.NODE),
        needs=(nodes(3),),
        covers=("B04",),
    ),
    *CHANGES,
)

_BOTH = (Policy.CLUSTER, Policy.LOCAL)

MATRICES = (
    Matrix(
        id="NPM",
        promise="Every client gets at a node port what the Service's policies, affinity and endpoints promise.",
        services=variants(NP, external=_BOTH),
        destinations=(node_port("a"), node_port("b"), node_port("c")),
        sources=(NODE_PORT,),
        covers=("B01", "B02", "B04", "B06", "B07", "B16", "B17", "A14"),
    ),
    Matrix(
        id="NPS",
        promise="A node port is served on the addresses that nodePortAddresses names, and on no other.",
        services=variants(NP, external=_BOTH, affinity=(False,)),
        destinations=(node_port_secondary("a"), node_port_loopback()),
        sources=(NODE_PORT_ADDRESSES, NFTABLES_DIFFERENCES),
        profile=Profile.KUBE_PROXY_NFTABLES,
        level=Level.SHOULD,
        covers=("B08", "B09"),
    ),
)
