"""What a pod wants of the pod network besides addresses (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PortMapping:
    """``container.ports[]`` with a hostPort; ``protocol`` in lower case, ``host_ip`` empty: any of the node's."""

    host_port: int
    container_port: int
    protocol: str
    host_ip: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the network is asked for besides addresses."""

    ports: tuple[PortMapping, ...] = ()


def wanted(pod: Json) -> Wanted:
    """What ``pod`` asks for; as with a kubelet, hostPorts of its containers, not of its init containers."""
    ports = (port for container in pod["spec"]["containers"] for port in container.get("ports") or ())
    return Wanted(tuple(_mapping(port) for port in ports if port.get("hostPort")))


def _mapping(port: Json) -> PortMapping:
    return PortMapping(
        port["hostPort"],
        port["containerPort"],
        port.get("protocol", "TCP").lower(),
        _specified(port.get("hostIP") or ""),
    )


def _specified(host_ip: str) -> str:
    """``host_ip`` as the kernel's tools write it; empty where it stands for every address, or is none."""
    try:
        address = ip_address(host_ip)
    except ValueError:
        return ""
    return "" if address.is_unspecified else str(address)
