"""Names of Services in the cluster's DNS; Services that are only names, or have no address of their own."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Breed,
    Case,
    EndpointSpec,
    Level,
    Matrix,
    ResolvesTo,
    ask,
    becomes,
    by_hand,
    cluster_ip,
    dial,
    external_ip,
    host,
    lookup,
    node_port,
    nodes,
    numbered,
    on,
    pod,
    service,
)
from conformance.model.kube import ServiceType
from conformance.model.outcome import Dropped, Refused, RefusedBy, Unanswered
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    CLUSTER_IP,
    DNS_PAGE,
    DNS_SPECIFICATION,
    EXTERNAL_NAME,
    PUBLISH_NOT_READY,
    READY,
    SERVICE_TYPE,
)

NP, ALIAS = ServiceType.NODE_PORT, ServiceType.EXTERNAL_NAME
ADDRESSES, NOTHING = ResolvesTo(ResolvesTo.What.CLUSTER_IPS), ResolvesTo(ResolvesTo.What.NOTHING)
PORT, NAME = ResolvesTo(ResolvesTo.What.PORTS), ResolvesTo(ResolvesTo.What.NAME)
CLOSED = Refused(RefusedBy.ANY)
ELSEWHERE = "nftconform.example.com"

_UNREADY = (*on("a"), *on("b", breed=Breed.UNREADY))
_NAMED = tuple(EndpointSpec(b, named=True) for b in on("a", "b"))
_ENTERS = service(ALIAS, external_name=ELSEWHERE, called="dns-08")
_OPENS = service(ALIAS, external_name=ELSEWHERE, called="dns-08-port")
_LEAVES = service(NP, endpoints=on("a"), external_ip=True, ports=numbered(41), called="dns-09")


def _endpoints(*roles: str) -> ResolvesTo:
    return ResolvesTo(ResolvesTo.What.ENDPOINTS, on(*roles))


# A name is not asked twice for one record while its Service changes: a DNS server may remember its answer for a while.
CASES = (
    Case(
        id="DNS-01",
        promise="The name of a Service has its ClusterIPs as addresses, and no others.",
        level=Level.MUST,
        sources=(DNS_SPECIFICATION, DNS_PAGE),
        catches=(
            Fault.DNS_FAMILY_MISSING,
            Fault.DNS_ENDPOINTS_AS_ADDRESS,
        ),
        given=service(endpoints=on("a")),
        steps=(
            ask("a", dial(lookup("A"), client=pod("a")), ADDRESSES),
            ask("aaaa", dial(lookup("AAAA"), client=pod("b")), ADDRESSES),
            ask("node", dial(lookup("A"), client=host("a")), ADDRESSES),
        ),
        needs=(nodes(2),),
        covers=("A28",),
    ),
    Case(
        id="DNS-02",
        promise="Each named port of a Service has an SRV record with the port's number and the Service's name.",
        level=Level.MUST,
        sources=(DNS_SPECIFICATION, DNS_PAGE),
        catches=(
            Fault.DNS_SRV_MISSING,
            Fault.DNS_SRV_WRONG_PORT,
        ),
        given=service(endpoints=on("a")),
        steps=(
            ask("tcp", dial(lookup("SRV", port="tcp"), client=pod("a")), PORT),
            ask("udp", dial(lookup("SRV", port="udp"), client=pod("a")), PORT),
        ),
        covers=("A28",),
    ),
    Case(
        id="DNS-03",
        promise="The name of a headless Service has the addresses of its ready endpoints, and no others.",
        level=Level.MUST,
        sources=(DNS_SPECIFICATION, DNS_PAGE, READY),
        catches=(
            Fault.DNS_UNREADY_LISTED,
            Fault.DNS_ENDPOINT_MISSING,
            Fault.DNS_FAMILY_MISSING,
            Fault.DNS_NAME_INVENTED,
        ),
        given=(
            service(endpoints=on("a", "b"), headless=True, called="dns-03"),
            service(endpoints=_UNREADY, headless=True, called="dns-03-unready"),
            service(endpoints=on("b", breed=Breed.UNREADY), headless=True, called="dns-03-none"),
        ),
        steps=(
            ask("a", dial(lookup("A", "dns-03"), client=pod("a")), _endpoints("a", "b")),
            ask("aaaa", dial(lookup("AAAA", "dns-03"), client=pod("a")), _endpoints("a", "b")),
            ask("unready", dial(lookup("A", "dns-03-unready"), client=pod("a")), _endpoints("a")),
            ask("none", dial(lookup("A", "dns-03-none"), client=pod("a")), NOTHING),
        ),
        needs=(nodes(2),),
        covers=("E04",),
    ),
    Case(
        id="DNS-04",
        promise="An endpoint of a headless Service with a hostname has a name of its own, to which SRV records lead.",
        level=Level.MUST,
        sources=(DNS_SPECIFICATION, DNS_PAGE),
        catches=(
            Fault.DNS_HOSTNAME_IGNORED,
            Fault.DNS_SRV_MISSING,
            Fault.DNS_ENDPOINT_MISSING,
            Fault.DNS_FAMILY_MISSING,
        ),
        given=service(slices=(by_hand(*_NAMED),), headless=True, called="dns-04"),
        steps=(
            ask("host", dial(lookup("A", host="web-b"), client=pod("a")), _endpoints("b")),
            ask("host-aaaa", dial(lookup("AAAA", host="web-b"), client=pod("a")), _endpoints("b")),
            ask(
                "srv",
                dial(lookup("SRV", port="tcp"), client=pod("a")),
                ResolvesTo(ResolvesTo.What.PORTS, on("a", "b")),
            ),
        ),
        needs=(nodes(2),),
        covers=("E04",),
    ),
    Case(
        id="DNS-05",
        promise="With publishNotReadyAddresses a headless Service's name has the addresses of all its endpoints.",
        level=Level.MUST,
        sources=(PUBLISH_NOT_READY, DNS_PAGE),
        catches=(
            Fault.DNS_UNREADY_WITHHELD,
            Fault.DNS_ENDPOINT_MISSING,
            Fault.DNS_FAMILY_MISSING,
        ),
        given=service(endpoints=_UNREADY, headless=True, publish_not_ready=True, called="dns-05"),
        steps=(
            ask("a", dial(lookup("A"), client=pod("a")), ResolvesTo(ResolvesTo.What.ENDPOINTS, _UNREADY)),
            ask("aaaa", dial(lookup("AAAA"), client=pod("a")), ResolvesTo(ResolvesTo.What.ENDPOINTS, _UNREADY)),
        ),
        needs=(nodes(2),),
        covers=("E04", "A29"),
    ),
    Case(
        id="DNS-06",
        promise="The name of an ExternalName Service is an alias of the external name.",
        level=Level.MUST,
        sources=(EXTERNAL_NAME, DNS_SPECIFICATION),
        catches=(Fault.DNS_NO_ALIAS,),
        given=service(ALIAS, external_name=ELSEWHERE, called="dns-06"),
        when=dial(lookup("CNAME"), client=pod("a")),
        then=NAME,
        covers=("E01",),
    ),
    Case(
        id="DNS-07",
        promise="The name of a Service that is deleted does not exist any more.",
        level=Level.SHOULD,
        sources=(DNS_SPECIFICATION,),
        catches=(
            Fault.DNS_STALE,
            Fault.DNS_NAME_INVENTED,
            Fault.DNS_SRV_MISSING,
        ),
        given=service(endpoints=on("a"), called="dns-07"),
        steps=(
            ask("before", dial(lookup("SRV", port="tcp"), client=pod("a")), PORT),
            becomes(),
            ask("after", dial(lookup("A"), client=pod("a")), NOTHING),
            ask("after-aaaa", dial(lookup("AAAA"), client=pod("a")), NOTHING),
        ),
        covers=("A28",),
    ),
    Case(
        id="DNS-08",
        promise="An ExternalName Service that becomes ClusterIP or NodePort gets addresses that lead to its endpoints.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, EXTERNAL_NAME),
        catches=(
            Fault.NO_SERVICE_RULES,
            Fault.NODE_PORT_NOT_SERVED,
            Fault.DNS_NO_ALIAS,
            Fault.DNS_STALE,
            Fault.DNS_ENDPOINTS_AS_ADDRESS,
        ),
        given=(_ENTERS, _OPENS),
        steps=(
            ask("alias", dial(lookup("CNAME", "dns-08"), client=pod("b")), NAME),
            becomes(
                service(endpoints=on("a"), called="dns-08"),
                service(NP, endpoints=on("a"), called="dns-08-port"),
            ),
            ask("name", dial(lookup("A", "dns-08-port"), client=pod("b")), ADDRESSES),
            ask("cluster", dial(cluster_ip("dns-08"), client=pod("b")), Answered(on("a"))),
            ask("port-cluster", dial(cluster_ip("dns-08-port"), client=pod("b")), Answered(on("a"))),
            ask("port", dial(node_port("b", "dns-08-port"), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        covers=("E02",),
    ),
    Case(
        id="DNS-09",
        promise="A Service that becomes ExternalName serves none of its old addresses; its name is an alias.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, EXTERNAL_NAME, CLUSTER_IP),
        catches=(
            Fault.OLD_ADDRESS_SERVED,
            Fault.OLD_NODE_PORT_SERVED,
            Fault.DNS_NO_ALIAS,
            Fault.DNS_STALE,
        ),
        given=_LEAVES,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            ask("before-port", dial(node_port("b"), client=host("a")), Answered(on("a"))),
            ask("before-external", dial(external_ip(), client=pod("b")), Answered(on("a"))),
            becomes(service(ALIAS, external_name=ELSEWHERE, called="dns-09")),
            ask("name", dial(lookup("CNAME"), client=pod("b")), NAME),
            ask("cluster", dial(cluster_ip(former=True), client=pod("b")), Dropped()),
            ask("cluster-node", dial(cluster_ip(former=True), client=host("a")), Dropped()),
            ask("port", dial(node_port("b", former=True), client=host("a")), CLOSED),
            ask("own-port", dial(node_port("a", former=True), client=pod("a")), CLOSED),
            ask("external", dial(external_ip(former=True), client=pod("b")), Unanswered()),
        ),
        needs=(nodes(2),),
        covers=("E02", "E03"),
    ),
)

MATRICES: tuple[Matrix, ...] = ()
