"""Random clusters, clients and destinations, small enough that rules meet each other often."""

from __future__ import annotations

from hypothesis import strategies as st

from conformance.model.addresses import Family, Protocol
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ClusterState, DetectLocal, ProxyConfig, ProxyMode
from conformance.model.kube import (
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    IPMode,
    Node,
    Policy,
    Service,
    ServicePort,
    ServiceType,
)

NODES = tuple(
    Node(
        name=f"node-{i}",
        addresses=(f"172.30.99.{10 + i}", f"fd99::{10 + i}"),
        local=(f"172.31.98.{i}", f"10.244.{i}.1", f"fd44:{i}::1"),
        pod_cidrs=(f"10.244.{i}.0/24", f"fd44:{i}::/64"),
        zone=f"zone-{(i + 1) // 2}",
    )
    for i in (1, 2, 3)
)
NAMES = tuple(n.name for n in NODES)
CLIENTS = (
    *(Client(f"pod-{i}", ClientKind.POD, f"node-{i}", (f"10.244.{i}.21", f"fd44:{i}::21")) for i in (1, 2, 3)),
    *(Client(f"own-{i}", ClientKind.POD, f"node-{i}", (f"10.244.{i}.11", f"fd44:{i}::11")) for i in (1, 2)),
    *(Client(name, ClientKind.NODE, name) for name in NAMES),
    Client("x1", ClientKind.EXTERNAL, "node-1", ("172.30.99.101", "fd99::101")),
    Client("lost", ClientKind.POD, "node-9", ("10.244.9.9",)),
)
VIPS, EXTERNAL_IPS = ("203.0.113.1", "2001:db8:203::1"), ("198.51.100.1", "2001:db8:100::1")
RANGES = ("172.30.99.0/26", "172.30.99.101/32", "10.244.0.0/16", "0.0.0.0/0", "fd44::/16", "2001:db8:ffff::/64", "::/0")
PROTOCOLS = (Protocol.TCP, Protocol.UDP)


def _backend_addresses(family: Family) -> tuple[tuple[str, str], ...]:
    if family is Family.IPV4:
        pods = tuple((f"10.244.{i}.{h}", f"node-{i}") for i in (1, 2, 3) for h in (11, 12))
    else:
        pods = tuple((f"fd44:{i}::{h}", f"node-{i}") for i in (1, 2, 3) for h in (11, 12))
    return (*pods, *((n.primary(family) or "", n.name) for n in NODES))


@st.composite
def endpoints(draw: st.DrawFn, family: Family) -> Endpoint:
    address, node = draw(st.sampled_from(_backend_addresses(family)))
    node = draw(st.sampled_from((node, node, node, "", "node-9", "node-3")))  # hand-made slices say what they like
    terminating = draw(st.booleans())
    return Endpoint(
        addresses=(address,),
        node=node,
        ready=draw(st.booleans()) and not terminating,
        serving=draw(st.booleans()),
        terminating=terminating,
        pod=f"at-{address}",
        hint_zones=draw(st.sampled_from(((), ("zone-1",), ("zone-2",)))),
        hint_nodes=draw(st.sampled_from(((), ("node-1",), ("node-2",)))),
    )


@st.composite
def slices_of(draw: st.DrawFn, name: str, family: Family) -> tuple[EndpointSlice, ...]:
    made = []
    for i in range(draw(st.integers(0, 2))):
        number = draw(st.sampled_from((8080, 8080, 8081, None)))
        ports = tuple(EndpointPort(p.value.lower(), p, number) for p in PROTOCOLS)
        labels = draw(st.sampled_from(({}, {}, {"service.kubernetes.io/headless": ""})))
        found = draw(st.lists(endpoints(family), max_size=3, unique_by=lambda e: e.addresses))
        made.append(EndpointSlice("ns", f"{name}-{family.value}-{i}", name, family, ports, tuple(found), labels))
    return tuple(made)


