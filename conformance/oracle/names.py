"""Names of Services: what the cluster's DNS must answer. Source: the Kubernetes DNS specification 1.1.0."""

from __future__ import annotations

from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState
from conformance.model.kube import Endpoint, Service, ServiceType
from conformance.model.outcome import Expectation, Resolves
from conformance.model.source import Reason
from conformance.spec import sources as cite

_FAMILIES = {"A": Family.IPV4, "AAAA": Family.IPV6}


def expect_lookup(state: ClusterState, service: str, question: str) -> Expectation:
    """What ``question`` ("A web.ns.svc.cluster.local.", "SRV _tcp._tcp.web...") about ``service`` must bring.

    Addresses, ``port target`` of SRV records (the specification leaves priority and weight open), ``CNAME target``; no
    line at all where there is no such name or no such record.
    """
    record, name = question.split(" ")
    found = state.services.get(service)
    if found is None:
        return _answer(f"there is no Service {service}")
    if found.type is ServiceType.EXTERNAL_NAME:
        text = f"{service} is an alias of {found.external_name}"
        return _answer(text, f"CNAME {found.external_name.rstrip('.')}.")
    if record == "SRV":
        return _ports(state, found, name)
    if record not in _FAMILIES:
        return _answer(f"a Service that is no ExternalName has no {record} record")
    family = _FAMILIES[record]
    if not found.headless:
        ips = [ip for ip in found.cluster_ips if Family.of(ip) is family]
        return _answer(f"{service} has the ClusterIPs {', '.join(found.cluster_ips)}", *ips)
    host = name.removesuffix(name[name.index(f"{found.name}.{found.namespace}.svc.") :]).rstrip(".")
    ends = [e for e in _published(state, found, family) if not host or e.pod == host]
    text = f"{service} is headless, so its name has the addresses of its ready endpoints"
    return _answer(text, *(a for e in ends for a in e.addresses))


def _ports(state: ClusterState, service: Service, name: str) -> Expectation:
    word, protocol, *_ = name.split(".")
    target = name.split(".", 2)[2]
    port = next((p for p in service.ports if f"_{p.name}" == word and f"_{p.protocol.value.lower()}" == protocol), None)
    if port is None:
        return _answer(f"{service.key} has no port {word}")
    if service.headless and not any(_published(state, service, f) for f in Family):
        return _answer(f"{service.key} is headless and has no ready endpoint")
    return _answer(f"{service.key} has the named port {port.name}", f"{port.port} {target}")


def _published(state: ClusterState, service: Service, family: Family) -> list[Endpoint]:
    ends = [e for s in state.slices_of(service, family) for e in s.endpoints]
    return [e for e in ends if e.ready or service.publish_not_ready]


def _answer(why: str, *lines: str) -> Expectation:
    return Expectation(Resolves(frozenset(lines)), (Reason(why, cite.DNS_SPECIFICATION),))
