"""The names of kube-proxy's nftables objects, hash included, so that both rulesets can be compared word for word."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from conformance.model.addresses import Protocol

TABLE = "kube-proxy"

CLUSTER_IPS = "cluster-ips"
NODEPORT_IPS = "nodeport-ips"
HAIRPIN_CONNECTIONS = "hairpin-connections"
SERVICE_IPS = "service-ips"
SERVICE_NODEPORTS = "service-nodeports"
NO_ENDPOINT_SERVICES = "no-endpoint-services"
NO_ENDPOINT_NODEPORTS = "no-endpoint-nodeports"
FIREWALL_IPS = "firewall-ips"
REJECT_CHAIN = "reject-chain"

AFFINITY_PREFIX = "affinity-"

# nft takes names of 256 bytes and the longest prefix has 16: what is left for the rest.
_LONGEST_BASE = 240


@dataclass(frozen=True, slots=True, order=True)
class ServicePortName:
    """One port of one Service, as kube-proxy identifies it."""

    namespace: str
    name: str
    port: str
    protocol: Protocol

    @property
    def text(self) -> str:
        """``namespace/name:port``, the comment of its elements."""
        return f"{self.namespace}/{self.name}" + (f":{self.port}" if self.port else "")

    @property
    def _path(self) -> str:
        return f"{self.namespace}/{self.name}/{self.protocol.value.lower()}/{self.port}"

    @property
    def chain_base(self) -> str:
        """What follows ``service-``, ``local-``, ``external-`` and ``firewall-``."""
        return hashed(self._path)

    def endpoint_base(self, ip: str, port: int) -> str:
        """What follows ``endpoint-`` and ``affinity-``; nft names cannot contain a colon."""
        return hashed(f"{self._path}__{ip.replace(':', '.')}/{port}")


def hashed(name: str) -> str:
    """``name`` behind eight characters of its own SHA-256, cut to what nft takes: still unique when cut."""
    digest = base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()
    whole = f"{digest[:8]}-{name}"
    return whole if len(whole) <= _LONGEST_BASE else whole[: _LONGEST_BASE - 3] + "..."


def is_service_chain(name: str) -> bool:
    """Whether the chain belongs to a Service: only those have a slash in their name."""
    return "/" in name
