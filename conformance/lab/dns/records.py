"""Which records a name has (pure). Source: the Kubernetes DNS-Based Service Discovery specification 1.1.0."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import dns.name
import dns.rdata
import dns.rdataclass
from dns.rdatatype import RdataType

from conformance.lab.dns.view import Host, View, cluster_ips, headless

SCHEMA_VERSION = "1.1.0"
DNS_SERVICE = ("kube-system", "kube-dns")
Records = dict[RdataType, list[dns.rdata.Rdata]]

_PROTOCOLS = {"_tcp": "TCP", "_udp": "UDP", "_sctp": "SCTP"}
_IN_ADDR, _IP6 = dns.name.from_text("in-addr.arpa."), dns.name.from_text("ip6.arpa.")


@dataclass(frozen=True, slots=True)
class Zones:
    """The zones that this server is the authority for: the cluster's domain and the reverse ones."""

    domain: dns.name.Name

    def of(self, name: dns.name.Name) -> dns.name.Name | None:
        """The zone that ``name`` lies in, or None."""
        return next((zone for zone in (self.domain, _IN_ADDR, _IP6) if name.is_subdomain(zone)), None)


def records(view: View, zones: Zones, name: dns.name.Name) -> Records | None:
    """Everything at ``name``: None when the name does not exist, empty when only names below it do."""
    zone, domain = zones.of(name), zones.domain
    if zone is None:
        return None
    if name == zone:
        return {RdataType.SOA: [soa(domain)], RdataType.NS: [_rdata(RdataType.NS, _server(domain))]}
    if zone != domain:
        return _reverse(view, domain, name)
    labels = [label.decode("ascii", "replace").lower() for label in name.relativize(zone).labels]
    match labels[::-1]:
        case ["dns-version"]:
            return {RdataType.TXT: [_rdata(RdataType.TXT, f'"{SCHEMA_VERSION}"')]}
        case ["dns"] | ["svc"] | ["pod"]:
            return {}
        case ["dns", "ns"]:
            return _service(view, *DNS_SERVICE) or {}
        case ["svc" | "pod", namespace]:
            return {} if view.has_namespace(namespace) else None
        case ["pod", namespace, label]:
            return _pod(label) if view.has_namespace(namespace) else None
        case ["svc", namespace, service]:
            return _service(view, namespace, service)
        case ["svc", namespace, service, protocol] if protocol in _PROTOCOLS:
            return {} if _PROTOCOLS[protocol] in _port_protocols(view, namespace, service) else None
        case ["svc", namespace, service, label]:
            return _addresses([h.address for h in _hosts(view, namespace, service) if h.label == label]) or None
        case ["svc", namespace, service, protocol, port] if protocol in _PROTOCOLS and port[:1] == "_" and port[1:]:
            return _services(view, domain, (namespace, service), port[1:], _PROTOCOLS[protocol])
        case _:
            return None


def soa(domain: dns.name.Name) -> dns.rdata.Rdata:
    """The SOA of every zone of ours; its last field bounds how long a denial may be remembered."""
    return _rdata(RdataType.SOA, f"{_server(domain)} hostmaster.{domain} 1 7200 1800 86400 5")


def _service(view: View, namespace: str, name: str) -> Records | None:
    service = view.service(namespace, name)
    if service is None:
        return None
    if service["spec"].get("type") == "ExternalName":
        target = dns.name.from_text(service["spec"]["externalName"])
        return {RdataType.CNAME: [_rdata(RdataType.CNAME, target.to_text())]}
    if headless(service):
        # Without a ready endpoint the name does not exist (specification 2.4.1).
        return _addresses([host.address for host in view.hosts(namespace, name)]) or None
    return _addresses(cluster_ips(service))


def _services(
    view: View, domain: dns.name.Name, service_key: tuple[str, str], port: str, protocol: str
) -> Records | None:
    namespace, name = service_key
    service, base = view.service(namespace, name), f"{name}.{namespace}.svc.{domain}"
    targets: dict[str, None] = {}
    for host in _hosts(view, namespace, name):
        for theirs, its_protocol, number in host.ports:
            if (theirs.lower(), its_protocol) == (port, protocol):
                targets[f"{number} {host.label}.{base}"] = None
    if service is not None and cluster_ips(service):
        for entry in service["spec"].get("ports") or ():
            if ((entry.get("name") or "").lower(), entry.get("protocol") or "TCP") == (port, protocol):
                targets[f"{entry['port']} {base}"] = None
    weight = max(1, 100 // max(1, len(targets)))
    return {RdataType.SRV: [_rdata(RdataType.SRV, f"0 {weight} {target}") for target in targets]} if targets else None


def _port_protocols(view: View, namespace: str, name: str) -> set[str]:
    """The protocols of the Service's named ports: those below which SRV records exist."""
    found = {protocol for host in _hosts(view, namespace, name) for port, protocol, _ in host.ports if port}
    service = view.service(namespace, name)
    if service is not None and cluster_ips(service):
        found |= {p.get("protocol") or "TCP" for p in service["spec"].get("ports") or () if p.get("name")}
    return found


def _hosts(view: View, namespace: str, name: str) -> list[Host]:
    """The endpoints that have names of their own: those of headless Services."""
    service = view.service(namespace, name)
    return view.hosts(namespace, name) if service is not None and headless(service) else []


def _pod(label: str) -> Records | None:
    """The deprecated ``10-244-1-5.<namespace>.pod`` names: any address, whether or not a pod has it."""
    for text in (label.replace("-", "."), label.replace("-", ":")):
        try:
            return _addresses([str(ipaddress.ip_address(text))])
        except ValueError:
            continue
    return None


def _reverse(view: View, domain: dns.name.Name, name: dns.name.Name) -> Records | None:
    address, names = _address_of(name), list[str]()
    for namespace, service_name in view.owners(address) if address else ():
        service, base = view.service(namespace, service_name), f"{service_name}.{namespace}.svc.{domain}"
        if address in cluster_ips(service):
            names.append(base)
        names += [f"{h.label}.{base}" for h in _hosts(view, namespace, service_name) if h.address == address]
    return {RdataType.PTR: [_rdata(RdataType.PTR, n) for n in names]} if names else None


def _address_of(name: dns.name.Name) -> str | None:
    """The address that a name in a reverse zone stands for, None when it is none or only part of one."""
    labels = [label.decode("ascii", "replace").lower() for label in name.labels[:-3]][::-1]
    try:
        if name.is_subdomain(_IN_ADDR):
            return str(ipaddress.IPv4Address(".".join(labels)))
        if len(labels) != 32 or any(len(label) != 1 for label in labels):
            return None
        digits = "".join(labels)
        return str(ipaddress.IPv6Address(":".join(digits[i : i + 4] for i in range(0, 32, 4))))
    except ValueError:
        return None


def _addresses(addresses: list[str]) -> Records:
    found: Records = {}
    for address in dict.fromkeys(addresses):
        kind = RdataType.AAAA if ":" in address else RdataType.A
        found.setdefault(kind, []).append(_rdata(kind, address))
    return found


def _server(domain: dns.name.Name) -> str:
    return f"ns.dns.{domain}"


def _rdata(kind: RdataType, text: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text(dns.rdataclass.IN, kind, text)
