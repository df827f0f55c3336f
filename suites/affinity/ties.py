"""How long session affinity ties a client, to what, and what it must survive.

Which endpoint a client is tied to is chance. So these Services have several ports, for each is tied for itself: where
affinity is ignored all of six stay by chance once in 64 times, in both families once in 4,096; that 22 choices are all
the same happens once in two million. Not more than needed: each port and endpoint takes 2 MiB of kernel memory, in each
family on each node.
"""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Case,
    IngressSpec,
    Level,
    Pinned,
    PortSpec,
    Vantage,
    ask,
    axes,
    becomes,
    cluster_ip,
    dial,
    endpoint,
    external,
    external_ip,
    host,
    load_balancer,
    node_port,
    nodes,
    on,
    pod,
    service,
    vantage,
)
from conformance.model.kube import ServiceType
from conformance.spec.faults import Fault
from conformance.spec.sources import AFFINITY_TIMEOUT, NFTABLES_CODE, SESSION_AFFINITY, VIRTUAL_IPS

TCP = axes(protocol=(Protocol.TCP,))
LONG = 3600


def ports(count: int = 6, *, target: str | None = None) -> tuple[PortSpec, ...]:
    """So many TCP ports."""
    return tuple(PortSpec(f"tcp{n}", Protocol.TCP, 8000 + n, target) for n in range(count))


_EITHER = Pinned(on("a", "b"))
_SAME = Pinned(on("a", "b"), stays=True)
_TIED = service(endpoints=on("a", "b"), affinity=True, ports=ports())

# Cases share Services, but no client.
_LASTING = _TIED.but(called="aff-09")
_NEIGHBOUR = service(endpoints=on("b"), called="aff-09-neighbour")
_CROWDED = _TIED.but(called="aff-22")
_CROWD = (("pod", pod("a")), ("host", host("a")), ("endpoint", endpoint("a")), ("outside", external("a")))
"""All clients whose packets one node translates: on some of six ports an endpoint has three of them or all four."""
_SHORT = _TIED.but(called="aff-10", affinity_seconds=3, ports=ports(22))
_VARIED = _SHORT.but(called="aff-12", ports=ports(11))
_SHARED = _TIED.but(called="aff-13", type=ServiceType.LOAD_BALANCER, external_ip=True, ingress=(IngressSpec(),))

