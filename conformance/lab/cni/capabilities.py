"""What a runtime can tell plugins that ask for it, by capability (pure).

Source: CONVENTIONS.md of containernetworking/cni, "Dynamic Plugin specific fields".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.lab.kubelet.wanted import Bandwidth, PortMapping, Wanted

Json = dict[str, Any]

_BURST = 2**32 - 1  # bits; what container runtimes give, as Kubernetes has no word for it


def capabilities(wanted: Wanted, pod_cidrs: Sequence[str]) -> Json:
    """A value for each capability about which there is something to say."""
    found: Json = {"ipRanges": [[{"subnet": cidr}] for cidr in pod_cidrs]} if pod_cidrs else {}
    if wanted.ports:
        found["portMappings"] = [_mapping(port) for port in wanted.ports]
    if wanted.bandwidth != Bandwidth():
        found["bandwidth"] = _bandwidth(wanted.bandwidth)
    if wanted.mac:
        found["mac"] = wanted.mac
    if wanted.ips:
        found["ips"] = list(wanted.ips)
    return found


def _mapping(port: PortMapping) -> Json:
    made: Json = {"hostPort": port.host_port, "containerPort": port.container_port, "protocol": port.protocol}
    return made | ({"hostIP": port.host_ip} if port.host_ip else {})


def _bandwidth(wanted: Bandwidth) -> Json:
    rates = {"ingress": wanted.ingress, "egress": wanted.egress}
    return {
        name: value
        for way, rate in rates.items()
        if rate
        for name, value in ((f"{way}Rate", rate), (f"{way}Burst", _BURST))
    }
