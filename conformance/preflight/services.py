"""What changes for each Service."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model.addresses import Family, contains
from conformance.model.cluster import ProxyMode
from conformance.model.kube import Policy, Service
from conformance.oracle.capture import proxied
from conformance.preflight.checks import found
from conformance.preflight.finding import Finding, Kind, Severity
from conformance.preflight.subject import Subject

_PRIMARY = "primary"
_LOOPBACK = "127.0.0.1"
_SOURCE = "Services"
_MOST = 3
_SET_MIB = 2
_MUCH_MIB = 256


def services(subject: Subject) -> Iterator[Finding]:
    """The findings about Services that kube-proxy serves."""
    if not subject.services.known:
        yield found(Kind.SERVICES_UNKNOWN, "the Services are not known", subject.services.source)
    for key, fault in sorted(subject.unreadable.items()):
        yield found(Kind.SERVICE_UNREADABLE, fault, _SOURCE, service=key)
    if not subject.moves():
        return
    yield from _affinity_memory([s for s in subject.served() if s.affinity_seconds is not None])
    besides = {family: _besides(subject, family) for family in Family}
    for service in subject.served():
        ports = ", ".join(f"{p.node_port}/{p.protocol.value}" for p in service.ports if p.node_port)
        if ports:
            yield from _localhost(subject, service, ports)
            secondary = [address for family in Family if proxied(service, family) for address in besides[family]]
            yield from _addresses(subject, service, ports, secondary)
        yield from _health_check(subject, service)
        yield from _ipvs_addresses(subject, service)
        if service.affinity_seconds is not None:
            evidence = f"sessionAffinity ClientIP, {service.affinity_seconds} s"
            yield found(Kind.AFFINITY, evidence, _SOURCE, service=service.key)


def _affinity_memory(tied: list[Service]) -> Iterator[Finding]:
    """Endpoints are not asked for: what one of each Service would take."""
    sets = sum(len(s.ports) for s in tied for family in Family if proxied(s, family))
    if sets:
        size = sets * _SET_MIB
        services = f"{len(tied)} Service{'s' * (len(tied) > 1)} with session affinity"
        evidence = f"{services}: {size} MiB on every node for one endpoint each, as much for each further one"
        yield found(
            Kind.AFFINITY_MEMORY, evidence, _SOURCE, severity=Severity.NOTE if size < _MUCH_MIB else Severity.WARNING
        )


def _localhost(subject: Subject, service: Service, ports: str) -> Iterator[Finding]:
    facts = subject.facts
    if ProxyMode.IPTABLES not in subject.origins() or not proxied(service, Family.IPV4):
        return
    served, addresses = facts.localhost_node_ports, facts.node_port_addresses
    if served.value is False or (addresses.known and not _reaches_loopback(addresses.otherwise(()))):
        return
    known = subject.mode_known() and served.known and addresses.known
    yield found(
        Kind.NODE_PORT_LOCALHOST,
        f"node port {ports} on {_LOOPBACK}" + ("" if known else ", unless mode or configuration say otherwise"),
        "; ".join(dict.fromkeys((_SOURCE, facts.proxy_mode.source, served.source, addresses.source))),
        service=service.key,
        severity=None if known else Severity.UNKNOWN,
    )


def _addresses(subject: Subject, service: Service, ports: str, besides: list[str]) -> Iterator[Finding]:
    facts = subject.facts
    if not facts.node_port_addresses.known:
        why = f"{_SOURCE}; {facts.node_port_addresses.source}"
        evidence = f"node port {ports}; whether nodePortAddresses is set is not known"
        yield found(Kind.NODE_PORT_ADDRESSES, evidence, why, service=service.key, severity=Severity.UNKNOWN)
        return
    if facts.node_port_addresses.value:
        return
    if besides:
        more = f" and {len(besides) - _MOST} more" if len(besides) > _MOST else ""
        evidence = f"node port {ports}; also served on {', '.join(besides[:_MOST])}{more}"
        yield found(Kind.NODE_PORT_ADDRESSES, evidence, f"{_SOURCE}; Nodes", service=service.key)
    elif not facts.local_addresses.known:
        yield found(
            Kind.NODE_PORT_ADDRESSES,
            f"node port {ports}; whether nodes have further addresses is not known",
            f"{_SOURCE}; {facts.local_addresses.source}",
            service=service.key,
            severity=Severity.UNKNOWN,
        )


def _health_check(subject: Subject, service: Service) -> Iterator[Finding]:
    if service.health_check_node_port and service.external_policy is Policy.LOCAL:
        where = "" if subject.facts.node_port_addresses.value else ", nodePortAddresses not set"
        evidence = f"healthCheckNodePort {service.health_check_node_port}{where}"
        yield found(Kind.HEALTH_CHECK_NODE_PORT, evidence, _SOURCE, service=service.key)


def _ipvs_addresses(subject: Subject, service: Service) -> Iterator[Finding]:
    outside = (*service.external_ips, *(i.ip for i in service.ingress))
    if ProxyMode.IPVS in subject.origins() and outside:
        severity = None if subject.mode_known() else Severity.UNKNOWN
        yield found(Kind.IPVS_ADDRESSES, ", ".join(outside), _SOURCE, service=service.key, severity=severity)


def _reaches_loopback(addresses: tuple[str, ...]) -> bool:
    cidrs = [a for a in addresses if a != _PRIMARY]
    return not addresses or any(contains(cidr, _LOOPBACK) for cidr in cidrs)


def _besides(subject: Subject, family: Family) -> list[str]:
    """Addresses of nodes that serve node ports today and will not, one a node."""
    pairs = ((node.name, node.secondary(family)) for node in subject.facts.nodes.otherwise(()))
    return [f"{name} {address}" for name, address in pairs if address]
