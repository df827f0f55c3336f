"""What the server is told at its start."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Config:
    """Files, addresses and ranges; the sockets come apart from it."""

    tls_cert: Path
    tls_key: Path
    client_ca: Path
    sa_key: Path
    service_cidrs: tuple[Network, ...] = field(
        default_factory=lambda: (ip_network("10.96.0.0/16"), ip_network("fd00:96::/112"))
    )
    node_ports: tuple[int, int] = (30000, 32767)
    advertise: tuple[str, int] = ("127.0.0.1", 6443)
    kubelet_cert: Path | None = None
    kubelet_key: Path | None = None
    kubelet_ca: Path | None = None
    kubelet_port: int = 10250
    history: int = 10_000
    bookmark_interval: float = 60.0
    faults: Path | None = None
