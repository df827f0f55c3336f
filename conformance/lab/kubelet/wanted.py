"""What a pod wants of the pod network besides addresses (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

Json = dict[str, Any]

MAC, IPS = "nftconform.io/cni-mac", "nftconform.io/cni-ips"
"""Annotations of a pod: what to give plugins that take the capabilities ``mac`` and ``ips``."""

_WAY = "kubernetes.io/"
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti|)")
_SCALES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


@dataclass(frozen=True, slots=True)
class PortMapping:
    """``container.ports[]`` with a hostPort; ``protocol`` in lower case, ``host_ip`` empty: any of the node's."""

    host_port: int
    container_port: int
    protocol: str
    host_ip: str = ""


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Limits in bits a second, 0: none; ``ingress`` is towards the pod."""

    ingress: int = 0
    egress: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the network is asked for besides addresses, or about them: ``ips`` with prefix lengths."""

    ports: tuple[PortMapping, ...] = ()
    bandwidth: Bandwidth = Bandwidth()
    mac: str = ""
    ips: tuple[str, ...] = ()


def wanted(pod: Json) -> Wanted:
    """What ``pod`` asks for: hostPorts of its containers (as with a kubelet, not of its init containers), annotations.

    ``kubernetes.io/ingress-bandwidth`` and ``egress-bandwidth`` are Kubernetes' own; `MAC` and `IPS` are the lab's.
    """
    ports = (port for container in pod["spec"]["containers"] for port in container.get("ports") or ())
    notes = pod["metadata"].get("annotations") or {}
    return Wanted(
        tuple(_mapping(port) for port in ports if port.get("hostPort")),
        Bandwidth(_bits(notes.get(f"{_WAY}ingress-bandwidth", "")), _bits(notes.get(f"{_WAY}egress-bandwidth", ""))),
        notes.get(MAC, ""),
        tuple(text.strip() for text in notes.get(IPS, "").split(",") if text.strip()),
    )


def _bits(quantity: str) -> int:
    """A rate as a quantity of Kubernetes', such as 10M; 0 where it is none."""
    found = _QUANTITY.fullmatch(quantity)
    return int(float(found[1]) * _SCALES[found[2]]) if found else 0


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
