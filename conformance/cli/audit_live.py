"""The audit of a cluster: its objects by the API, and every node's table by its kube-proxy pod."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import yaml

from conformance.audit import MEASURED, Detail, Finding, MalformedRuleset, Table, audit_node, read_tables
from conformance.audit.table import NAME
from conformance.cluster.api import Cluster
from conformance.cluster.failures import ApiRefused
from conformance.cluster.output import CommandFailed, output
from conformance.cluster.paths import kind
from conformance.cluster.pods import PodRef
from conformance.errors import ClusterError, UsageError
from conformance.facts.gather import gather
from conformance.facts.given import with_given
from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState, ProxyConfig, ProxyMode
from conformance.model.facts import Fact
from conformance.model.fields import MalformedObject
from conformance.model.parse import SERVICE_NAME_LABEL, cluster_state

JSON = dict[str, Any]

SYSTEM = "kube-system"
AT_ONCE = 8
"""Nodes read side by side."""
ROUNDS = 6
PAUSE = 2.0
"""Seconds between two readings: kube-proxy writes what it hears after minSyncPeriod (1 s by default), and deletes the
chains that it has emptied a second later. There is nothing on a node that says when it is done."""

_NEEDED = ("detect_local", "node_port_addresses", "masquerade_all", "service_cidrs")
"""Facts without which one could only guess what the table should be."""

_NO_TABLE = "No such file or directory"


@dataclass(frozen=True, slots=True)
class _Proxy:
    """The kube-proxy of a node, and its container's name where the pod has several."""

    pod: PodRef
    container: str


@dataclass(slots=True)
class Audited:
    """Findings by node; ``unread`` says why a node could not be read, ``restless`` are objects that kept changing."""

    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    restless: set[str] = field(default_factory=set)
    version: tuple[int, int] = MEASURED


@dataclass(frozen=True, slots=True)
class _Seen:
    """The API's objects at one time; ``versions`` are the resourceVersions of a Service and its slices, by its key."""

    state: ClusterState
    versions: Mapping[str, frozenset[str]]


def of_cluster(
    cluster: Cluster, nodes: tuple[str, ...], most: int | None, given: tuple[str, ...] = (), *, strict: bool = False
) -> Audited:
    """The audit of ``nodes`` (none: all, or ``most`` of them, spread over zones); ``given`` are facts, ``NAME=VALUE``.

    `UsageError`, and `ClusterError` also where something that the table depends on is not known.
    What is found is read again until nothing that it is about has changed between two readings that agree.
    """
    config, detail = _configuration(cluster, given)
    proxies = _proxies(cluster)
    seen = _look(cluster, config)
    lacking = next((n for n in nodes if n not in seen.state.nodes), None)
    if lacking is not None:
        raise UsageError(f"The cluster has no node '{lacking}'.", f"It has {', '.join(sorted(seen.state.nodes))}.")
    chosen = nodes or sample(seen.state, most)
    result = Audited(version=config.version)
    result.unread = {n: "no kube-proxy pod runs there" for n in chosen if n not in proxies}
    there = {n: proxies[n] for n in chosen if n in proxies}
    suspected = _read(cluster, there, seen, detail, result, strict=strict)
    confirmed: dict[str, set[Finding]] = {}
    for _ in range(ROUNDS):
        doubtful = {n: there[n] for n, found in suspected.items() if set(found) != confirmed.get(n, set())}
        if not doubtful:
            break
        time.sleep(PAUSE)
        before, seen = seen, _look(cluster, config)
        again = _read(cluster, doubtful, seen, detail, result, strict=strict)
        for node, found in again.items():
            changed = {f for f in found if _versions(before, f) != _versions(seen, f)}
            confirmed[node] = set(found) & set(suspected[node]) - changed
            suspected[node] = found
    for node, found in suspected.items():
        if node in result.unread:
            continue
        result.findings[node] = tuple(f for f in found if f in confirmed.get(node, set()))
        result.restless |= {f.object or f.where for f in found if f not in confirmed.get(node, set())}
    return result


def sample(state: ClusterState, most: int | None) -> tuple[str, ...]:
    """The same ``most`` nodes each time: by name, one of each zone in turn; all when there are no more."""
    zones: dict[str, list[str]] = defaultdict(list)
    for name, node in sorted(state.nodes.items()):
        zones[node.zone].append(name)
    turns = [(turn, zone, name) for zone, names in zones.items() for turn, name in enumerate(names)]
    return tuple(name for _, _, name in sorted(turns)[:most])


