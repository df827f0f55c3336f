"""KubeProxyConfiguration, as far as nftables and iptables mode read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from conformance.errors import UsageError
from conformance.model.cluster import DetectLocal, ProxyMode

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the proxy was told; empty ``node_port_addresses`` mean the mode's default; times in seconds."""

    mode: ProxyMode = ProxyMode.NFTABLES
    detect_local: DetectLocal = DetectLocal.CLUSTER_CIDR
    cluster_cidrs: tuple[str, ...] = ()
    bridge_interface: str = ""
    interface_name_prefix: str = ""
    node_port_addresses: tuple[str, ...] = ()
    masquerade_all: bool = False
    masquerade_bit: int = 14
    localhost_node_ports: bool = True  # iptables mode only
    min_sync_period: float = 1.0
    sync_period: float = 30.0
    bind_address: str = ""
    healthz_address: str = "0.0.0.0:10256"
    metrics_address: str = "127.0.0.1:10249"

    @property
    def primary_node_ports(self) -> bool:
        """Whether node ports are taken at the node's primary addresses only."""
        default = () if self.mode is ProxyMode.NFTABLES else None
        return self.node_port_addresses in (default, ("primary",))


def load(path: Path) -> tuple[Configuration, Mapping[str, Any]]:
    """The configuration in the file at ``path`` and its document, for ``/configz``; ``UsageError``."""
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UsageError(
            f"The configuration {path} cannot be read: {error.strerror}.", "Name a readable file."
        ) from error
    except yaml.YAMLError as error:
        raise UsageError(f"The configuration {path} is not YAML.", "Check the file.") from error
    if not isinstance(document, dict) or document.get("kind") != "KubeProxyConfiguration":
        raise UsageError(f"{path} holds no KubeProxyConfiguration.", "Give kind: KubeProxyConfiguration.")
    return parse(document), document


def parse(document: Mapping[str, Any]) -> Configuration:
    """The configuration in a KubeProxyConfiguration object (v1alpha1); ``UsageError`` for values that mean nothing."""
    # Without a mode a real kube-proxy takes iptables, too.
    word = document.get("mode") or ProxyMode.IPTABLES.value
    mode = next((m for m in (ProxyMode.NFTABLES, ProxyMode.IPTABLES) if m.value == word), None)
    if mode is None:
        raise UsageError(f"The reference proxy has no mode {word!r}.", "Set mode: nftables or mode: iptables.")
    defaults = Configuration()
    local, own = document.get("detectLocal") or {}, document.get(mode.value) or {}
    try:
        detect = DetectLocal(document.get("detectLocalMode") or DetectLocal.CLUSTER_CIDR.value)
    except ValueError as error:
        known = ", ".join(m.value for m in DetectLocal)
        raise UsageError(f"detectLocalMode is {document['detectLocalMode']!r}.", f"Use one of {known}.") from error
    bit = own.get("masqueradeBit")
    return Configuration(
        mode=mode,
        detect_local=detect,
        cluster_cidrs=tuple(c.strip() for c in str(document.get("clusterCIDR") or "").split(",") if c.strip()),
        bridge_interface=local.get("bridgeInterface") or "",
        interface_name_prefix=local.get("interfaceNamePrefix") or "",
        node_port_addresses=tuple(document.get("nodePortAddresses") or ()),
        masquerade_all=bool(own.get("masqueradeAll", False)),
        masquerade_bit=defaults.masquerade_bit if bit is None else int(bit),
        localhost_node_ports=own.get("localhostNodePorts") is not False,
        min_sync_period=_seconds(own.get("minSyncPeriod"), defaults.min_sync_period),
        sync_period=_seconds(own.get("syncPeriod"), 0.0) or defaults.sync_period,
        bind_address=_unless_wildcard(document.get("bindAddress") or ""),
        healthz_address=_listen(document, "healthzBindAddress", defaults.healthz_address),
        metrics_address=_listen(document, "metricsBindAddress", defaults.metrics_address),
    )


def _seconds(text: object, default: float) -> float:
    """Seconds of a Go duration such as ``1m30s`` or ``100ms``; plain numbers are seconds."""
    if text is None:
        return default
    if isinstance(text, (int, float)):
        return float(text)
    parts = _DURATION.findall(str(text))
    if "".join(number + unit for number, unit in parts) != str(text):
        if str(text) == "0":
            return 0.0
        raise UsageError(f"{text!r} is no duration.", "Write it like 1s, 100ms or 1m30s.")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _unless_wildcard(address: str) -> str:
    return "" if address in ("0.0.0.0", "::") else address


def _listen(document: Mapping[str, Any], field: str, default: str) -> str:
    value = document.get(field)
    return default if value is None else str(value)
