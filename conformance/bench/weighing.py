"""What a node's proxy weighs, and what it says of itself."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from conformance.audit import MalformedRuleset, read_tables
from conformance.bench.ground import Ground
from conformance.bench.planning import Rung
from conformance.bench.timer import Timer
from conformance.cluster.output import output
from conformance.errors import ClusterError
from conformance.measured.lines import Metric, Weight
from conformance.model.addresses import Family
from conformance.model.cluster import ProxyMode

METRICS = "http://127.0.0.1:10249/metrics"
SYNC = "kubeproxy_sync_proxy_rules_duration_seconds"
FULL_SYNC = "kubeproxy_sync_full_proxy_rules_duration_seconds"
HISTOGRAMS = (
    "kubeproxy_network_programming_duration_seconds",
    SYNC,
    FULL_SYNC,
    "kubeproxy_sync_partial_proxy_rules_duration_seconds",
)
_CPU, _RESIDENT = "process_cpu_seconds_total", "process_resident_memory_bytes"
_SAMPLE = re.compile(r"([a-z_]+)(?:\{[^}]*\})? (\d+(?:\.\d+)?(?:e[+-]\d+)?)", re.ASCII)
_MOST = 1e12
"""Of one sample: more bytes or seconds than any proxy has."""
_TABLES = {Family.IPV4: ("ip", "iptables"), Family.IPV6: ("ip6", "ip6tables")}


@dataclass(frozen=True, slots=True)
class Account:
    """kube-proxy's metrics by name, all labels together; empty when they could not be read."""

    values: Mapping[str, float]

    def since(self, before: Account, name: str) -> tuple[float, float] | None:
        """Count and sum that a histogram has gained; None where it is not known, or began anew."""
        if not before.values:
            return None
        gained = tuple(
            self.values[f"{name}_{part}"] - before.values.get(f"{name}_{part}", 0.0)
            for part in ("count", "sum")
            if f"{name}_{part}" in self.values
        )
        return (gained[0], gained[1]) if len(gained) == 2 and min(gained) >= 0 else None


def account(timer: Timer) -> Account:
    """The metrics of the node on whose network ``timer`` is."""
    prefixes = [f"{name}_{part}" for name in HISTOGRAMS for part in ("count", "sum")]
    text = timer.ask("page", 10.0, url=METRICS, prefixes=[*prefixes, _CPU, _RESIDENT])["text"]
    return Account(read_metrics(text or ""))


def read_metrics(text: str) -> dict[str, float]:
    """Prometheus' text format, without labels: samples of one name are added up; what is none is passed over."""
    found: dict[str, float] = defaultdict(float)
    for line in text.splitlines():
        if (match := _SAMPLE.fullmatch(line.strip())) and (value := float(match[2])) <= _MOST:
            found[match[1]] += value
    return dict(found)


def metrics(ground: Ground, rung: Rung, before: Account, now: Account) -> list[Metric]:
    """What the histograms of the dialling node's proxy have gained."""
    node, size = ground.nodes[0].name, (rung.services, rung.endpoints)
    gained = [(name, now.since(before, name)) for name in HISTOGRAMS]
    return [Metric(ground.place.name, *size, node, name, *more) for name, more in gained if more and more[0]]


def weight(ground: Ground, rung: Rung) -> Weight:
    """Of the dialling node's proxy."""
    node, own = ground.nodes[0].name, account(ground.watching[0]).values
    rules, elements = _counted(ground, node)
    resident = own.get(_RESIDENT)
    return Weight(
        ground.place.name,
        rung.services,
        rung.endpoints,
        node,
        rules,
        elements,
        None if resident is None else int(resident),
        own.get(_CPU),
    )


def _counted(ground: Ground, node: str) -> tuple[int | None, int | None]:
    """Rules and elements of sets and maps that kube-proxy has in the kernel, in the bench's family."""
    family, tool = _TABLES[ground.family]
    if ground.place.mode == ProxyMode.NFTABLES.value:
        text = _in_proxy(ground, node, "nft", "-j", "list", "table", family, "kube-proxy")
        return (None, None) if text is None else count_nft(text, ground.family)
    text = _in_proxy(ground, node, f"{tool}-save")
    return (None, None) if text is None else (count_iptables(text), 0)


def count_nft(text: str, family: Family) -> tuple[int | None, int | None]:
    """Rules and elements in what ``nft -j list table`` printed; None for both where that is garbled."""
    try:
        table = read_tables([text])[family]
    except (MalformedRuleset, KeyError):
        return None, None
    rules = sum(len(one.rules) for one in table.chains.values())
    return rules, sum(len(one.elements) for one in table.containers.values())


def count_iptables(text: str) -> int:
    """kube-proxy's rules in what ``iptables-save`` printed."""
    return sum(line.startswith("-A ") and "KUBE-" in line for line in text.splitlines())


def _in_proxy(ground: Ground, node: str, *command: str) -> str | None:
    """What a command prints in the node's kube-proxy container; None where it cannot be run."""
    from fixtures.auditing import proxy_pods  # noqa: PLC0415  importable only after put_on_path

    try:
        found = proxy_pods(ground.cluster).get(node)
        return "".join(output(ground.cluster, found.pod, *command, container=found.container)) if found else None
    except ClusterError:
        return None