def _configuration(cluster: Cluster, given: tuple[str, ...]) -> tuple[ProxyConfig, Detail]:
    facts = with_given(gather(cluster), given)
    for name in _NEEDED:
        fact: Fact[Any] = getattr(facts, name)
        if not fact.known:
            raise ClusterError(f"It is not known what {name} is: {fact.source}.", f"Say it with --fact {name}=VALUE.")
    mode = facts.proxy_mode.value
    if mode not in {None, ProxyMode.NFTABLES}:
        raise ClusterError(
            f"kube-proxy's mode is {mode.value} by {facts.proxy_mode.source}.",
            "The audit reads nftables mode's tables.",
        )
    try:
        config_map = cluster.find(kind("ConfigMap").path(SYSTEM, "kube-proxy"))
    except ApiRefused:
        config_map = None
    return facts.proxy(), detail_of((config_map or {}).get("data") or {})


def detail_of(texts: Mapping[str, str]) -> Detail:
    """The details in the KubeProxyConfiguration among a ConfigMap's ``texts``; kube-proxy's defaults without one."""
    for text in texts.values():
        try:
            plain = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        if isinstance(plain, dict) and plain.get("kind") == "KubeProxyConfiguration":
            own, local = (v if isinstance(v := plain.get(k), dict) else {} for k in ("nftables", "detectLocal"))
            bit = own.get("masqueradeBit")
            return Detail(
                masquerade_bit=bit if isinstance(bit, int) and 0 <= bit < 32 else Detail().masquerade_bit,
                bridge_interface=str(local.get("bridgeInterface") or ""),
                interface_name_prefix=str(local.get("interfaceNamePrefix") or ""),
            )
    return Detail()


def _proxies(cluster: Cluster) -> dict[str, _Proxy]:
    """kube-proxy's running pods by node."""
    listed = cluster.objects("Pod", SYSTEM, "k8s-app=kube-proxy")
    running = (p for p in listed if (p.get("status") or {}).get("phase") == "Running")
    return {str(p["spec"].get("nodeName")): _proxy(p) for p in running}


def _proxy(pod: JSON) -> _Proxy:
    names = [c.get("name") for c in pod["spec"].get("containers") or ()]
    several = len(names) > 1 and "kube-proxy" in names
    return _Proxy(PodRef(SYSTEM, pod["metadata"]["name"]), "kube-proxy" if several else "")


def _look(cluster: Cluster, config: ProxyConfig) -> _Seen:
    services, slices = cluster.objects("Service"), cluster.objects("EndpointSlice")
    try:
        state = cluster_state(services, slices, cluster.objects("Node"), config)
    except MalformedObject as fault:
        raise ClusterError(f"The API holds something that makes no sense: {fault}.", "Look at that object.") from None
    versions: dict[str, set[str]] = defaultdict(set)
    for one in (*services, *slices):
        meta = one["metadata"]
        name = meta["name"] if one.get("kind") == "Service" else (meta.get("labels") or {}).get(SERVICE_NAME_LABEL)
        versions[f"{meta.get('namespace')}/{name}"].add(f"{meta.get('uid')} {meta.get('resourceVersion')}")
    return _Seen(state, {key: frozenset(them) for key, them in versions.items()})


def _versions(seen: _Seen, finding: Finding) -> object:
    return seen.versions.get(finding.object.split(":")[0])


def _read(
    cluster: Cluster, proxies: Mapping[str, _Proxy], seen: _Seen, detail: Detail, result: Audited, *, strict: bool
) -> dict[str, tuple[Finding, ...]]:
    """The findings of each node that can be read; the others are noted in ``result``."""

    def one(node: str) -> tuple[Finding, ...] | str:
        try:
            tables = _tables(cluster, proxies[node])
        except MalformedRuleset as fault:
            return f"what nft printed there: {fault}"
        except ClusterError as fault:
            if isinstance(fault, ApiRefused) and fault.denied:
                raise  # not this node's fault
            return fault.cause
        try:
            return audit_node(tables, seen.state, node, detail, strict=strict)
        except ValueError as fault:  # of the configuration's addresses, which nobody has looked at before
            return f"kube-proxy's configuration makes no sense: {fault}"

    found: dict[str, tuple[Finding, ...]] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for node, answer in zip(proxies, pool.map(one, proxies), strict=True):
            if isinstance(answer, str):
                result.unread[node] = answer
            else:
                found[node] = answer
    return found


def _tables(cluster: Cluster, proxy: _Proxy) -> dict[Family, Table]:
    found: dict[Family, Table] = {}
    for word in ("ip", "ip6"):
        try:
            command = ("nft", "-j", "list", "table", word, NAME)
            found.update(read_tables(output(cluster, proxy.pod, *command, container=proxy.container)))
        except CommandFailed as fault:
            if _NO_TABLE not in fault.cause:  # without a table there is something to find, or nothing to ask
                raise
    return found


def told(unread: Mapping[str, str], restless: Iterable[str]) -> list[str]:
    """What the audit could not see, one sentence each."""
    lines = [f"{node} could not be read: {why}" for node, why in sorted(unread.items())]
    return lines + [f"{name} kept changing while it was read" for name in sorted(restless)]
