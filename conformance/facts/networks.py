"""Address ranges, families, and what the pod network does to sources. Parsers are pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from conformance.model.addresses import Family
from conformance.model.client import Client, ClientKind
from conformance.model.facts import Fact, unknown
from conformance.model.kube import Node
from conformance.model.observation import Dial, End

JSON = dict[str, Any]


def from_service_cidrs(objects: Iterable[JSON] | None) -> Fact[tuple[str, ...]]:
    """From ServiceCIDR objects (networking.k8s.io/v1, Kubernetes >= 1.33); None when the API has no such kind."""
    if objects is None:
        return unknown("the API has no ServiceCIDR objects")
    found = tuple(c for o in objects for c in o.get("spec", {}).get("cidrs") or ())
    return Fact(found, "ServiceCIDR objects") if found else unknown("there is no ServiceCIDR object")


def from_kubeadm(config_map: JSON | None, field: str) -> Fact[tuple[str, ...]]:
    """``networking.serviceSubnet`` or ``podSubnet`` of kubeadm's ClusterConfiguration."""
    source = "ConfigMap kube-system/kubeadm-config"
    text = ((config_map or {}).get("data") or {}).get("ClusterConfiguration")
    if not text:
        return unknown(f"there is no {source}")
    try:
        networking = (yaml.safe_load(text) or {}).get("networking") or {}
    except (yaml.YAMLError, AttributeError):
        return unknown(f"{source} is not readable")
    found = tuple(c.strip() for c in str(networking.get(field) or "").split(",") if c.strip())
    return Fact(found, f"{source}, networking.{field}") if found else unknown(f"{source} has no {field}")


def first_known(*facts: Fact[tuple[str, ...]]) -> Fact[tuple[str, ...]]:
    """The first that is known; otherwise unknown, for all their reasons."""
    known = next((f for f in facts if f.known), None)
    return known or unknown("; ".join(f.source for f in facts))


def families(service_cidrs: Fact[tuple[str, ...]], dns: Fact[tuple[str, ...]]) -> Fact[tuple[Family, ...]]:
    """The families that Services can have: of the Service CIDRs, or at least those of the DNS Service."""
    for fact in (service_cidrs, dns):
        if fact.value:
            return Fact(tuple(dict.fromkeys(Family.of(c) for c in fact.value)), fact.source)
    return unknown(f"{service_cidrs.source}; {dns.source}")


def dns(service: JSON | None) -> Fact[tuple[str, ...]]:
    """The cluster IPs of kube-system/kube-dns."""
    if service is None:
        return unknown("there is no Service kube-system/kube-dns")
    spec = service.get("spec", {})
    found = tuple(ip for ip in spec.get("clusterIPs") or [spec.get("clusterIP")] if ip and ip != "None")
    return Fact(found, "Service kube-system/kube-dns") if found else unknown("Service kube-system/kube-dns is headless")


def pod_masquerade(dials: Iterable[tuple[Client, str, Dial]], nodes: Iterable[Node]) -> Fact[bool]:
    """Whether pods' packets to another node carry their node's address, from (client, address dialled, dial).

    Only pod clients that were answered by a node that is not theirs count.
    """
    owner = {a: n.name for n in nodes for a in n.addresses}
    seen = set()
    for client, ip, dial in dials:
        if client.kind is ClientKind.POD and dial.end is End.ANSWERED and owner.get(ip, client.node) != client.node:
            seen.add(dial.source not in client.addresses)
    source = "pods' control dials to other nodes"
    if len(seen) == 1:
        return Fact(seen.pop(), source)
    return unknown(f"{source} disagree" if seen else "no pod has dialled another node's address")
