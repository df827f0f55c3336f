"""Which object of the API a chain, a set or an address belongs to, as far as it can be told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from conformance.audit.table import Element, Key
from conformance.model.addresses import Family
from conformance.model.kube import Service, ServicePort
from conformance.oracle.capture import cluster_ip

# kube-proxy hashes ``namespace/name/protocol/port`` and writes it behind the hash: eight base32 characters.
_OWNED = re.compile(
    r"(?:service|endpoint|external|local|firewall|affinity)-[A-Z2-7]{8}-([^/]+)/([^/]+)/[^/]+/(.*?)(?:__.*)?"
)

_CUT = "..."


def port_object(service: Service, port: ServicePort) -> str:
    """``namespace/name:port``, as kube-proxy calls a Service port."""
    return f"{service.key}:{port.name}" if port.name else service.key


def owner(name: str) -> str:
    """``namespace/name:port`` of a chain or affinity set; empty when it is no Service's, or too long a name was cut."""
    found = None if name.endswith(_CUT) else _OWNED.fullmatch(name)
    return f"{found[1]}/{found[2]}" + (f":{found[3]}" if found[3] else "") if found else ""


def is_owned(name: str) -> bool:
    """Whether kube-proxy made the chain or set for a Service: no other name has a slash."""
    return "/" in name


class Owners:
    """Services by their ClusterIP, for elements that name nobody."""

    def __init__(self, services: Iterable[Service], family: Family) -> None:
        own = ((cluster_ip(s, family), s.key) for s in services)
        self._by_ip = {ip: key for ip, key in own if ip}

    def of(self, element: Element) -> str:
        """Who the element is about: its verdict's chain, its comment, or its address tells; empty when none does."""
        by_chain = owner(element.verdict.target) if element.verdict else ""
        return by_chain or element.comment or self._by_ip.get(str(element.key[0]) if element.key else "", "")


def told_key(key: Key) -> str:
    """The key as nft prints it."""
    return " . ".join(map(str, key))
