"""Clusters of any size, made up: what the API would hold of them, and as the oracle sees them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import Any

from conformance.model.addresses import Family, Protocol
from conformance.model.cluster import ClusterState, ProxyConfig
from conformance.model.kube import Endpoint, EndpointPort, EndpointSlice, Node, Service, ServicePort, ServiceType

JSON = dict[str, Any]
FIRST_IP, FIRST_POD, FIRST_NODE = (IPv4Address(ip) for ip in ("10.96.0.10", "10.0.0.2", "172.16.0.1"))
POD_NETWORK, SERVICE_NETWORK = "10.0.0.0/10", "10.96.0.0/12"
FIRST_NODE_PORT, NODE_PORTS = 30000, 2768
PORT, TARGET = 80, 8080


@dataclass(frozen=True, slots=True)
class Size:
    """How many there are; every Service has two endpoints, and every fourth a node port, as far as those go."""

    nodes: int
    services: int


def objects(size: Size) -> list[JSON]:
    """What ``kubectl get nodes,pods,daemonsets,deployments,configmaps,services`` would print of kubeadm's cluster."""
    proxy = {"app": "kube-proxy", "k8s-app": "kube-proxy"}
    image = {"name": "kube-proxy", "image": "registry.k8s.io/kube-proxy:v1.36.2"}
    kind = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
    config = f"{kind}mode: nftables\nclusterCIDR: {POD_NETWORK}\n"
    dns = {"clusterIP": "10.96.0.10", "clusterIPs": ["10.96.0.10"], "ipFamilies": ["IPv4"]}
    return [
        *(_node(number) for number in range(size.nodes)),
        *(
            _object("Pod", f"kube-proxy-{n}", {"nodeName": _name(n), "containers": [image]}, labels=proxy)
            for n in range(size.nodes)
        ),
        _object("DaemonSet", "kube-proxy", {"template": {"spec": {"containers": [image]}}}),
        _object(
            "Deployment", "coredns", {"template": {"spec": {"containers": [{"name": "c", "image": "coredns:v1"}]}}}
        ),
        _object("ServiceCIDR", "kubernetes", {"cidrs": [SERVICE_NETWORK]}),
        _object("ConfigMap", "kube-proxy", {}) | {"data": {"config.conf": config}},
        _object("Service", "kube-dns", dns),
    ]


def state(size: Size) -> ClusterState:
    """The cluster as the oracle and the audit see it."""
    made = list(map(_service, range(size.services), [size.nodes] * size.services))
    nodes = {n.name: n for n in map(node, range(size.nodes))}
    return ClusterState(
        services={one.key: one for one, _ in made},
        slices={one.key: (ends,) for one, ends in made},
        nodes=nodes,
        proxy=ProxyConfig(cluster_cidrs=(POD_NETWORK,), service_cidrs=(SERVICE_NETWORK,)),
        pod_masquerade=True,
    )


def node(number: int) -> Node:
    """The node of that number, with a /24 of pods, in one of three zones."""
    pods = (f"{IPv4Address(int(FIRST_POD) + (number << 8)) - 2}/24",)
    return Node(_name(number), (str(FIRST_NODE + number),), pod_cidrs=pods, zone=f"zone-{number % 3}")


def _service(number: int, nodes: int) -> tuple[Service, EndpointSlice]:
    name, ports = f"s{number:05}", (EndpointPort("http", Protocol.TCP, TARGET),)
    node_port = FIRST_NODE_PORT + number // 4 if number % 4 == 0 and number // 4 < NODE_PORTS else 0
    kind = ServiceType.NODE_PORT if node_port else ServiceType.CLUSTER_IP
    port = ServicePort("http", Protocol.TCP, PORT, TARGET, node_port)
    service = Service("default", name, kind, (port,), (str(FIRST_IP + 1 + number),), (Family.IPV4,))
    return service, EndpointSlice("default", name, name, Family.IPV4, ports, tuple(_endpoints(number, nodes)))


def _endpoints(number: int, nodes: int) -> Iterator[Endpoint]:
    for nth in (2 * number, 2 * number + 1):
        home, pod = nth % nodes, nth // nodes
        # Beyond the addresses of a node's /24 the same pods serve many Services, as they do in life.
        ip = str(ip_address(int(FIRST_POD) + (home << 8) + pod % 250))
        yield Endpoint((ip,), node=_name(home), zone=f"zone-{home % 3}", pod=f"pod-{home}-{pod % 250}")


def _name(number: int) -> str:
    return f"node-{number:04}"


def _node(number: int) -> JSON:
    made, there = node(number), {"type": "Ready", "status": "True"}
    info = {"kubeletVersion": "v1.36.2", "osImage": "Debian 12", "kernelVersion": "6.1.0"}
    addresses = [{"type": "InternalIP", "address": made.addresses[0]}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": made.name, "labels": {"topology.kubernetes.io/zone": made.zone}},
        "spec": {"podCIDRs": list(made.pod_cidrs)},
        "status": {"addresses": addresses, "conditions": [there], "nodeInfo": info},
    }


def _object(kind: str, name: str, spec: JSON, labels: dict[str, str] | None = None) -> JSON:
    metadata = {"name": name, "namespace": "kube-system", "labels": labels or {}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}
