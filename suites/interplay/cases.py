"""What must hold whatever others have put on a node: asked at the node that most often has something of its own.

In iptables mode kube-proxy accepts what it forwards (KUBE-FORWARD) and opens node ports (KUBE-NODEPORTS); in nftables
mode it does neither, and no table can overrule another's drop: a firewall has to name what is to pass.
"""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    Level,
    Matrix,
    ResolvesTo,
    SeenSource,
    Vantage,
    ask,
    becomes,
    cluster_ip,
    dial,
    external,
    host,
    lookup,
    node_port,
    nodes,
    on,
    on_host,
    pod,
    service,
    vantage,
)
from conformance.model.kube import ServiceType
from conformance.model.outcome import Dropped
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    DNS_PAGE,
    DNS_SPECIFICATION,
    NFTABLES_DIFFERENCES,
    NFTABLES_KEP,
    NODE_PORT,
    SERVICE_TYPE,
    VIRTUAL_IPS,
)

_ADDRESSES = ResolvesTo(ResolvesTo.What.CLUSTER_IPS)
_NOW = service(endpoints=on("a"), called="ipl-05")

CASES: tuple[Case, ...] = (
    Case(
        id="IPL-01",
        promise="What pods send to a Service is forwarded to other nodes, whatever other tables their node has.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, NFTABLES_DIFFERENCES),
        catches=(Fault.FOREIGN_POLICY_DROPS, Fault.FOREIGN_REJECTS_TRANSLATED),
        given=service(endpoints=on("a")),
        when=dial(cluster_ip(), client=pod("c")),
        then=Answered(on("a"), SeenSource.CLIENT),
        needs=(nodes(3),),
        covers=("O14",),
    ),
    Case(
        id="IPL-02",
        promise="What comes to a node port from outside is forwarded to pods of the node and of others, whatever other "
        "tables the node has.",
        level=Level.MUST,
        sources=(NODE_PORT, NFTABLES_DIFFERENCES),
        catches=(Fault.FOREIGN_POLICY_DROPS, Fault.FOREIGN_REJECTS_TRANSLATED),
        given=service(ServiceType.NODE_PORT, endpoints=on("a", "c")),
        when=dial(node_port("c"), client=external("c")),
        then=Answered(on("a", "c")),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("O14",),
    ),
    Case(
        id="IPL-03",
        promise="A node port leads to an endpoint on the node's own network, whatever other tables the node has.",
        level=Level.MUST,
        sources=(NODE_PORT, NFTABLES_DIFFERENCES),
        catches=(Fault.FOREIGN_INPUT_DROPS,),
        given=service(ServiceType.NODE_PORT, endpoints=on_host("c")),
        when=dial(node_port("c"), client=external("c")),
        then=Answered(on_host("c")),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("O14",),
    ),
    Case(
        id="IPL-04",
        promise="Pods and nodes get answers from cluster DNS at its ClusterIP over UDP and TCP, whoever answers.",
        level=Level.MUST,
        sources=(DNS_PAGE, DNS_SPECIFICATION),
        catches=(Fault.DNS_NOT_TRACKED,),
        given=service(endpoints=on("a")),
        steps=(
            ask("pod", dial(lookup("A"), client=pod("c")), _ADDRESSES),
            ask("node", dial(lookup("A"), client=host("c")), _ADDRESSES),
        ),
        needs=(nodes(3),),
    ),
    Case(
        id="IPL-05",
        promise="A Service is served by what kube-proxy writes now, and by nothing that it, or another mode of it, has "
        "written before: once deleted, by nothing at all.",
        level=Level.MUST,
        sources=(VIRTUAL_IPS, NFTABLES_KEP),
        catches=(Fault.OLD_RULES_INTERCEPT,),
        given=_NOW,
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("c")), Answered(on("a"))),
            ask("node", dial(cluster_ip(), client=host("c")), Answered(on("a"))),
            becomes(),
            ask("deleted", dial(cluster_ip("ipl-05", former=True), client=pod("c")), Dropped()),
        ),
        needs=(nodes(3),),
        covers=("N10",),
    ),
)
MATRICES: tuple[Matrix, ...] = ()
