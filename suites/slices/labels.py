"""Labels that take a Service, or a slice, away from kube-proxy."""

from __future__ import annotations

from dataclasses import replace

from conformance.model.case import (
    Answered,
    Case,
    EndpointSpec,
    IngressSpec,
    Level,
    Says,
    Vantage,
    ask,
    axes,
    becomes,
    by_hand,
    cluster_ip,
    dial,
    external,
    health_check,
    host,
    load_balancer,
    node_port,
    nodes,
    on,
    pod,
    service,
    vantage,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped, Refused, RefusedBy, Unanswered
from conformance.spec.faults import Fault
from conformance.spec.sources import HEADLESS_LABEL, HEALTH_CHECK_NODE_PORT, PROXY_NAME_LABEL

REFUSED, CLOSED = Refused(RefusedBy.ICMP), Refused(RefusedBy.ANY)
_FOREIGN = (("service.kubernetes.io/service-proxy-name", "nftconform.io"),)
_HEADLESS = (("service.kubernetes.io/headless", ""),)
_SLICE = by_hand(EndpointSpec(on("a")[0]))
_LISTED = service(slices=(_SLICE,), called="slc-20")
_HIDDEN = _LISTED.but(slices=(replace(_SLICE, labels=_HEADLESS),))
_TOGGLED = service(endpoints=on("a"), called="slc-21")
_BORN = service(endpoints=on("a"), labels=_FOREIGN, called="slc-21-born")
_BALANCED = service(
    ServiceType.LOAD_BALANCER,
    endpoints=on("a"),
    external_policy=Policy.LOCAL,
    ingress=(IngressSpec(),),
    called="slc-22",
)

LABELS = (
    Case(
        id="SLC-20",
        promise="A slice that is labelled headless is left alone, from the moment that it is.",
        level=Level.SHOULD,
        sources=(HEADLESS_LABEL,),
        catches=(Fault.FOREIGN_SERVICE_SERVED, Fault.STALE_ENDPOINT),
        given=_LISTED,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("a")), Answered(on("a"))),
            becomes(_HIDDEN),
            ask("pod", dial(cluster_ip(), client=pod("a")), REFUSED),
            ask("node", dial(cluster_ip(), client=host("a")), REFUSED),
            becomes(_LISTED),
            ask("after", dial(cluster_ip(), client=pod("a")), Answered(on("a"))),
        ),
        covers=("E05", "E07"),
    ),
    Case(
        id="SLC-21",
        promise="A Service that is labelled as another proxy's is left alone, from the moment that it is.",
        level=Level.SHOULD,
        sources=(PROXY_NAME_LABEL,),
        catches=(Fault.FOREIGN_SERVICE_SERVED, Fault.OLD_ADDRESS_SERVED),
        given=(_TOGGLED, _BORN),
        steps=(
            ask("before", dial(cluster_ip("slc-21"), client=pod("a")), Answered(on("a"))),
            ask("born", dial(cluster_ip("slc-21-born"), client=pod("a")), Dropped()),
            becomes(_TOGGLED.but(labels=_FOREIGN), _BORN),
            ask("labelled", dial(cluster_ip("slc-21"), client=pod("a")), Dropped()),
            ask("node", dial(cluster_ip("slc-21"), client=host("a")), Dropped()),
            becomes(_TOGGLED, _BORN.but(labels=())),
            ask("after", dial(cluster_ip("slc-21"), client=pod("a")), Answered(on("a"))),
            ask("adopted", dial(cluster_ip("slc-21-born"), client=pod("a")), Answered(on("a"))),
        ),
        covers=("E06", "E07"),
    ),
    Case(
        id="SLC-22",
        promise="A Service that another proxy takes over loses node port, balancer address and health check as well.",
        level=Level.SHOULD,
        sources=(PROXY_NAME_LABEL, HEALTH_CHECK_NODE_PORT),
        catches=(Fault.FOREIGN_SERVICE_SERVED, Fault.OLD_ADDRESS_SERVED, Fault.OLD_NODE_PORT_SERVED),
        given=_BALANCED,
        steps=(
            ask("before-port", dial(node_port("a"), client=host("a")), Answered(on("a"))),
            ask("before-balancer", dial(load_balancer(), client=pod("b")), Answered(on("a"))),
            becomes(_BALANCED.but(labels=_FOREIGN)),
            ask("cluster", dial(cluster_ip(), client=pod("b")), Dropped()),
            ask("port", dial(node_port("a"), client=pod("b")), CLOSED),
            ask("own-port", dial(node_port("a"), client=host("a")), CLOSED),
            ask("other-port", dial(node_port("b"), client=host("a")), CLOSED),
            ask("balancer", dial(load_balancer(), client=pod("b")), Unanswered()),
        ),
        needs=(nodes(2),),
        covers=("E08",),
    ),
    Case(
        id="SLC-23",
        promise="The health check of a Service ends when another proxy takes over, and comes back with it.",
        level=Level.SHOULD,
        sources=(PROXY_NAME_LABEL, HEALTH_CHECK_NODE_PORT),
        catches=(Fault.FOREIGN_SERVICE_SERVED, Fault.HEALTH_CHECK_STAYS),
        given=_BALANCED.but(called="slc-23"),
        steps=(
            ask("before", dial(health_check("a"), client=host("b")), Says(200, local_endpoints=1)),
            becomes(_BALANCED.but(called="slc-23", labels=_FOREIGN)),
            ask("labelled", dial(health_check("a"), client=host("b")), CLOSED),
            becomes(_BALANCED.but(called="slc-23")),
            ask("after", dial(health_check("a"), client=host("b")), Says(200, local_endpoints=1)),
        ),
        needs=(nodes(2),),
        across=axes(protocol=()),
        covers=("E08",),
    ),
    Case(
        id="SLC-24",
        promise="Clients outside the cluster find the node port of a Service that another proxy has taken over closed.",
        level=Level.SHOULD,
        sources=(PROXY_NAME_LABEL,),
        catches=(Fault.FOREIGN_SERVICE_SERVED, Fault.OLD_NODE_PORT_SERVED),
        given=_BALANCED.but(called="slc-24"),
        steps=(
            ask("before", dial(node_port("a"), client=external("a")), Answered(on("a"))),
            becomes(_BALANCED.but(called="slc-24", labels=_FOREIGN)),
            ask("labelled", dial(node_port("a"), client=external("a")), CLOSED),
        ),
        needs=(vantage(Vantage.EXTERNAL),),
        covers=("E08",),
    ),
)
