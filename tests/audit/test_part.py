"""The part of a node's rules that a Service has to do with: all of it, and nothing of others'."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.audit.names import is_owned, owner
from conformance.audit.part import MOST_ENTRIES, conntrack_part, iptables_part, lacking, part
from conformance.model.addresses import Family, Protocol
from conformance.model.client import Destination, DestinationKind
from conformance.model.kube import Service
from tests.audit.recorded import state, table

V4 = table("n1", Family.IPV4)
SERVICES = [s for s in state().services.values() if any(owner(name).partition(":")[0] == s.key for name in V4.chains)]


def endpoints(service: Service) -> set[str]:
    slices = state().slices.get(service.key, ())
    return {a for s in slices for e in s.endpoints for a in e.addresses}


@pytest.mark.parametrize("service", SERVICES, ids=[s.name for s in SERVICES])
def test_it_has_every_chain_of_the_service_and_none_of_anothers(service: Service) -> None:
    text = part(V4, service, endpoints(service))
    shown = {line.split(" ")[1] for line in text if line.startswith("chain ")}
    mine = {name for name in V4.chains if owner(name).partition(":")[0] == service.key}
    common = {name for name in V4.chains if not is_owned(name)}
    assert mine <= shown
    assert common <= shown
    assert {owner(name).partition(":")[0] for name in shown - common} <= {service.key, ""}
    vip = f"  {service.cluster_ips[0]} . "
    assert any(line.startswith(vip) for line in text)


def to(service: Service, kind: DestinationKind = DestinationKind.CLUSTER_IP) -> Destination:
    port = service.ports[0]
    number = port.node_port if kind is DestinationKind.NODE_PORT else port.port
    ip = "192.0.2.1" if kind is DestinationKind.NODE_PORT else service.cluster_ips[0]
    return Destination(kind, ip, number, port.protocol, service.key)


def test_what_lacks_is_said_only_where_it_lacks() -> None:
    node_port = next(s for s in SERVICES if s.ports[0].node_port and endpoints(s))
    for kind, name in (
        (DestinationKind.CLUSTER_IP, "service-ips"),
        (DestinationKind.NODE_PORT, "service-nodeports"),
    ):
        there = to(node_port, kind)
        assert lacking(V4, there, served=True) == ""
        assert lacking(V4, replace(there, port=1), served=True).startswith(f"no element of {name} matches ")
    assert lacking(V4, replace(to(node_port), ip="10.96.3.7", port=80), served=True) == (
        "no element of service-ips matches 10.96.3.7 . tcp . 80"
    )
    assert lacking(V4, to(node_port), served=False).startswith("no element of no-endpoint-services matches ")
    assert lacking(None, to(node_port), served=True) == "there is no table of kube-proxy's for IPv4"
    assert lacking(V4, replace(to(node_port), kind=DestinationKind.POD), served=True) == ""


SAVED = """\
*nat
:KUBE-SERVICES - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -j DOCKER
-A KUBE-SERVICES -d 10.96.0.7/32 -p tcp -m comment --comment "ns/web:http cluster IP" -j KUBE-SVC-A
-A KUBE-SERVICES -d 10.96.0.8/32 -p tcp -m comment --comment "ns/web-2:http cluster IP" -j KUBE-SVC-B
-A KUBE-SVC-A -m comment --comment "ns/web:http -> 10.244.1.5:80" -j KUBE-SEP-A
-A KUBE-SVC-B -m comment --comment "ns/web-2:http -> 10.244.1.6:80" -j KUBE-SEP-B
-A KUBE-SEP-A -p tcp -j DNAT --to-destination 10.244.1.5:80
-A KUBE-SEP-B -p tcp -j DNAT --to-destination 10.244.1.6:80
COMMIT
"""


def test_iptables_chains_are_followed_from_the_rules_that_name_the_service() -> None:
    service = replace(SERVICES[0], namespace="ns", name="web")
    lines = iptables_part(SAVED, service)
    assert [line.split(" ")[1] for line in lines] == [
        "PREROUTING", "KUBE-SERVICES", "KUBE-SVC-A", "KUBE-SEP-A"
    ]  # fmt: skip
    assert not any("10.96.0.8" in line or "DOCKER" in line for line in lines)
    assert iptables_part(SAVED, replace(service, name="none"))[0].startswith("-A PREROUTING")
    assert iptables_part("", service) == ("# no rule names ns/web",)


PRINTED = [
    "tcp      6 102 SYN_SENT src=10.244.1.4 dst=10.96.0.7 sport=5 dport=80 [UNREPLIED] src=10.244.2.7 dst=10.244.1.4 "
    "sport=8080 dport=5 mark=0 use=1",
    "udp      17 29 src=10.244.1.4 dst=10.96.0.7 sport=5 dport=80 src=10.244.2.7 dst=10.244.1.4 sport=8 dport=5 use=1",
    "ipv4     2 tcp      6 99 ESTABLISHED src=10.96.0.7 dst=10.244.1.4 sport=80 dport=80 src=1 dst=10.96.0.7 dport=80",
    "conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.",
]


def test_connection_tracking_is_searched_for_the_dials_first_direction() -> None:
    dialled = Destination(DestinationKind.CLUSTER_IP, "10.96.0.7", 80, Protocol.TCP, "ns/web")
    assert conntrack_part(PRINTED, dialled) == (" ".join(PRINTED[0].split()),)
    assert len(conntrack_part(PRINTED, replace(dialled, port=0))) == 1
    assert len(conntrack_part(PRINTED[:1] * 99, dialled)) == MOST_ENTRIES + 1
    file = "ipv6     10 udp      17 9 src=fd44:0000:0000:0000:0000:0000:0000:0004 dst=fd00:0096:0:0:0:0:0:0007"
    six = replace(dialled, ip="fd00:96::7", protocol=Protocol.UDP)
    assert len(conntrack_part([f"{file} sport=5 dport=80 src=x"], six)) == 1
