"""Questions about one pod that several controllers ask."""

from __future__ import annotations

import ipaddress
from typing import Any

Json = dict[str, Any]


def terminal(pod: Json) -> bool:
    """Whether the pod has run to its end."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def terminating(pod: Json) -> bool:
    """Whether the pod has been asked to go."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def addresses(pod: Json, address_type: str) -> list[str]:
    """The pod's IPs of ``address_type`` (``IPv4``, ``IPv6``) in canonical spelling."""
    version = 4 if address_type == "IPv4" else 6
    found = (ipaddress.ip_address(entry["ip"]) for entry in pod.get("status", {}).get("podIPs") or ())
    return [str(ip) for ip in found if ip.version == version]


def serves(pod: Json, *, include_terminating: bool) -> bool:
    """Whether the pod belongs into its Services' endpoints at all, ready or not."""
    if terminal(pod) or (terminating(pod) and not include_terminating):
        return False
    return bool(pod.get("status", {}).get("podIPs") or pod.get("status", {}).get("podIP"))


def hostname_for(pod: Json, service: Json) -> str:
    """The pod's hostname when its subdomain is this Service, else empty."""
    spec = pod["spec"]
    return str(spec.get("hostname") or "") if spec.get("subdomain") == service["metadata"]["name"] else ""


def port_number(pod: Json, service_port: Json) -> int | None:
    """The port of ``pod`` that ``service_port`` targets; None when the pod has no port of that name and protocol."""
    target = service_port.get("targetPort") or service_port["port"]
    if isinstance(target, int):
        return target
    sidecars = (c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always")
    for container in (*pod["spec"]["containers"], *sidecars):
        for port in container.get("ports") or ():
            if port.get("name") == target and port.get("protocol", "TCP") == service_port.get("protocol", "TCP"):
                return int(port["containerPort"])
    return None
