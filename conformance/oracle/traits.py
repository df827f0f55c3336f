"""How kube-proxy's modes and versions differ: one table, so that no rule asks for a mode or a version by itself.

Bugs that one version had and another fixed are not here: an expectation is what was promised, and a known issue, with
its versions and its link, excuses what breaks the promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from conformance.model.cluster import ProxyConfig, ProxyMode

Version = tuple[int, int]
ALWAYS: Version = (0, 0)


class Trait(Enum):
    """One way in which implementations differ, as a sentence that is true of those that have it."""

    REJECTS_UNUSED_PORTS = "rejects packets to a ClusterIP at a port that the Service does not have"
    DROPS_UNALLOCATED_IPS = "drops packets to addresses of the Service CIDR that no Service has"
    PRIMARY_NODE_PORTS = "serves node ports on the node's primary addresses unless told otherwise"
    LOOPBACK_NODE_PORTS = "serves IPv4 node ports on loopback addresses"
    CLOSES_EVERY_NODE_PORT = "applies the no-endpoint verdict to a node port on every address of the node"
    CHECKS_OWN_PACKETS = "applies the no-endpoint verdict of external addresses to the node's own packets"
    LAST_ROLE_COUNTS = "takes an address that a Service has in two roles by the last: ClusterIP, external, balancer's"
    HAIRPIN_FROM_ANYWHERE = "masquerades an endpoint's packets to itself on every node, not only on the endpoint's own"
    RANGES_FIRST = "checks loadBalancerSourceRanges before it asks for endpoints"
    SHORT_CIRCUITS_LOCAL_POLICY = "spares the cluster's own clients externalTrafficPolicy Local"
    NODE_HINTS = "follows forNodes hints"
    IP_MODE = "leaves load balancer addresses of ipMode Proxy alone"
    TERMINATING_FALLBACK = "falls back to terminating endpoints that still serve"
    MEASURED = "was measured on a real cluster, not only read about"


_NFT, _IPT, _IPVS = ProxyMode.NFTABLES, ProxyMode.IPTABLES, ProxyMode.IPVS

# The version since which a mode has a trait; a mode that is not listed never has it.
SINCE: Mapping[Trait, Mapping[ProxyMode, Version]] = {
    Trait.REJECTS_UNUSED_PORTS: {_NFT: (1, 30), _IPVS: (1, 28)},
    Trait.DROPS_UNALLOCATED_IPS: {_NFT: (1, 31)},
    Trait.PRIMARY_NODE_PORTS: {_NFT: (1, 30)},
    Trait.LOOPBACK_NODE_PORTS: {_IPT: ALWAYS},
    Trait.CLOSES_EVERY_NODE_PORT: {_IPT: ALWAYS},
    Trait.CHECKS_OWN_PACKETS: {_NFT: ALWAYS, _IPVS: ALWAYS},
    Trait.LAST_ROLE_COUNTS: {_NFT: ALWAYS},
    Trait.HAIRPIN_FROM_ANYWHERE: {_IPT: ALWAYS},
    Trait.RANGES_FIRST: {_NFT: ALWAYS},
    Trait.SHORT_CIRCUITS_LOCAL_POLICY: {_NFT: ALWAYS, _IPT: ALWAYS},
    Trait.NODE_HINTS: {_NFT: (1, 34), _IPT: (1, 34), _IPVS: (1, 34)},
    Trait.IP_MODE: {_NFT: (1, 30), _IPT: (1, 30), _IPVS: (1, 30)},
    Trait.TERMINATING_FALLBACK: {_NFT: (1, 26), _IPT: (1, 26), _IPVS: (1, 26)},
    Trait.MEASURED: {_NFT: ALWAYS, _IPT: ALWAYS},
}


def has(proxy: ProxyConfig, trait: Trait) -> bool:
    """Whether kube-proxy in this mode and version has ``trait``."""
    since = SINCE[trait].get(proxy.mode)
    return since is not None and proxy.version >= since
