"""One Service on three nodes, by hand, and ways to dial it."""

from __future__ import annotations

from dataclasses import replace

from conformance.model.addresses import Family, Protocol
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ClusterState, ProxyConfig, ProxyMode
from conformance.model.kube import (
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    Service,
    ServicePort,
    ServiceType,
)
from conformance.model.outcome import Outcome, Reaches
from conformance.oracle import expect
from tests.oracle.strategies import NODES

POD = Client("pod-1", ClientKind.POD, "node-1", ("10.244.1.21", "fd44:1::21"))
OWN = Client("web-1", ClientKind.POD, "node-1", ("10.244.1.11", "fd44:1::11"))
HOST = Client("node-1", ClientKind.NODE, "node-1")
OUTSIDE = Client("x1", ClientKind.EXTERNAL, "node-1", ("172.30.99.101", "fd99::101"))
CIDRS = ProxyConfig(cluster_cidrs=("10.244.0.0/16", "fd44::/16"), service_cidrs=("10.96.0.0/16", "fd00:96::/112"))
IPTABLES = replace(CIDRS, mode=ProxyMode.IPTABLES)
VIP, EXTERNAL_IP = "203.0.113.1", "198.51.100.1"
WEB = Service(
    namespace="ns",
    name="web",
    type=ServiceType.LOAD_BALANCER,
    ports=(ServicePort("http", Protocol.TCP, 80, 8080, 30080),),
    cluster_ips=("10.96.0.1", "fd00:96::1"),
    external_ips=(EXTERNAL_IP,),
    ingress=(Ingress(VIP),),
)


def pod_on(
    i: int,
    *,
    ready: bool = True,
    terminating: bool = False,
    hint_zones: tuple[str, ...] = (),
    hint_nodes: tuple[str, ...] = (),
) -> Endpoint:
    return Endpoint(
        addresses=(f"10.244.{i}.11",),
        node=f"node-{i}",
        ready=ready,
        terminating=terminating,
        pod=f"web-{i}",
        hint_zones=hint_zones,
        hint_nodes=hint_nodes,
    )


def slice_of(*endpoints: Endpoint, name: str = "web-1", port: str = "http", number: int | None = 8080) -> EndpointSlice:
    return EndpointSlice("ns", name, "web", Family.IPV4, (EndpointPort(port, Protocol.TCP, number),), endpoints)


def cluster(
    *slices: EndpointSlice, service: Service = WEB, proxy: ProxyConfig = CIDRS, masquerade: bool | None = False
) -> ClusterState:
    nodes = {n.name: n for n in NODES}
    return ClusterState({service.key: service}, {service.key: slices}, nodes, proxy, masquerade)


def dial(state: ClusterState, ip: str, port: int = 80, client: Client = POD, node: str = "") -> Outcome:
    kind = DestinationKind.CLUSTER_IP  # the oracle goes by the address, never by what the caller thinks it is
    return expect(state, client, Destination(kind, ip, port, Protocol.TCP, "ns/web", "http", node)).outcome


def pods(outcome: Outcome) -> set[str]:
    assert isinstance(outcome, Reaches), outcome
    return {t.pod for t in outcome.targets}


def sources(outcome: Outcome) -> set[str]:
    assert isinstance(outcome, Reaches), outcome
    return {s for t in outcome.targets for s in t.sources}


TWO = slice_of(pod_on(1), pod_on(2))
