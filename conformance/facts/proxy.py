"""kube-proxy's configuration and mode. Parsers are pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from conformance.facts.answer import JSON, Answer, at, mapping, networks, reasons, text, true, words
from conformance.facts.workloads import Container, Workload, Workloads
from conformance.model.cluster import DetectLocal, ProxyMode
from conformance.model.facts import Fact, unknown
from conformance.model.printable import short
from conformance.model.release import release

KEYS = ("config.conf", "kube-proxy-config.yaml", "config")
METRICS_PORT = 10249

_IMAGES = re.compile(r"(^|/)(kube-proxy(-[a-z0-9]+)?|hyperkube|hardened-kubernetes)$")
"""As upstream, the clouds and RKE2 name them."""

_FLAGS = {
    "proxy-mode": ("mode",),
    "cluster-cidr": ("clusterCIDR",),
    "detect-local-mode": ("detectLocalMode",),
    "nodeport-addresses": ("nodePortAddresses",),
    "metrics-bind-address": ("metricsBindAddress",),
    "iptables-localhost-nodeports": ("iptables", "localhostNodePorts"),
    "iptables-masquerade-bit": ("iptables", "masqueradeBit"),
    "ipvs-scheduler": ("ipvs", "scheduler"),
    "ipvs-exclude-cidrs": ("ipvs", "excludeCIDRs"),
    "ipvs-strict-arp": ("ipvs", "strictARP"),
    "ipvs-sync-period": ("ipvs", "syncPeriod"),
    "ipvs-min-sync-period": ("ipvs", "minSyncPeriod"),
    "ipvs-tcp-timeout": ("ipvs", "tcpTimeout"),
    "ipvs-tcpfin-timeout": ("ipvs", "tcpFinTimeout"),
    "ipvs-udp-timeout": ("ipvs", "udpTimeout"),
    "conntrack-tcp-be-liberal": ("conntrack", "tcpBeLiberal"),
}


def daemons(seen: Workloads) -> list[tuple[Workload, Container]]:
    """The workloads with a container of kube-proxy's name; those of Windows nodes are another program."""
    both = ((w, c) for w in seen.seen for c in w.containers if not w.name.endswith("-windows"))
    return [(w, c) for w, c in both if c.name == "kube-proxy"]


def configuration(config_maps: Iterable[Answer[JSON]], seen: Workloads, inside: Answer[dict[str, str]]) -> Answer[JSON]:
    """The KubeProxyConfiguration, as kube-proxy itself decides: from ``--config``'s file, or else from other flags.

    The file is that of a ConfigMap. ``inside`` are the flags of the kube-proxy inside k3s.
    """
    told = [(w, from_flags(c.flags)) for w, c in daemons(seen) if c.flags and "config" not in c.flags]
    if told:
        first, config = told[0]
        other = next((w for w, different in told if different != config), None)
        if other:
            return Answer(None, f"the command lines of {first} and {other} differ")
        return Answer(config, f"{first}, its command line")
    held = [_held(answer) for answer in config_maps]
    if inside.found is not None:
        held.append(Answer(from_flags(inside.found), inside.where))
    known = next((answer for answer in held if answer.found is not None), None)
    return known or Answer(None, reasons(*(answer.where for answer in held), inside.where))


def from_flags(found: Mapping[str, str]) -> JSON:
    """The configuration that kube-proxy makes of its flags."""
    config: JSON = {}
    for flag, (*sections, field) in _FLAGS.items():
        if flag in found:
            part = config
            for section in sections:
                part = part.setdefault(section, {})
            part[field] = found[flag]
    if "masquerade-all" in found:
        for section in ("iptables", "nftables"):
            config.setdefault(section, {})["masqueradeAll"] = found["masquerade-all"]
    return config


def versions(seen: Workloads) -> Fact[tuple[str, ...]]:
    """The versions that the images of kube-proxy are tagged with; another name's tag may count something else."""
    proxies = daemons(seen)
    if not proxies:
        return unknown(f"no kube-proxy among {seen.where}")
    where = "; ".join(dict.fromkeys(f"{w}, its image's tag" for w, _ in proxies))
    tags = dict.fromkeys(c.tag for _, c in proxies if _IMAGES.search(c.image) and release(c.tag))
    return Fact(tuple(tags), where)


def mode(config: Answer[JSON]) -> Fact[ProxyMode]:
    """``mode``; on Linux the empty one means iptables."""
    if config.found is None:
        return unknown(config.where)
    word = text(config.found.get("mode")) or "iptables"
    try:
        return Fact(ProxyMode(word), config.where)
    except ValueError:
        return unknown(f"{config.where}: mode '{short(word)}'")


