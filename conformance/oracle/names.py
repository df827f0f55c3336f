"""Names of Services: what the cluster's DNS must answer. Source: the Kubernetes DNS specification 1.1.0."""

from __future__ import annotations

import re
from dataclasses import dataclass

from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState
from conformance.model.kube import Endpoint, Service, ServiceType
from conformance.model.outcome import Expectation, Resolves, Unspecified
from conformance.model.source import Reason
from conformance.spec import sources as cite

_FAMILIES = {"A": Family.IPV4, "AAAA": Family.IPV6}
_KNOWN = {*_FAMILIES, "SRV", "CNAME"}


@dataclass(frozen=True, slots=True)
class _Lookup:
    """A question: the record, the labels before the Service's own name, and that name with its final dot."""

    record: str
    labels: tuple[str, ...]
    base: str


def expect_lookup(state: ClusterState, service: str, question: str) -> Expectation:
    """What ``question``, a record and an absolute name (``A web.ns.svc.cluster.local.``), must bring.

    ``service`` (``namespace/name``) is the Service that the name is below; it need not exist. The answer's lines are
    addresses, ``port target.`` of SRV records (priority and weight are left open) and ``CNAME target.``; there are none
    where the name or the record does not exist. What the specification does not name is `Unspecified`.
    """
    lookup = _lookup(service, question)
    if lookup is None or lookup.record not in _KNOWN:
        return _open(f"the specification says nothing about {question}")
    found = state.services.get(service)
    if found is None:
        return _answer(f"there is no Service {service}, so none of its names exists")
    if found.type is ServiceType.EXTERNAL_NAME:
        if lookup.labels:
            return _answer(f"{service} is an alias: nothing is below it")
        return _answer(f"{service} is an alias of {found.external_name}", f"CNAME {found.external_name.rstrip('.')}.")
    match lookup.labels:
        case ():
            return _of_the_service(state, found, lookup)
        case (host,):
            return _of_an_endpoint(state, found, lookup, host)
        case (port, protocol) if port.startswith("_") and protocol in {"_tcp", "_udp", "_sctp"}:
            return _of_a_port(state, found, lookup, port[1:], protocol[1:])
        case _:
            return _answer(f"nothing is named {'.'.join(lookup.labels)} below {service}")


def _lookup(service: str, question: str) -> _Lookup | None:
    record, _, name = question.partition(" ")
    namespace, _, own = service.partition("/")
    base = rf"{re.escape(own)}\.{re.escape(namespace)}\.svc\.(?:[^.]+\.)+"
    found = re.fullmatch(rf"(?:(?P<labels>.+?)\.)?(?P<base>{base})", name.lower())
    if found is None:
        return None
    return _Lookup(record, tuple(found["labels"].split(".")) if found["labels"] else (), found["base"])


def _of_the_service(state: ClusterState, service: Service, lookup: _Lookup) -> Expectation:
    if lookup.record == "SRV":
        return _open("the specification has SRV records below _port._protocol only")
    if lookup.record == "CNAME":
        return _answer(f"{service.key} is no alias")
    family = _FAMILIES[lookup.record]
    if not service.headless:
        ips = [ip for ip in service.cluster_ips if Family.of(ip) is family]
        return _answer(f"{service.key} has the ClusterIPs {', '.join(service.cluster_ips)}", *ips)
    text = f"{service.key} is headless, so its name has the addresses of its ready endpoints"
    return _answer(text, *(a for e in _published(state, service, family) for a in e.addresses))


def _of_an_endpoint(state: ClusterState, service: Service, lookup: _Lookup, host: str) -> Expectation:
    ends = [e for f in Family for e in _published(state, service, f) if e.hostname.lower() == host]
    if not service.headless:
        if ends:
            return _open("the specification gives endpoints names below headless Services only")
        return _answer(f"nothing is named {host} below {service.key}")
    if not ends and any(not e.hostname for f in Family for e in _published(state, service, f)):
        return _open(f"{service.key} has endpoints without a hostname, whose names are for the server to make up")
    wanted = _FAMILIES.get(lookup.record)
    found = [a for e in ends for a in e.addresses if Family.of(a) is wanted]
    return _answer(f"{len(ends)} ready endpoints of {service.key} have the hostname {host}", *found)


def _of_a_port(state: ClusterState, service: Service, lookup: _Lookup, port: str, protocol: str) -> Expectation:
    if lookup.record != "SRV":
        return _open("the specification has SRV records at names of ports, and does not forbid others")
    if not service.headless:
        numbers = [p.port for p in service.ports if p.name and (p.name, p.protocol.value.lower()) == (port, protocol)]
        text = f"{service.key} has the named port {port}" if numbers else f"{service.key} has no port named {port}"
        return _answer(text, *(f"{n} {lookup.base}" for n in numbers))
    ends = [
        (e, p.port)
        for f in Family
        for s in state.slices_of(service, f)
        for p in s.ports
        if p.name and (p.name, p.protocol.value.lower()) == (port, protocol)
        for e in s.endpoints
        if _ready(service, e)
    ]
    if any(not e.hostname for e, _ in ends):
        return _open(f"{service.key} has endpoints without a hostname, whose names are for the server to make up")
    text = f"{len(ends)} ready endpoints of {service.key} have the port {port}"
    return _answer(text, *(f"{number} {e.hostname.lower()}.{lookup.base}" for e, number in ends))


def _published(state: ClusterState, service: Service, family: Family) -> list[Endpoint]:
    return [e for s in state.slices_of(service, family) for e in s.endpoints if _ready(service, e)]


def _ready(service: Service, endpoint: Endpoint) -> bool:
    return endpoint.ready or service.publish_not_ready


def _answer(why: str, *lines: str) -> Expectation:
    return Expectation(Resolves(frozenset(lines)), (Reason(why, cite.DNS_SPECIFICATION),))


def _open(why: str) -> Expectation:
    return Expectation(Unspecified(why), (Reason(why, cite.DNS_SPECIFICATION),))