TIES = (
    Case(
        id="AFF-09",
        promise="Each client is tied for itself: two clients of one node, one of them the node, keep their endpoints.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, VIRTUAL_IPS),
        catches=(Fault.AFFINITY_IGNORED, Fault.AFFINITY_FORGOTTEN),
        given=_LASTING,
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("a"), rounds=(0,), pin="pod"), _EITHER),
            ask("host", dial(cluster_ip(), client=host("a"), rounds=(0,), pin="host"), _EITHER),
            becomes(_LASTING),
            ask("pod-again", dial(cluster_ip(), client=pod("a"), rounds=(0, 1.5), pin="pod"), _SAME),
            ask("host-again", dial(cluster_ip(), client=host("a"), rounds=(0, 1.5), pin="host"), _SAME),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("F12", "F19"),
    ),
    Case(
        id="AFF-22",
        promise="However many clients come through a node, each stays tied to its endpoint.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, NFTABLES_CODE),
        catches=(Fault.AFFINITY_HAS_LITTLE_ROOM, Fault.AFFINITY_IGNORED),
        given=_CROWDED,
        steps=(
            *(ask(name, dial(cluster_ip(), client=who, rounds=(0,), pin=name), _EITHER) for name, who in _CROWD),
            becomes(_CROWDED),
            *(
                ask(f"{name}-again", dial(cluster_ip(), client=who, rounds=(0,), pin=name), _SAME)
                for name, who in _CROWD
            ),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=TCP,
        covers=("F12",),
    ),
    Case(
        id="AFF-10",
        promise="A client that has not come for longer than timeoutSeconds is tied no more.",
        level=Level.SHOULD,
        sources=(AFFINITY_TIMEOUT, NFTABLES_CODE),
        catches=(Fault.AFFINITY_NEVER_EXPIRES,),
        given=_SHORT,
        when=dial(cluster_ip(), client=pod("a"), rounds=(0, 4.5)),
        then=Pinned(on("a", "b"), forgets=True),
        needs=(nodes(2),),
        across=TCP,
        covers=("F08", "F13"),
    ),
    Case(
        id="AFF-11",
        promise="A client stays tied while its connections are less than timeoutSeconds apart, each port for itself.",
        level=Level.MUST,
        sources=(AFFINITY_TIMEOUT, NFTABLES_CODE),
        catches=(
            Fault.AFFINITY_EXPIRES_EARLY,
            Fault.AFFINITY_IGNORED,
            Fault.AFFINITY_PORTS_TOGETHER,
            Fault.AFFINITY_NOT_RENEWED,
        ),
        given=_SHORT,
        when=dial(cluster_ip(), client=host("a"), rounds=(0, 1.5, 3, 4.5)),
        then=_EITHER,
        needs=(nodes(2),),
        across=TCP,
        covers=("F09", "F13"),
    ),
    Case(
        id="AFF-12",
        promise="A changed timeoutSeconds, lower or higher, counts from a client's next connection.",
        level=Level.SHOULD,
        sources=(AFFINITY_TIMEOUT,),
        catches=(Fault.AFFINITY_TIMEOUT_FROZEN, Fault.AFFINITY_NEVER_EXPIRES, Fault.AFFINITY_EXPIRES_EARLY),
        given=_VARIED,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), rounds=(0,)), _EITHER),
            becomes(_VARIED.but(affinity_seconds=1)),
            # Eleven ports that choose anew twice are as good as 22.
            ask("lower", dial(cluster_ip(), client=pod("b"), rounds=(0, 2.5, 5)), Pinned(on("a", "b"), forgets=True)),
            becomes(_VARIED.but(affinity_seconds=LONG)),
            ask("higher", dial(cluster_ip(), client=pod("b"), rounds=(0, 2.5)), _EITHER),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("F10",),
    ),
    Case(
        id="AFF-13",
        promise="On one node a client is tied to one endpoint of a port whichever of the Service's addresses it dials.",
        level=Level.SHOULD,
        sources=(SESSION_AFFINITY, NFTABLES_CODE),
        catches=(Fault.AFFINITY_NOT_SHARED,),
        given=_SHARED,
        steps=(
            ask("clusterIP", dial(cluster_ip(), client=pod("a"), rounds=(0,), pin="pod"), _EITHER),
            becomes(_SHARED),
            ask("nodePort", dial(node_port("a"), client=pod("a"), rounds=(0,), pin="pod"), _SAME),
            ask("externalIP", dial(external_ip(), client=pod("a"), rounds=(0,), pin="pod"), _SAME),
            ask("loadBalancer", dial(load_balancer(), client=pod("a"), rounds=(0,), pin="pod"), _SAME),
            ask("elsewhere", dial(node_port("b"), client=pod("a"), rounds=(0,), pin="pod"), _EITHER),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("F14",),
    ),
    Case(
        id="AFF-14",
        promise="A client stays tied while other Services come and go, and while its Service gets a node port.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, NFTABLES_CODE),
        catches=(Fault.AFFINITY_FORGOTTEN,),
        given=_LASTING,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), rounds=(0,), pin="pod"), _EITHER),
            becomes(_LASTING, _NEIGHBOUR),
            ask("neighbour", dial(cluster_ip("aff-09"), client=pod("b"), rounds=(0,), pin="pod"), _SAME),
            becomes(_LASTING.but(type=ServiceType.NODE_PORT)),
            ask("changed", dial(cluster_ip("aff-09"), client=pod("b"), rounds=(0,), pin="pod"), _SAME),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("F20",),
    ),
)
