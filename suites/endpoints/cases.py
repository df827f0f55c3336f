"""A Service without endpoints refuses at once, so that clients fail fast."""

from __future__ import annotations

from conformance.model.case import (
    Case,
    Level,
    Vantage,
    cluster_ip,
    dial,
    external,
    external_ip,
    host,
    nodes,
    on,
    pod,
    service,
    vantage,
)
from conformance.model.outcome import Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import NFTABLES_CODE, READY, SERVICE_TYPE

CASES = (
    Case(
        id="NEP-01",
        promise="A pod that dials the ClusterIP of a Service without endpoints is refused at once.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, READY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=service(endpoints=on()),
        when=dial(cluster_ip(), client=pod("a")),
        then=Refused(RefusedBy.ICMP),
    ),
    Case(
        id="NEP-02",
        promise="A node's own process that dials the ClusterIP of a Service without endpoints is refused at once.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, READY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=service(endpoints=on()),
        when=dial(cluster_ip(), client=host("b")),
        then=Refused(RefusedBy.ICMP),
        needs=(nodes(2),),
    ),
    Case(
        id="NEP-03",
        promise="A client outside the cluster is refused at an external IP of a Service without endpoints.",
        level=Level.SHOULD,
        sources=(SERVICE_TYPE, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS,),
        given=service(endpoints=on(), external_ip=True),
        when=dial(external_ip(), client=external("a")),
        then=Refused(RefusedBy.ICMP),
        needs=(vantage(Vantage.EXTERNAL),),
    ),
)

MATRICES = ()