def detect_local(config: Answer[JSON]) -> Fact[DetectLocal]:
    """``detectLocalMode``; the empty one means ClusterCIDR."""
    if config.found is None:
        return unknown(config.where)
    word = text(config.found.get("detectLocalMode")) or "ClusterCIDR"
    try:
        return Fact(DetectLocal(word), config.where)
    except ValueError:
        return unknown(f"{config.where}: detectLocalMode '{short(word)}'")


def cluster_cidrs(config: Answer[JSON]) -> Fact[tuple[str, ...]]:
    """``clusterCIDR``, a list with commas."""
    if config.found is None:
        return unknown(config.where)
    found = words(config.found.get("clusterCIDR"))
    return networks(found, config.where) if found else unknown(f"{config.where}: clusterCIDR is empty")


def node_port_addresses(config: Answer[JSON]) -> Fact[tuple[str, ...]]:
    """``nodePortAddresses``; empty means the mode's default."""
    if config.found is None:
        return unknown(config.where)
    return networks(words(config.found.get("nodePortAddresses")), config.where, "primary")


def masquerade_all(config: Answer[JSON], mode_: ProxyMode) -> Fact[bool]:
    """``masqueradeAll`` of the mode's own section (ipvs reads the one of iptables)."""
    if config.found is None:
        return unknown(config.where)
    section = "nftables" if mode_ is ProxyMode.NFTABLES else "iptables"
    return Fact(true(at(config.found, section, "masqueradeAll")), config.where)


def localhost_node_ports(config: Answer[JSON]) -> Fact[bool]:
    """``iptables.localhostNodePorts``, true by default."""
    if config.found is None:
        return unknown(config.where)
    return Fact(text(at(config.found, "iptables", "localhostNodePorts")) != "false", config.where)


def metrics_port(config: Answer[JSON]) -> tuple[int, str]:
    """The port on which a kube-proxy can be asked from another machine; 0 and why not where it listens on loopback."""
    if config.found is None:
        return METRICS_PORT, ""
    address, _, port = text(config.found.get("metricsBindAddress")).rpartition(":")
    if not address and not port:
        return 0, f"{config.where}: metricsBindAddress is empty, so only the node itself may ask /proxyMode"
    if address.strip("[]") in ("localhost", "::1") or address.startswith("127."):
        return 0, f"{config.where}: metricsBindAddress is {address}, so only the node itself may ask /proxyMode"
    return int(port) if port.isdecimal() and 0 < int(port) < 65536 else METRICS_PORT, ""


def modes(
    answers: Mapping[str, str | None], why: str = "no kube-proxy answered /proxyMode"
) -> tuple[Fact[Mapping[str, str]], Fact[ProxyMode]]:
    """The mode of every node from its kube-proxy's /proxyMode (None: no answer), and the cluster's where all agree."""
    known = {node: short(word.strip()) for node, word in answers.items() if word}
    if not known:
        none: Fact[Any] = unknown(why)
        return none, none
    where = "each node" if len(known) == len(answers) else f"{len(known)} of {len(answers)} nodes"
    source = f"kube-proxy's /proxyMode on {where}"
    if len(Counter(known.values())) > 1:
        each = ", ".join(f"{node} {word}" for node, word in sorted(known.items()))
        return Fact(known, source), unknown(f"the nodes differ: {each}")
    word = next(iter(known.values()))
    try:
        return Fact(known, source), Fact(ProxyMode(word), source)
    except ValueError:
        return Fact(known, source), unknown(f"{source}: '{word}'")


def agreed(configured: Fact[ProxyMode], by_node: Fact[Mapping[str, str]], running: Fact[ProxyMode]) -> Fact[ProxyMode]:
    """The mode that runs where a node has told it, else the one configured; that the two differ is in its source."""
    if not by_node.known:
        return configured if configured.known else unknown(reasons(configured.source, by_node.source))
    if running.value and configured.value and running.value is not configured.value:
        return Fact(running.value, f"{running.source}, although {configured.source} says {configured.value.value}")
    return running


def _held(config_map: Answer[JSON]) -> Answer[JSON]:
    """The configuration in one ConfigMap."""
    if config_map.found is None:
        return config_map
    for key in KEYS:
        document = at(config_map.found, "data", key)
        if not document:
            continue
        parsed = mapping(document)
        if parsed is None:
            return Answer(None, f"{config_map.where}: {key} is no YAML mapping")
        if parsed.get("kind") == "KubeProxyConfiguration":
            return Answer(parsed, f"{config_map.where}, {key}")
    return Answer(None, f"{config_map.where} holds no KubeProxyConfiguration")
