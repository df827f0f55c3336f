"""The names of kube-proxy's iptables chains, hash included, so that both rulesets can be compared word for word."""

from __future__ import annotations

import base64
import hashlib

from conformance.lab.proxy.names import ServicePortName

SERVICES = "KUBE-SERVICES"
EXTERNAL_SERVICES = "KUBE-EXTERNAL-SERVICES"
NODE_PORTS = "KUBE-NODEPORTS"
POSTROUTING = "KUBE-POSTROUTING"
MARK_MASQ = "KUBE-MARK-MASQ"
FORWARD = "KUBE-FORWARD"
PROXY_FIREWALL = "KUBE-PROXY-FIREWALL"
CANARY = "KUBE-PROXY-CANARY"
KUBELET_FIREWALL = "KUBE-FIREWALL"
"""The kubelet's; the proxy makes it where the kubelet has not, and leaves it when it goes."""

# What nfacct counts under these names, kube-proxy shows in its metrics.
INVALID_DROPPED = "ct_state_invalid_dropped_pkts"
LOOPBACK_ACCEPTED = "localhost_nps_accepted_pkts"

_SERVICE_PREFIXES = ("KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "KUBE-FW-", "KUBE-EXT-")


def cluster_chain(port: ServicePortName) -> str:
    """The chain that spreads over the endpoints of traffic policy Cluster."""
    return f"KUBE-SVC-{_hash(port)}"


def local_chain(port: ServicePortName) -> str:
    """The chain that spreads over the endpoints of traffic policy Local."""
    return f"KUBE-SVL-{_hash(port)}"


def external_chain(port: ServicePortName) -> str:
    """The chain in which all traffic to external addresses is marked and directed."""
    return f"KUBE-EXT-{_hash(port)}"


def firewall_chain(port: ServicePortName) -> str:
    """The chain that only lets source ranges through."""
    return f"KUBE-FW-{_hash(port)}"


def endpoint_chain(port: ServicePortName, endpoint: str) -> str:
    """The chain of one endpoint (``ip:port``), also the name of its list of sticky clients."""
    return f"KUBE-SEP-{_hash(port, endpoint)}"


def is_service_chain(name: str) -> bool:
    """Whether the chain belongs to one Service."""
    return name.startswith(_SERVICE_PREFIXES)


def _hash(port: ServicePortName, endpoint: str = "") -> str:
    """iptables takes chain names of 28 characters."""
    digest = hashlib.sha256(f"{port.text}{port.protocol.value.lower()}{endpoint}".encode()).digest()
    return base64.b32encode(digest).decode()[:16]