@st.composite
def services(draw: st.DrawFn, index: int) -> Service:
    kind = draw(st.sampled_from((ServiceType.CLUSTER_IP, ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER)))
    node_ports = kind is not ServiceType.CLUSTER_IP
    balanced = kind is ServiceType.LOAD_BALANCER
    mode = draw(st.sampled_from(IPMode))
    return Service(
        namespace="ns",
        name=f"svc-{index}",
        type=kind,
        ports=tuple(ServicePort(p.value.lower(), p, 80, 8080, 30000 + index if node_ports else 0) for p in PROTOCOLS),
        cluster_ips=draw(st.sampled_from(((f"10.96.0.{index}", f"fd00:96::{index}"), (f"10.96.0.{index}",)))),
        external_ips=draw(st.sampled_from(((), EXTERNAL_IPS))),
        ingress=tuple(Ingress(ip, mode) for ip in VIPS) if balanced and index == 1 else (),
        internal_policy=draw(st.sampled_from(Policy)),
        external_policy=draw(st.sampled_from(Policy)),
        affinity_seconds=draw(st.sampled_from((None, 10800))),
        source_ranges=tuple(draw(st.lists(st.sampled_from(RANGES), max_size=2, unique=True))),
        labels=draw(st.sampled_from(({}, {}, {}, {"service.kubernetes.io/service-proxy-name": "other"}))),
    )


@st.composite
def proxies(draw: st.DrawFn) -> ProxyConfig:
    return ProxyConfig(
        mode=draw(st.sampled_from(ProxyMode)),
        version=draw(st.sampled_from(((1, 31), (1, 34), (1, 36)))),
        detect_local=draw(st.sampled_from(DetectLocal)),
        cluster_cidrs=draw(st.sampled_from(((), ("10.244.0.0/16", "fd44::/16")))),
        node_port_addresses=draw(st.sampled_from(((), ("primary",), ("0.0.0.0/0", "::/0"), ("172.31.98.0/24",)))),
        masquerade_all=draw(st.booleans()),
        service_cidrs=draw(st.sampled_from(((), ("10.96.0.0/16", "fd00:96::/112")))),
    )


@st.composite
def states(draw: st.DrawFn) -> ClusterState:
    made = [draw(services(i)) for i in range(1, 1 + draw(st.integers(1, 2)))]
    return ClusterState(
        services={s.key: s for s in made},
        slices={s.key: tuple(x for f in Family for x in draw(slices_of(s.name, f))) for s in made},
        nodes={n.name: n for n in NODES},
        proxy=draw(proxies()),
        pod_masquerade=draw(st.sampled_from((None, True, False))),
        homes=draw(st.sampled_from(({}, {a: n for f in Family for a, n in _backend_addresses(f)}))),
        closed=draw(st.booleans()),
    )


@st.composite
def destinations(draw: st.DrawFn, state: ClusterState) -> Destination:
    """An address of a Service of ``state``, or one that is nobody's."""
    service = draw(st.sampled_from(sorted(state.services.values(), key=lambda s: s.key)))
    node = draw(st.sampled_from(NODES))
    port = draw(st.sampled_from(service.ports))
    inner = [
        *((DestinationKind.CLUSTER_IP, ip, port.port, "") for ip in service.cluster_ips),
        *((DestinationKind.EXTERNAL_IP, ip, port.port, "") for ip in service.external_ips),
        *((DestinationKind.LOAD_BALANCER, i.ip, port.port, "") for i in service.ingress),
        *((DestinationKind.CLUSTER_IP_OTHER_PORT, ip, 4444, "") for ip in service.cluster_ips),
        *((DestinationKind.NODE_PORT, ip, port.node_port or 31999, node.name) for ip in node.addresses),
        (DestinationKind.NODE_PORT_SECONDARY, node.local[0], port.node_port or 31999, node.name),
        (DestinationKind.NODE_PORT_LOOPBACK, "127.0.0.1", port.node_port or 31999, ""),
        (DestinationKind.NODE_PORT_LOOPBACK, "::1", port.node_port or 31999, ""),
        (DestinationKind.POD, "10.244.1.11", 8080, ""),
        (DestinationKind.CLUSTER_IP, "10.96.0.99", 80, ""),
    ]
    kind, ip, number, owner = draw(st.sampled_from(inner))
    return Destination(kind, ip, number, port.protocol, service.key, port.name, owner)


@st.composite
def questions(draw: st.DrawFn) -> tuple[ClusterState, Client, Destination]:
    state = draw(states())
    return state, draw(st.sampled_from(CLIENTS)), draw(destinations(state))
