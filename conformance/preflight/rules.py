"""What each kind of finding means, what to do, and where that is written: the catalogue of docs/preflight.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.model.source import Source
from conformance.preflight.finding import Kind, Severity
from conformance.spec.sources import (
    AFFINITY_TIMEOUT,
    CODE,
    HEALTH_CHECK_CODE,
    KEP,
    NFT_HASH_SET,
    NFTABLES_CODE,
    NFTABLES_DIFFERENCES,
    NFTABLES_KEP,
    VIRTUAL_IPS,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind: how heavy it usually is, what it ``means``, the ``remedy``, and the ``source``."""

    severity: Severity
    means: str
    remedy: str
    source: Source


_BLOCKER, _WARNING, _UNKNOWN, _NOTE = Severity
_SUPPORTED = CODE("pkg/proxy/nftables/supported.go")
_SERVER = CODE("cmd/kube-proxy/app/server_linux.go")
_README = CODE("pkg/proxy/nftables/README.md")
_IPVS_CLEANUP = CODE("pkg/proxy/ipvs/cleanup.go")
_CONFIGURATION = CODE("pkg/proxy/apis/config/types.go")
_FACTS = "The reason names the permission or the --fact that helps; docs/facts.md lists both."

RULES: Mapping[Kind, Rule] = {
    Kind.REPLACED: Rule(
        _NOTE,
        "Something else serves Services in kube-proxy's stead, and no kube-proxy runs: there is nothing to migrate.",
        "Nothing.",
        VIRTUAL_IPS,
    ),
    Kind.REPLACED_BESIDE: Rule(
        _WARNING,
        "Something else serves Services, and a kube-proxy runs beside it: which of them a packet meets may change.",
        "Take kube-proxy away (after kube-proxy --cleanup on each node), or leave its mode alone.",
        VIRTUAL_IPS,
    ),
    Kind.MODE_UNKNOWN: Rule(
        _UNKNOWN,
        "The present mode is not known: what follows for iptables and for ipvs is told as if it were either.",
        f"Say --fact proxy_mode=iptables (or ipvs). {_FACTS}",
        VIRTUAL_IPS,
    ),
    Kind.ALREADY: Rule(_NOTE, "It runs in nftables mode already.", "Nothing.", VIRTUAL_IPS),
    Kind.MIXED_MODES: Rule(
        _NOTE,
        "Nodes run in different modes, which is supported: each node's rules are its own.",
        "Finish the roll-out, or name the nodes that stay.",
        NFTABLES_KEP,
    ),
    Kind.NOT_TAKEN_UP: Rule(
        _WARNING,
        "kube-proxy runs in another mode than its configuration says: the next restart switches it.",
        "Decide which of the two is meant before any node restarts.",
        _SERVER,
    ),
    Kind.MODE_BY_DEFAULT: Rule(
        _NOTE,
        "The configuration names no mode. Today that is iptables; from Kubernetes 1.40 on it is planned to be "
        "nftables.",
        "Set mode, so that an upgrade does not switch it.",
        KEP(5343),
    ),
    Kind.VERSION_TOO_OLD: Rule(
        _BLOCKER,
        "This kube-proxy has no nftables mode (before 1.29), or as alpha, off by default (1.29 and 1.30).",
        "Upgrade to Kubernetes 1.33 or newer first, where the mode is generally available.",
        NFTABLES_KEP,
    ),
    Kind.VERSION_BETA: Rule(
        _WARNING,
        "The nftables mode of this kube-proxy is beta (1.31 and 1.32), and its releases get no corrections any more.",
        "Upgrade to Kubernetes 1.33 or newer first.",
        NFTABLES_KEP,
    ),
    Kind.VERSION_UNKNOWN: Rule(
        _UNKNOWN,
        "Neither the images of kube-proxy nor the API server tell a version.",
        "Say --fact version=vX.Y.Z.",
        NFTABLES_KEP,
    ),
    Kind.IPVS_DEPRECATED: Rule(
        _NOTE,
        "The mode ipvs is deprecated since Kubernetes 1.35 and will go.",
        "Plan the move.",
        KEP(5495),
    ),
    Kind.NODES_UNKNOWN: Rule(_UNKNOWN, "Nothing is known of the nodes.", f"Grant 'list nodes'. {_FACTS}", _SUPPORTED),
    Kind.WINDOWS: Rule(
        _NOTE,
        "A Windows node has the mode kernelspace only, and stays as it is.",
        "See that its kube-proxy has a configuration of its own: mode nftables would end it.",
        VIRTUAL_IPS,
    ),
    Kind.KERNEL_TOO_OLD: Rule(
        _BLOCKER,
        "kube-proxy in nftables mode refuses to start on a kernel before 5.13.",
        "Upgrade the node, or leave it in its mode.",
        _SUPPORTED,
    ),
    Kind.KERNEL_UNKNOWN: Rule(
        _UNKNOWN, "The node's kernel is not known.", "Say --fact kernels=NODE=VERSION.", _SUPPORTED
    ),
    Kind.CONNTRACK_INVALID: Rule(
        _WARNING,
        "iptables and ipvs mode drop packets that conntrack calls invalid; nftables mode does not, and kernels before "
        "6.1 then let an out-of-window packet reset a connection through a Service.",
        "Watch kubeproxy_iptables_ct_state_invalid_dropped_packets_total: if it grows, set conntrack.tcpBeLiberal: "
        "true (--conntrack-tcp-be-liberal) with the switch.",
        NFTABLES_DIFFERENCES,
    ),
    Kind.NFT_TOO_OLD: Rule(
        _WARNING,
        "An nft before 1.0.1: with one in its image kube-proxy does not start (a blocker); the node's own may crash "
        "on every use once kube-proxy has its table.",
        "Upgrade nftables on the node, or kube-proxy's image.",
        _SUPPORTED,
    ),
    Kind.NFT_UNKNOWN: Rule(
        _UNKNOWN,
        "The versions of nft are not known; the API does not tell them. One of the node before 1.0.1 crashes on "
        "kube-proxy's table, one from 1.1.2 on may write what the nft in kube-proxy's image cannot read.",
        "Run nft --version on the node and in its kube-proxy pod, and say --fact host_nft_versions=NODE=VERSION and "
        "--fact nft_versions=NODE=VERSION.",
        _SUPPORTED,
    ),
    Kind.FIREWALL_DROPS: Rule(
        _WARNING,
        "The node drops what nobody accepts. iptables and ipvs mode accept forwarded Service traffic, node ports and "
        "health check node ports there; nftables mode accepts nothing, and a table cannot undo another's drop.",
        "Accept the traffic of pods, node ports and health check node ports in the firewall's own configuration first.",
        NFTABLES_DIFFERENCES,
    ),
    Kind.FIREWALL_UNKNOWN: Rule(
        _UNKNOWN,
        "Whether the node's firewall relied on kube-proxy's accepts is not known; the API does not tell it.",
        "Run nft -j list ruleset on the node and give what it prints: --ruleset NODE=FILE. Where iptables-legacy is "
        "in use look at iptables-legacy -S as well: nft does not show it.",
        NFTABLES_DIFFERENCES,
    ),
    Kind.COMPONENT: Rule(
        _WARNING,
        "Another component does not go with kube-proxy's nftables mode as it is, or nobody says that it does.",
        "As the finding says; the table below has them all.",
        NFTABLES_DIFFERENCES,
    ),
    Kind.COMPONENT_UNKNOWN: Rule(
        _UNKNOWN,
        "The pod network's plugin, the policy engine or the DNS cache is not known, or not one that has been looked "
        "up.",
        f"Ask its documentation about kube-proxy's nftables mode. {_FACTS}",
        NFTABLES_DIFFERENCES,
    ),
    Kind.BUG: Rule(
        _WARNING,
        "A bug of this kube-proxy's nftables mode, found in the field, that this cluster may meet.",
        "As the finding says; the table below has them all.",
        NFTABLES_CODE,
    ),
    Kind.KNOWN_ISSUE: Rule(
        _WARNING,
        "A known upstream issue of this kube-proxy; a note where it is in every mode, and so there today.",
        "Read the issue; upgrade where a release mends it.",
        NFTABLES_CODE,
    ),
    Kind.CONFIGURATION_UNKNOWN: Rule(
        _UNKNOWN,
        "kube-proxy's configuration is not known, and so neither which of its options the switch would lose.",
        f"Look for iptables, ipvs and nodePortAddresses in it. {_FACTS}",
        _CONFIGURATION,
    ),
    Kind.OPTION_IGNORED: Rule(
        _WARNING,
        "An option of iptables or ipvs mode is set that nftables mode does not read; nobody will say so.",
        "Set its counterpart below nftables, or see that nobody needs it.",
        _CONFIGURATION,
    ),
    Kind.IPVS_SCHEDULER: Rule(
        _WARNING,
        "ipvs.scheduler chooses endpoints today. nftables mode has no schedulers: each new connection gets a random "
        "one.",
        "See whether anything relies on it (least connections, source hashing); sessionAffinity: ClientIP keeps "
        "clients.",
        KEP(5495),
    ),
    Kind.IPVS_CONNECTIONS: Rule(
        _WARNING,
        "kube-proxy flushes the ipvs table when it starts in nftables mode: connections through Services break.",
        "Drain each node before its kube-proxy restarts, or switch while nobody minds.",
        _IPVS_CLEANUP,
    ),
    Kind.IPVS_ADDRESSES: Rule(
        _WARNING,
        "In ipvs mode the node itself has the Service's external and load balancer addresses (on kube-ipvs0), as it "
        "has all cluster IPs. They go: it no longer answers ARP or ping for them, and nothing can be bound to them.",
        "See that something else announces and routes the addresses to the nodes.",
        _IPVS_CLEANUP,
    ),
    Kind.SERVICES_UNKNOWN: Rule(
        _UNKNOWN, "The Services could not be read.", "Grant 'list services'.", NFTABLES_DIFFERENCES
    ),
    Kind.SERVICE_UNREADABLE: Rule(
        _UNKNOWN, "A Service holds something that makes no sense.", "Look at that object.", NFTABLES_DIFFERENCES
    ),
    Kind.NODE_PORT_LOCALHOST: Rule(
        _WARNING,
        "iptables mode serves the node port on 127.0.0.1 of each node; nftables mode refuses it there. Who uses it, "
        "the API does not tell.",
        "Watch kubeproxy_iptables_localhost_nodeports_accepted_packets_total (it should stay 0), and let its users "
        "dial the node's own address. TCP alone can be had back by an alpha feature of 1.37 (KEP-6032).",
        NFTABLES_DIFFERENCES,
    ),
    Kind.NODE_PORT_ADDRESSES: Rule(
        _WARNING,
        "nodePortAddresses is not set: today every address of a node serves the node port, in nftables mode only the "
        "primary one of each family.",
        "Set nodePortAddresses to what is needed (CIDRs), or to primary today, and see whether anybody misses the "
        "others.",
        NFTABLES_DIFFERENCES,
    ),
    Kind.HEALTH_CHECK_NODE_PORT: Rule(
        _WARNING,
        "The load balancer's health checks reach healthCheckNodePort by a rule of kube-proxy's, and on every address "
        "of a node; in nftables mode only where nodePortAddresses says, and only if the node's firewall lets them.",
        "See which address the load balancer asks, and open the port in the node's firewall.",
        HEALTH_CHECK_CODE,
    ),
    Kind.AFFINITY: Rule(
        _NOTE,
        "Which client was given which endpoint is forgotten in the switch: each may get another one, once.",
        "Switch while nobody minds.",
        AFFINITY_TIMEOUT,
    ),
    Kind.AFFINITY_MEMORY: Rule(
        _WARNING,
        "Nftables mode keeps the clients of each port and endpoint of a Service with session affinity in a set of its "
        "own, for which the kernel sets aside 2 MiB that cannot be swapped (a table for 65,535 clients), in each IP "
        "family and on every node, whoever comes. A warning from 256 MiB on.",
        "Count the endpoints, and see that every node has so much memory to spare: it is nobody's in the API. Take "
        "session affinity away where nobody needs it.",
        NFT_HASH_SET,
    ),
    Kind.CLUSTER_IP_REJECTS: Rule(
        _NOTE,
        "In nftables mode a node refuses unused ports of cluster IPs, ping too, and drops addresses that no Service "
        "has. Before, iptables mode let them wander off, and in ipvs mode the node itself answered.",
        "See that no monitoring pings cluster IPs.",
        NFTABLES_DIFFERENCES,
    ),
    Kind.LEFTOVERS: Rule(
        _NOTE,
        "kube-proxy takes the old mode's rules away when it starts in nftables mode, but not ipvs's where it cannot "
        "load the module ip_vs, nor any on a node where it no longer runs.",
        "Look for KUBE- chains and kube-ipvs0 afterwards; kube-proxy --cleanup, or a reboot, takes them away.",
        _SERVER,
    ),
    Kind.NOT_REPAIRED: Rule(
        _NOTE,
        "iptables mode notices within its syncPeriod that somebody flushed its rules. nftables mode does not: after "
        "nft flush ruleset (as a reload of nftables.service does) Services are dead for up to an hour.",
        "Let no firewall on the nodes flush the whole ruleset.",
        NFTABLES_KEP,
    ),
    Kind.CHAINS: Rule(
        _NOTE,
        "KUBE- chains and the packet mark 0x4000 go or mean nothing any more; what is in kube-proxy's table is no "
        "interface.",
        "Look for scripts, monitoring and firewalls that use them.",
        _README,
    ),
}
