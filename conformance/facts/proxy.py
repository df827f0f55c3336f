"""kube-proxy's configuration and mode. Parsers are pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

from conformance.model.cluster import DetectLocal, ProxyMode
from conformance.model.facts import Fact, unknown

JSON = dict[str, Any]
KEYS = ("config.conf", "kube-proxy-config.yaml", "config")


def configuration(config_map: JSON | None) -> tuple[JSON | None, str]:
    """The KubeProxyConfiguration in the ConfigMap and where it was; None and why not."""
    if config_map is None:
        return None, "there is no ConfigMap kube-system/kube-proxy"
    for key in KEYS:
        text = (config_map.get("data") or {}).get(key)
        if not text:
            continue
        try:
            parsed = yaml.safe_load(text)
        except yaml.YAMLError:
            return None, f"ConfigMap kube-system/kube-proxy: {key} is not YAML"
        if isinstance(parsed, dict) and parsed.get("kind") == "KubeProxyConfiguration":
            return parsed, f"ConfigMap kube-system/kube-proxy, {key}"
    return None, "ConfigMap kube-system/kube-proxy holds no KubeProxyConfiguration"


def mode(config: JSON | None, source: str) -> Fact[ProxyMode]:
    """``mode``; on Linux the empty one means iptables."""
    if config is None:
        return unknown(source)
    word = config.get("mode") or "iptables"
    try:
        return Fact(ProxyMode(word), source)
    except ValueError:
        return unknown(f"{source}: mode '{word}'")


def detect_local(config: JSON | None, source: str) -> Fact[DetectLocal]:
    """``detectLocalMode``; the empty one means ClusterCIDR."""
    if config is None:
        return unknown(source)
    word = config.get("detectLocalMode") or "ClusterCIDR"
    try:
        return Fact(DetectLocal(word), source)
    except ValueError:
        return unknown(f"{source}: detectLocalMode '{word}'")


def cluster_cidrs(config: JSON | None, source: str) -> Fact[tuple[str, ...]]:
    """``clusterCIDR``, a list with commas."""
    if config is None:
        return unknown(source)
    found = tuple(c.strip() for c in str(config.get("clusterCIDR") or "").split(",") if c.strip())
    return Fact(found, source) if found else unknown(f"{source}: clusterCIDR is empty")


def node_port_addresses(config: JSON | None, source: str) -> Fact[tuple[str, ...]]:
    """``nodePortAddresses``; empty means the mode's default."""
    return unknown(source) if config is None else Fact(tuple(config.get("nodePortAddresses") or ()), source)


def masquerade_all(config: JSON | None, source: str, mode_: ProxyMode) -> Fact[bool]:
    """``masqueradeAll`` of the mode's own section (ipvs reads the one of iptables)."""
    if config is None:
        return unknown(source)
    section = config.get("nftables" if mode_ is ProxyMode.NFTABLES else "iptables") or {}
    return Fact(bool(section.get("masqueradeAll")), source)


def localhost_node_ports(config: JSON | None, source: str) -> Fact[bool]:
    """``iptables.localhostNodePorts``, true by default."""
    if config is None:
        return unknown(source)
    value = (config.get("iptables") or {}).get("localhostNodePorts")
    return Fact(value is not False, source)


def modes(answers: Mapping[str, str | None]) -> tuple[Fact[Mapping[str, str]], Fact[ProxyMode]]:
    """The mode of every node from its kube-proxy's /proxyMode (None: no answer), and the cluster's where all agree."""
    source = "kube-proxy's /proxyMode on each node"
    known = {node: word.strip() for node, word in answers.items() if word}
    if not known:
        none: Fact[Any] = unknown("no kube-proxy answered /proxyMode")
        return none, none
    words = Counter(known.values())
    if len(words) > 1:
        return Fact(known, source), unknown(
            f"the nodes differ: {', '.join(f'{n} {w}' for n, w in sorted(known.items()))}"
        )
    word = next(iter(words))
    try:
        return Fact(known, source), Fact(ProxyMode(word), source)
    except ValueError:
        return Fact(known, source), unknown(f"{source}: '{word}'")
