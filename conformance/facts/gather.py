"""All facts that the API alone can tell, asked once."""

from __future__ import annotations

from typing import Any

from conformance.cluster.api import Cluster
from conformance.cluster.failures import ApiRefused
from conformance.cluster.paths import kind
from conformance.facts import networks, nodes, proxy
from conformance.model.cluster import ProxyMode
from conformance.model.facts import Fact, Facts

JSON = dict[str, Any]
SYSTEM = "kube-system"


def gather(cluster: Cluster) -> Facts:
    """Ask the API; what we may not read is unknown. Raises `ClusterError` when nodes cannot be listed at all."""
    found = cluster.objects("Node")
    config, source = _configuration(cluster)
    kubeadm = _optional(cluster, "ConfigMap", "kubeadm-config")
    dns = networks.dns(_optional(cluster, "Service", "kube-dns"))
    service_cidrs = networks.first_known(
        networks.from_service_cidrs(_service_cidrs(cluster)), networks.from_kubeadm(kubeadm, "serviceSubnet")
    )
    mode = proxy.mode(config, source)
    return Facts(
        version=Fact(cluster.version(), "/version"),
        nodes=nodes.nodes(found),
        kernels=nodes.kernels(found),
        unschedulable=nodes.unschedulable(found),
        families=networks.families(service_cidrs, dns),
        service_cidrs=service_cidrs,
        cluster_cidrs=networks.first_known(
            proxy.cluster_cidrs(config, source), networks.from_kubeadm(kubeadm, "podSubnet")
        ),
        proxy_mode=mode,
        detect_local=proxy.detect_local(config, source),
        node_port_addresses=proxy.node_port_addresses(config, source),
        masquerade_all=proxy.masquerade_all(config, source, mode.otherwise(ProxyMode.NFTABLES)),
        localhost_node_ports=proxy.localhost_node_ports(config, source),
        dns=dns,
        may_exec=Fact(cluster.may("create", "pods", "", subresource="exec"), "SelfSubjectAccessReview"),
    )


def _configuration(cluster: Cluster) -> tuple[JSON | None, str]:
    try:
        return proxy.configuration(cluster.find(kind("ConfigMap").path(SYSTEM, "kube-proxy")))
    except ApiRefused as no:
        return None, no.cause


def _optional(cluster: Cluster, kind_name: str, name: str) -> JSON | None:
    """An object of kube-system, None where it is not there or not ours to read."""
    try:
        return cluster.find(kind(kind_name).path(SYSTEM, name))
    except ApiRefused as no:
        if no.status != 403:
            raise
        return None


def _service_cidrs(cluster: Cluster) -> list[JSON] | None:
    try:
        return cluster.objects("ServiceCIDR")
    except ApiRefused as no:
        if no.status not in (403, 404):
            raise
        return None
