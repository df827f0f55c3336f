"""The pod network's plugin: its name and version. Parsers are pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.facts.answer import JSON, at, dicts, joined, text
from conformance.facts.workloads import Found, Product, Workloads, named, version
from conformance.model.facts import Fact, unknown

CALICO, CILIUM, FLANNEL, KINDNET, KUBE_ROUTER = "calico", "cilium", "flannel", "kindnet", "kube-router"
ANTREA, OVN, KUBE_OVN = "antrea", "ovn-kubernetes", "kube-ovn"

PRODUCTS = (
    Product(CALICO, r"calico/node|mirrored-calico-node|hardened-calico"),
    Product(CILIUM, r"cilium/cilium(-ci)?|mirrored-cilium-cilium"),
    Product(FLANNEL, r"(coreos|flannel|flannel-io|flannelcni)/flannel|(mirrored|hardened)-flannel(cni)?(-flannel)?"),
    Product(KINDNET, r"kindnetd"),
    Product(KUBE_ROUTER, r"kube-router"),
    Product(ANTREA, r"antrea-(agent-)?(ubuntu|ubi|debian)"),
    Product(OVN, r"ovn-kube(-\w+)?", "openshift-ovn-kubernetes/ovnkube-node"),
    Product("openshift-sdn", r"origin-sdn", "openshift-sdn/sdn"),
    Product(KUBE_OVN, r"kube-ovn"),
    Product("aws-vpc-cni", r"amazon-k8s-cni"),
    Product("azure-cni", r"azure-cn[is]"),
    Product("weave", r"weave-kube"),
)
"""Images as upstream, Rancher's mirrors and the clouds name them."""

_LAB_AGENT = Product("lab", r"nftconform/lab-network-agent")
"""The lab's, whatever its plugin."""

_ANNOTATIONS = {
    "flannel.alpha.coreos.com/backend-type": FLANNEL,
    "projectcalico.org/IPv4Address": CALICO,
    "projectcalico.org/IPv6Address": CALICO,
    "k8s.ovn.org/node-subnets": OVN,
}
_LAB = "nftconform.io/cni"
"""In which a node of the lab names its network itself."""
_LAB_HOST_PORTS = "nftconform.io/host-ports"
"""In which it says whether that network serves hostPorts."""

_REASONS = {"CalicoIsUp": CALICO, "CiliumIsUp": CILIUM, "FlannelIsUp": FLANNEL, "WeaveIsUp": "weave"}


def plugins(seen: Workloads) -> tuple[Found, ...]:
    """Those that connect pods: not those that are there for policy, or for Services, alone."""
    return tuple(found for found in seen.of(PRODUCTS) if _connects(found))


def name(seen: Workloads, nodes: Iterable[JSON]) -> Fact[str]:
    """The plugins that run, joined with ``+`` where they are chained; else what nodes tell of the one inside k3s."""
    there = plugins(seen)
    if there:
        canal = next((f for f in seen.of(PRODUCTS) if f.product == CALICO and f.workload == there[0].workload), None)
        if canal and there[0].product == FLANNEL:
            return Fact("canal", f"{there[0].source}, with {canal.container.image}")
        return named(there, seen, "CNI plugin")
    told = dict.fromkeys(_told(nodes))
    if not told:
        return unknown(f"no known CNI plugin among {seen.where}, and nodes name none")
    return Fact(joined(plugin for plugin, _ in told), "; ".join(dict.fromkeys(f"nodes' {where}" for _, where in told)))


def versions(seen: Workloads) -> Fact[str]:
    """The version of the plugin that runs; of several each with its name."""
    there = plugins(seen)
    if not there:
        return unknown(f"no known CNI plugin among {seen.where}")
    known = [(found.product, version(found)) for found in there]
    if len(known) == 1 or not all(fact.known for _, fact in known):
        return next((fact for _, fact in known if not fact.known), known[0][1])
    each = joined(f"{product} {fact.value}" for product, fact in known)
    return Fact(each, "; ".join(fact.source for _, fact in known))


def agent(seen: Workloads) -> Fact[str]:
    """``namespace/name`` of the DaemonSet whose pods are the plugin's agents, one on each node."""
    there = [found for found in (*plugins(seen), *seen.of((_LAB_AGENT,))) if found.workload.kind == "DaemonSet"]
    if not there:
        return unknown(f"no DaemonSet of a known CNI plugin among {seen.where}")
    return Fact(there[0].workload.key, there[0].source)


def host_ports(nodes: Iterable[JSON]) -> Fact[bool]:
    """Whether pods' hostPorts are served, on all nodes; only the lab's tell."""
    told = {text((at(node, "metadata", "annotations") or {}).get(_LAB_HOST_PORTS)) for node in nodes}
    if not told <= {"true", "false"} or not told:
        return unknown("no object of the API tells")
    return Fact(told == {"true"}, f"nodes' annotation {_LAB_HOST_PORTS}")


def _connects(found: Found) -> bool:
    container = found.container
    if found.product == CALICO:
        return container.env.get("CALICO_NETWORKING_BACKEND") != "none"  # canal, or policy beside a cloud's plugin
    return found.product != KUBE_ROUTER or container.flags.get("run-router", "true") == "true"


def _told(nodes: Iterable[JSON]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        annotations = at(node, "metadata", "annotations") or {}
        yield from ((plugin, f"annotation {key}") for key, plugin in _ANNOTATIONS.items() if key in annotations)
        if own := text(annotations.get(_LAB)):
            yield own, f"annotation {_LAB}"
        for condition in dicts(at(node, "status", "conditions")):
            reason = text(condition.get("reason"))
            if condition.get("type") == "NetworkUnavailable" and reason in _REASONS:
                yield _REASONS[reason], f"condition NetworkUnavailable, reason {reason}"
