"""All facts that the API alone can tell, asked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.cluster.failures import ApiRefused
from conformance.cluster.pods import KUBE_PROXY, SYSTEM
from conformance.facts import admission, ask, balancer, cni, dataplane, dns, k3s, networks, nodes, policy, proxy
from conformance.facts.answer import JSON, Answer
from conformance.facts.ask import CONTROL_PLANE, Api
from conformance.facts.clean import cleaned
from conformance.facts.replacement import replacement
from conformance.facts.workloads import Workloads, among
from conformance.model.cluster import ProxyMode
from conformance.model.facts import Fact, Facts, unknown

Found = Mapping[str, Fact[Any]]

_ONLY_ON_NODES = unknown("the API does not tell: needs a process on the nodes")
_BY_ACCESS = unknown("the API does not tell: needs to look at the nodes themselves (--node-access)")
_NOT_THERE: Answer[JSON] = Answer(None, "")


@dataclass(frozen=True, slots=True)
class Read:
    """What several facts are learned from."""

    cluster: Api
    nodes: Answer[list[JSON]]
    seen: Workloads
    proxies: Answer[list[JSON]]
    """The pods of kube-proxy."""
    own: Workloads
    """``seen``, and the control plane's static pods and those of kube-proxy."""
    configuration: Answer[JSON]
    """kube-proxy's."""


def gather(cluster: Api) -> Facts:
    """Ask the API, read-only; what we may not read, or is not there, is unknown and says why.

    Raises `ClusterError` when the API cannot be reached or does not accept the credentials at all.
    """
    return learned(look(cluster))


def look(cluster: Api) -> Read:
    """The first half of `gather`."""
    lists = ask.workloads(cluster)
    static, proxies = (ask.many(cluster, "Pod", SYSTEM, selector) for selector in (CONTROL_PLANE, KUBE_PROXY))
    seen = among(*lists)
    nodes_, own = ask.many(cluster, "Node"), among(*lists, static, proxies)
    held = [ask.one(cluster, "ConfigMap", name, SYSTEM) for name in ("kube-proxy", "kube-proxy-config")]
    configuration = proxy.configuration(held, own, k3s.proxy_flags(nodes_.found or ()))
    return Read(cluster, nodes_, seen, proxies, own, configuration)


def learned(read: Read) -> Facts:
    """The second half of `gather`: what does not depend on others' answers is asked here."""
    cluster, seen = read.cluster, read.seen
    known = Facts(
        version=_version(cluster),
        may_exec=_may_exec(cluster),
        nft_versions=_BY_ACCESS,
        host_nft_versions=_BY_ACCESS,
        kernel_modes=_BY_ACCESS,
        foreign_drops=_BY_ACCESS,
        local_addresses=_ONLY_ON_NODES,
        pod_masquerade=_ONLY_ON_NODES,
        policy_enforced=unknown("no case needs it"),
        admission=admission.engines(seen),
    )
    for part in (_nodes, _proxy, _networks, _plugins):
        known = replace(known, **part(read, known))
    return cleaned(known)


def _version(cluster: Api) -> Fact[str]:
    try:
        return Fact(cluster.version(), "/version")
    except ApiRefused as no:
        return unknown(no.cause)


def _may_exec(cluster: Api) -> Fact[bool]:
    try:
        return Fact(cluster.may("create", "pods", "", subresource="exec"), "SelfSubjectAccessReview")
    except ApiRefused as no:
        return unknown(no.cause)


def _nodes(read: Read, _: Facts) -> Found:
    return {
        "nodes": nodes.nodes(read.nodes),
        "host_ports": cni.host_ports(read.nodes.found or ()),
        "zones": nodes.zones(read.nodes),
        "unschedulable": nodes.unschedulable(read.nodes),
        "kubelets": nodes.info(read.nodes, "kubeletVersion"),
        "systems": nodes.info(read.nodes, "osImage"),
        "kernels": nodes.info(read.nodes, "kernelVersion"),
        "runtimes": nodes.info(read.nodes, "containerRuntimeVersion"),
    }


