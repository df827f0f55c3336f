"""Address ranges, families, and what the pod network does to sources. Parsers are pure."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.facts.answer import JSON, Answer, at, mapping, networks, reasons, words
from conformance.facts.workloads import Workloads
from conformance.model.addresses import Family
from conformance.model.client import Client, ClientKind
from conformance.model.facts import Fact, unknown
from conformance.model.kube import Node
from conformance.model.observation import Dial, End


def from_service_cidrs(objects: Answer[list[JSON]]) -> Fact[tuple[str, ...]]:
    """From ServiceCIDR objects (networking.k8s.io/v1, Kubernetes >= 1.33)."""
    if objects.found is None:
        return unknown(objects.where)
    found = tuple(cidr for one in objects.found for cidr in words(at(one, "spec", "cidrs")))
    return networks(found, objects.where) if found else unknown("there is no ServiceCIDR object")


def from_kubeadm(config_map: Answer[JSON], field: str) -> Fact[tuple[str, ...]]:
    """``networking.serviceSubnet`` or ``podSubnet`` of kubeadm's ClusterConfiguration."""
    if config_map.found is None:
        return unknown(config_map.where)
    configuration = mapping(at(config_map.found, "data", "ClusterConfiguration"))
    if configuration is None:
        return unknown(f"{config_map.where} is not readable")
    found = words(at(configuration, "networking", field))
    where = f"{config_map.where}, networking.{field}"
    return networks(found, where) if found else unknown(f"{config_map.where} has no {field}")


def from_flag(seen: Workloads, component: str, flag: str) -> Fact[tuple[str, ...]]:
    """From the command line of a static pod of the control plane, e.g. ``--service-cluster-ip-range``."""
    for workload in seen.seen:
        for container in workload.containers:
            found = words(container.flags.get(flag)) if container.name == component else ()
            if found:
                return networks(found, f"{workload}, --{flag}")
    return unknown(f"no {component} with --{flag} among {seen.where}")


def first_known(*facts: Fact[tuple[str, ...]]) -> Fact[tuple[str, ...]]:
    """The first that is known; otherwise unknown, for all their reasons."""
    known = next((f for f in facts if f.known), None)
    return known or unknown(reasons(*(f.source for f in facts)))


def families(service_cidrs: Fact[tuple[str, ...]], dns: Fact[tuple[str, ...]]) -> Fact[tuple[Family, ...]]:
    """The families that Services can have: of the Service CIDRs, or at least those of the DNS Service."""
    for fact in (service_cidrs, dns):
        if fact.value:
            return Fact(tuple(dict.fromkeys(Family.of(c) for c in fact.value)), fact.source)
    return unknown(reasons(service_cidrs.source, dns.source))


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
