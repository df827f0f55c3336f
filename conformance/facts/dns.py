"""Cluster DNS: its addresses, its server, and whether nodes cache. Parsers are pure."""

from __future__ import annotations

from dataclasses import replace

from conformance.facts.answer import JSON, Answer, at, networks, text, words
from conformance.facts.workloads import Found, Product, Workloads, named, version
from conformance.model.facts import Fact, unknown

SERVERS = (
    Product("coredns", r"(hardened-)?coredns|mirrored-coredns-coredns", "openshift-dns/dns-default"),
    Product("kube-dns", r"k8s-dns-kube-dns(-amd64)?"),
)
CACHE = Product("node-local-dns", r"(hardened|k8s)-dns-node-cache(-amd64)?")
_NAMESPACES = ("kube-system", "openshift-dns")


def addresses(service: Answer[JSON]) -> Fact[tuple[str, ...]]:
    """The cluster IPs of kube-system/kube-dns."""
    if service.found is None:
        return unknown(service.where)
    spec = service.found.get("spec")
    found = tuple(ip for ip in words(at(spec, "clusterIPs") or text(at(spec, "clusterIP"))) if ip != "None")
    return networks(found, service.where) if found else unknown(f"{service.where} is headless")


def server(seen: Workloads) -> Fact[str]:
    """The implementation that runs for the cluster."""
    return named(_servers(seen), seen, "DNS server")


def server_version(seen: Workloads) -> Fact[str]:
    """Its image's tag."""
    running = _servers(seen)
    return version(running[0]) if running else unknown(f"no known DNS server among {seen.where}")


def node_local(seen: Workloads) -> Fact[bool]:
    """Whether NodeLocal DNSCache runs; no only where every DaemonSet could be seen."""
    cache = next(seen.of([CACHE]), None)
    if cache:
        return Fact(True, cache.source)
    return Fact(False, f"none among {seen.where}") if seen.complete else unknown(f"none among {seen.where}")


def _servers(seen: Workloads) -> list[Found]:
    """Of the cluster itself: others may run for somebody's own purposes."""
    own = tuple(w for w in seen.seen if w.namespace in _NAMESPACES)
    return list(replace(seen, seen=own).of(SERVERS))[:1]
