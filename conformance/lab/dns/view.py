"""What cluster DNS knows: Services, the endpoints of each, namespaces (plain data, no I/O)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

SERVICE_NAME = "kubernetes.io/service-name"
_FAMILIES = ("IPv4", "IPv6")


@dataclass(frozen=True, slots=True)
class Host:
    """A ready endpoint of a headless Service: its DNS label, its address, its ports as (name, protocol, number)."""

    label: str
    address: str
    ports: tuple[tuple[str, str, int], ...]


class View:
    """The objects by the names DNS asks for; feed it every event, in order."""

    def __init__(self) -> None:
        self._services: dict[str, Json] = {}
        self._namespaces: set[str] = set()
        self._slices: dict[str, dict[str, Json]] = {}  # by Service, then by their own name
        self._slice_owner: dict[str, str] = {}
        self._by_address: dict[str, set[str]] = {}

    def on_namespace(self, event: str, namespace: Json) -> None:
        """A namespace came, changed or went."""
        change = self._namespaces.discard if event == "DELETED" else self._namespaces.add
        change(namespace["metadata"]["name"])

    def on_service(self, event: str, service: Json) -> None:
        """A Service came, changed or went."""
        key = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
        self._unindex(key, cluster_ips(self._services.pop(key, None)))
        if event != "DELETED":
            self._services[key] = service
        self._index(key)

    def on_slice(self, event: str, piece: Json) -> None:
        """An EndpointSlice came, changed or went."""
        meta = piece["metadata"]
        name = f"{meta['namespace']}/{meta['name']}"
        if (before := self._slice_owner.pop(name, None)) is not None:
            self._unindex(before, _addresses(self._slices[before].pop(name)))
            self._index(before)
        if event != "DELETED" and piece["addressType"] in _FAMILIES:
            owner = f"{meta['namespace']}/{(meta.get('labels') or {}).get(SERVICE_NAME, '')}"
            self._slice_owner[name] = owner
            self._slices.setdefault(owner, {})[name] = piece
            self._index(owner)

    def has_namespace(self, name: str) -> bool:
        """Whether the namespace exists."""
        return name in self._namespaces

    def service(self, namespace: str, name: str) -> Json | None:
        """The Service, or None."""
        return self._services.get(f"{namespace}/{name}")

    def hosts(self, namespace: str, name: str) -> list[Host]:
        """The ready endpoints of a Service, each once, in a stable order."""
        found: dict[tuple[str, str], dict[tuple[str, str, int], None]] = {}
        for _, piece in sorted(self._slices.get(f"{namespace}/{name}", {}).items()):
            ports = [
                (port.get("name") or "", port.get("protocol") or "TCP", port["port"])
                for port in piece.get("ports") or ()
                if port.get("port")
            ]
            for endpoint in piece.get("endpoints") or ():
                if not self.listed(f"{namespace}/{name}", endpoint):
                    continue
                for address in endpoint["addresses"]:
                    label = (endpoint.get("hostname") or address_label(address)).lower()
                    found.setdefault((label, canonical(address)), {}).update(dict.fromkeys(ports))
        return [Host(label, address, tuple(ports)) for (label, address), ports in found.items()]

    def listed(self, owner: str, endpoint: Json) -> bool:
        """Whether an endpoint of the Service ``owner`` (``namespace/name``) has records: it is ready."""
        return (endpoint.get("conditions") or {}).get("ready") is not False

    def owners(self, address: str) -> Iterator[tuple[str, str]]:
        """Namespace and name of the Services that have ``address`` as cluster IP or endpoint."""
        for key in sorted(self._by_address.get(canonical(address), ())):
            namespace, _, service = key.partition("/")
            yield namespace, service

    def _index(self, key: str) -> None:
        for address in cluster_ips(self._services.get(key)):
            self._by_address.setdefault(address, set()).add(key)
        for piece in self._slices.get(key, {}).values():
            for address in _addresses(piece):
                self._by_address.setdefault(address, set()).add(key)

    def _unindex(self, key: str, addresses: Iterable[str]) -> None:
        for address in addresses:
            keys = self._by_address.get(address, set())
            keys.discard(key)
            if not keys:
                self._by_address.pop(address, None)


def cluster_ips(service: Json | None) -> list[str]:
    """A Service's cluster IPs in canonical spelling; none for headless ones and ExternalNames."""
    if service is None or service["spec"].get("type") == "ExternalName":
        return []
    spec = service["spec"]
    ips = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    return [canonical(ip) for ip in ips if ip != "None"]


def headless(service: Json) -> bool:
    """Whether the Service's name stands for its endpoints."""
    return bool(service["spec"].get("type") != "ExternalName" and service["spec"].get("clusterIP") == "None")


def canonical(address: str) -> str:
    """One spelling for each address."""
    return str(ipaddress.ip_address(address))


def address_label(address: str) -> str:
    """The DNS label of an endpoint without hostname, as CoreDNS makes it: ``10-244-1-5``, ``fd44-1--5``."""
    return address.replace(".", "-").replace(":", "-")


def _addresses(piece: Json) -> list[str]:
    return [canonical(address) for endpoint in piece.get("endpoints") or () for address in endpoint["addresses"]]