def _proxy(read: Read, _: Facts) -> Found:
    config = read.configuration
    port, why = proxy.metrics_port(config)
    answers: Mapping[str, str | None] = {}
    if read.proxies.found is None:
        why = read.proxies.where
    elif port:
        answers, why = ask.proxy_modes(read.cluster, read.proxies.found, port)
    by_node, running = proxy.modes(answers, why)
    configured = proxy.mode(config)
    mode = proxy.agreed(configured, by_node, running)
    return {
        "proxy_mode": mode,
        "proxy_modes": by_node,
        "configured_mode": configured,
        "cluster_cidrs": proxy.cluster_cidrs(config),
        "detect_local": proxy.detect_local(config),
        "node_port_addresses": proxy.node_port_addresses(config),
        "masquerade_all": proxy.masquerade_all(config, mode.otherwise(ProxyMode.NFTABLES)),
        "localhost_node_ports": proxy.localhost_node_ports(config),
    }


def _networks(read: Read, known: Facts) -> Found:
    kubeadm = ask.one(read.cluster, "ConfigMap", "kubeadm-config", SYSTEM)
    service_cidrs = networks.first_known(
        networks.from_service_cidrs(ask.many(read.cluster, "ServiceCIDR")),
        networks.from_kubeadm(kubeadm, "serviceSubnet"),
        networks.from_flag(read.own, "kube-apiserver", "service-cluster-ip-range"),
    )
    cluster_cidrs = networks.first_known(
        known.cluster_cidrs,
        networks.from_kubeadm(kubeadm, "podSubnet"),
        networks.from_flag(read.own, "kube-controller-manager", "cluster-cidr"),
    )
    addresses = dns.addresses(ask.one(read.cluster, "Service", "kube-dns", SYSTEM))
    return {
        "service_cidrs": service_cidrs,
        "cluster_cidrs": cluster_cidrs,
        "families": networks.families(service_cidrs, addresses),
        "dns": addresses,
        "dns_server": dns.server(read.seen),
        "dns_version": dns.server_version(read.seen),
        "node_local_dns": dns.node_local(read.seen),
    }


def _plugins(read: Read, _: Facts) -> Found:
    """Each plugin's own configuration is asked for only where the plugin runs."""
    cluster, there = read.cluster, {found.product: found for found in read.seen.of(cni.PRODUCTS)}

    def configured(product: str, name: str) -> Answer[JSON]:
        if product not in there:
            return _NOT_THERE
        return ask.one(cluster, "ConfigMap", name, there[product].workload.namespace)

    cilium = configured(cni.CILIUM, "cilium-config")
    antrea = configured(cni.ANTREA, "antrea-config")
    planes: dict[str, Fact[str]] = {}
    if cni.CALICO in there:
        felix = ask.one(cluster, "FelixConfiguration", "default")
        planes[cni.CALICO] = dataplane.calico(there[cni.CALICO], ask.one(cluster, "Installation", "default"), felix)
    if cni.CILIUM in there:
        planes[cni.CILIUM] = dataplane.cilium(cilium)
    if cni.ANTREA in there:
        planes[cni.ANTREA] = dataplane.antrea(antrea)
    if cni.FLANNEL in there:
        # Canal holds flannel's part in a ConfigMap of its own.
        held = [configured(cni.FLANNEL, name) for name in ("kube-flannel-cfg", "canal-config")]
        planes[cni.FLANNEL] = dataplane.flannel(held[1] if held[1].found else held[0])
    name = cni.name(read.seen, read.nodes.found or ())
    inside = k3s.proxy_flags(read.nodes.found or ())
    proxies = [f"the one inside k3s ({inside.where})"] if inside.found is not None else []
    kube_proxy = next(iter([str(daemon) for daemon, _ in proxy.daemons(read.own)] + proxies), "")
    return {
        "cni": name,
        "cni_version": cni.versions(read.seen),
        "cni_dataplane": dataplane.of(cni.plugins(read.seen), planes, name),
        "cni_agent": cni.agent(read.seen),
        "policy_engine": policy.engine(read.seen, cilium),
        "load_balancer": balancer.load_balancer(read.seen, cilium),
        "proxy_replacement": replacement(read.own, kube_proxy, cilium, antrea, planes.get(cni.CALICO, unknown(""))),
    }
