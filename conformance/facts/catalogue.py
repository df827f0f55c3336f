"""Every fact: what it asks, where it is learned, and what it must be permitted to read."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.cluster.grants import Grant
from conformance.cluster.pods import SYSTEM


@dataclass(frozen=True, slots=True)
class Question:
    """One fact; ``reads`` help it, and only those of nodes are required."""

    fact: str
    asks: str
    learned: str
    reads: tuple[Grant, ...] = ()


NODES = Grant("list", "nodes")
CONFIG = Grant("get", "configmaps", SYSTEM, ("kube-proxy", "kube-proxy-config", "kubeadm-config"))
PODS = Grant("list", "pods", SYSTEM)
POD_PROXY = Grant("get", "pods/proxy", SYSTEM)
DNS_SERVICE = Grant("get", "services", SYSTEM, ("kube-dns",))
SERVICE_CIDRS = Grant("list", "servicecidrs.networking.k8s.io")
WORKLOADS = (Grant("list", "daemonsets.apps"), Grant("list", "deployments.apps"))
PLUGIN = "the plugin's namespace"
PLUGIN_CONFIG = Grant("get", "configmaps", PLUGIN)
CALICO = tuple(
    Grant("get", resource, names=("default",))
    for resource in ("installations.operator.tigera.io", "felixconfigurations.crd.projectcalico.org")
)

_CONFIGURED = "kube-proxy's command line, else its ConfigMap, else k3s's annotation of nodes"
_CONFIGURATION = (CONFIG, PODS, *WORKLOADS)
_AGENTS = "agents of a run"
_ACCESS = "`--node-access`"
_IMAGES = "images of DaemonSets and Deployments"

QUESTIONS = (
    Question("version", "The API server's version.", "/version"),
    Question("nodes", "The nodes that are Ready, their addresses and pod CIDRs.", "Node objects", (NODES,)),
    Question("zones", "The zone of each node.", "Node objects", (NODES,)),
    Question("unschedulable", "The nodes that are cordoned.", "Node objects", (NODES,)),
    Question("kubelets", "The kubelet's version on each node.", "Node objects", (NODES,)),
    Question("systems", "The operating system of each node.", "Node objects", (NODES,)),
    Question("kernels", "The kernel of each node.", "Node objects", (NODES,)),
    Question("runtimes", "The container runtime of each node.", "Node objects", (NODES,)),
    Question(
        "nft_versions", "The version of nft in kube-proxy's image on each node.", f"kube-proxy's pods ({_ACCESS})"
    ),
    Question(
        "host_nft_versions", "The version of nft that each node itself has.", "nodes (`--node-access privileged`)"
    ),
    Question(
        "families",
        "The IP families that Services can have.",
        "`service_cidrs`, else `dns`",
        (SERVICE_CIDRS, CONFIG, PODS, DNS_SERVICE),
    ),
    Question(
        "service_cidrs",
        "The ranges of Service addresses.",
        "ServiceCIDR objects, else kubeadm's ConfigMap, else kube-apiserver's command line",
        (SERVICE_CIDRS, CONFIG, PODS),
    ),
    Question(
        "cluster_cidrs",
        "The ranges of pod addresses.",
        f"{_CONFIGURED}, else kubeadm's ConfigMap, else kube-controller-manager's command line",
        _CONFIGURATION,
    ),
    Question(
        "proxy_mode",
        "The mode of kube-proxy.",
        "`proxy_modes` where all nodes agree, else `configured_mode`; where the two differ, the source says so",
        (*_CONFIGURATION, POD_PROXY),
    ),
    Question(
        "proxy_modes",
        "The mode that each node's kube-proxy runs in.",
        f"/proxyMode, through the API server where metricsBindAddress lets it, and from {_AGENTS}",
        (*_CONFIGURATION, POD_PROXY),
    ),
    Question(
        "kernel_modes",
        "The modes of kube-proxy whose tables, chains or interfaces each node has.",
        f"nodes' rulesets ({_ACCESS})",
    ),
    Question(
        "foreign_drops",
        "The chains of others on each node that drop what nobody accepts, or `none`.",
        f"nodes' rulesets ({_ACCESS})",
    ),
    Question("configured_mode", "The mode that kube-proxy is told.", _CONFIGURED, _CONFIGURATION),
    Question("detect_local", "How kube-proxy knows a local pod's packet.", _CONFIGURED, _CONFIGURATION),
    Question(
        "node_port_addresses", "Where node ports answer; with `none`, the mode's default.", _CONFIGURED, _CONFIGURATION
    ),
    Question("masquerade_all", "Whether all packets to Services are masqueraded.", _CONFIGURED, _CONFIGURATION),
    Question("localhost_node_ports", "Whether node ports answer on loopback (iptables).", _CONFIGURED, _CONFIGURATION),
    Question(
        "proxy_replacement",
        "What serves Services in kube-proxy's stead, or `none`.",
        "the plugins' own configuration, and whether a kube-proxy runs",
        (*WORKLOADS, PODS, PLUGIN_CONFIG, *CALICO),
    ),
    Question("cni", "The pod network's plugin.", f"{_IMAGES}, else annotations and conditions of nodes", WORKLOADS),
    Question("cni_version", "The plugin's version.", "its image's tag", WORKLOADS),
    Question(
        "cni_dataplane",
        "With what the plugin moves packets.",
        "Calico's Installation, environment and FelixConfiguration; the ConfigMaps of Cilium, Flannel and Antrea",
        (*WORKLOADS, PLUGIN_CONFIG, *CALICO),
    ),
    Question(
        "cni_agent",
        "The DaemonSet whose pods are the plugin's agents.",
        "images of DaemonSets",
        WORKLOADS[:1],
    ),
    Question(
        "policy_engine",
        "Who enforces NetworkPolicies.",
        f"{_IMAGES}, and whether it is switched off there",
        (*WORKLOADS, PLUGIN_CONFIG),
    ),
    Question("load_balancer", "Who serves Services of type LoadBalancer.", _IMAGES, (*WORKLOADS, PLUGIN_CONFIG)),
    Question("dns", "The addresses of cluster DNS.", "Service kube-system/kube-dns", (DNS_SERVICE,)),
    Question("dns_server", "The server of cluster DNS.", _IMAGES, WORKLOADS),
    Question("dns_version", "Its version.", "its image's tag", WORKLOADS),
    Question("node_local_dns", "Whether each node caches DNS.", "images of DaemonSets", WORKLOADS),
    Question("admission", "Policy engines that may refuse or change what a run creates.", _IMAGES, WORKLOADS),
    Question("may_exec", "Whether these credentials may exec into pods.", "SelfSubjectAccessReview"),
    Question("local_addresses", "The addresses of each node that its Node object does not name.", _AGENTS),
    Question("pod_masquerade", "Whether pods' packets to other nodes carry their node's address.", _AGENTS),
    Question(
        "host_ports",
        "Whether the pod network offers hostPorts; where nobody says that it does not, they are asked for.",
        "`--fact`, and a lab's nodes: a plugin need not offer them, and no object of the API says whether it does",
    ),
    Question(
        "policy_enforced",
        "Whether NetworkPolicies are enforced.",
        "a run with NetworkPolicy cases: pods that it isolates",
    ),
)
"""In the order of `conformance.model.facts.Facts`."""
