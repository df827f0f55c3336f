"""A recorded scenario: a folder with topology.json and objects.json, and what was dialled in cells.jsonl."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from conformance.errors import UsageError
from conformance.model.addresses import Family, Protocol
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ClusterState, DetectLocal, ProxyConfig, ProxyMode
from conformance.model.fields import MalformedObject
from conformance.model.parse import cluster_state

_HINT = "A scenario holds topology.json, objects.json and cells.jsonl, as `nftconform expect --help` describes them."


@dataclass(frozen=True, slots=True)
class RecordedCell:
    """One line of cells.jsonl: who dialled what, and how often it ended how (empty where nobody has dialled yet)."""

    client: Client
    destination: Destination
    out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A cluster as it was, its clients, and the cells in the order recorded."""

    state: ClusterState
    clients: Mapping[str, Client]
    cells: tuple[RecordedCell, ...]
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)  # that a server at an address may answer with


def read_scenario(folder: Path) -> Scenario:
    """The scenario in ``folder``; `UsageError` with one sentence when a file lacks, is cut short or makes no sense."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder.", _HINT)
    topology, objects = folder / "topology.json", folder / "objects.json"
    state, placed, held = read_cluster(topology, objects)
    try:
        clients = {name: _client(name, c) for name, c in placed["clients"].items()}
        pods = held.get("pods") or ()
        # Whoever recorded a scenario named every machine that could answer.
        state = replace(state, homes=_homes(clients, pods), closed=True)
        names = _names(state, clients, pods)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise _garbled(topology, fault) from None
    recorded = folder / "cells.jsonl"
    cells = tuple(_cells(recorded, clients)) if recorded.exists() else ()
    return Scenario(state, clients, cells, names)


def read_cluster(topology: Path, objects: Path) -> tuple[ClusterState, dict[str, Any], dict[str, Any]]:
    """The cluster of a topology.json and an objects.json, and both documents; `UsageError` as `read_scenario`."""
    placed, held = _object(topology), _object(objects)
    try:
        return _state(placed, held), placed, held
    except MalformedObject as fault:
        raise UsageError(f"{objects}: {fault}.", _HINT) from None
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise _garbled(topology, fault) from None


def _garbled(topology: Path, fault: Exception) -> UsageError:
    return UsageError(f"{topology} or objects.json lacks or garbles {fault}.", _HINT)


def every_cell(scenario: Scenario) -> Iterator[RecordedCell]:
    """Every client dialling every address of every Service: what a scenario without cells is asked about."""
    for key in sorted(scenario.state.services):
        service = scenario.state.services[key]
        for port in service.ports:
            at: list[tuple[DestinationKind, str, int, str]] = []
            at += [(DestinationKind.CLUSTER_IP, ip, port.port, "") for ip in service.cluster_ips if ip != "None"]
            at += [(DestinationKind.EXTERNAL_IP, ip, port.port, "") for ip in service.external_ips]
            at += [(DestinationKind.LOAD_BALANCER, i.ip, port.port, "") for i in service.ingress]
            if port.node_port:
                nodes = scenario.state.nodes.values()
                primaries = [(n.name, n.primary(family)) for n in nodes for family in Family]
                at += [(DestinationKind.NODE_PORT, ip, port.node_port, name) for name, ip in primaries if ip]
            for kind, ip, number, node in at:
                destination = Destination(kind, ip, number, port.protocol, key, port.name, node)
                for client in scenario.clients.values():
                    yield RecordedCell(client, destination, {})


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} is missing.", _HINT) from None
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(f"{path} cannot be read: {fault}.", _HINT) from None
    except (json.JSONDecodeError, RecursionError) as fault:
        raise UsageError(f"{path} is no complete JSON: {fault}.", _HINT) from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds no JSON object.", _HINT)
    return found


def _state(topology: dict[str, Any], objects: dict[str, Any]) -> ClusterState:
    local = {name: _local(node) for name, node in topology["nodes"].items()}
    nodes = [_with_topology(n, topology["nodes"]) for n in objects["nodes"]]
    services, slices = objects["services"], objects["endpointslices"]
    state = cluster_state(services, slices, nodes, _proxy(topology["kubeProxy"]), local)
    modes = {node: ProxyMode(word) for node, word in (topology["kubeProxy"].get("modes") or {}).items()}
    return replace(state, pod_masquerade=_masquerades(topology), modes=modes)


def _local(node: dict[str, Any]) -> list[str]:
    """Every address that the topology gives a node, whatever it calls them (``secondaryAddress`` ...)."""
    found: list[str] = []
    for name, value in node.items():
        if name.lower().endswith(("address", "addresses")):
            found += [value] if isinstance(value, str) else value
    return found


def _with_topology(node: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """``node`` with the topology's InternalIPs where the object says none, as of a node that no kubelet reported."""
    name = node["metadata"]["name"]
    if (node.get("status") or {}).get("addresses") or name not in known:
        return node
    addresses = [{"type": "InternalIP", "address": a} for a in known[name]["addresses"]]
    return {**node, "status": {**(node.get("status") or {}), "addresses": addresses}}


def _proxy(kube_proxy: dict[str, Any]) -> ProxyConfig:
    version = re.match(r"v?(\d+)\.(\d+)", str(kube_proxy["version"]))
    if version is None:
        raise ValueError(f"kubeProxy.version {kube_proxy['version']!r}")
    served = kube_proxy.get("nodePortAddresses")
    return ProxyConfig(
        mode=ProxyMode(kube_proxy["mode"]),
        version=(int(version[1]), int(version[2])),
        detect_local=DetectLocal(kube_proxy.get("detectLocalMode") or "ClusterCIDR"),
        cluster_cidrs=_list(kube_proxy.get("clusterCIDR")),
        node_port_addresses=() if isinstance(served, str) and "default" in served else _list(served),
        masquerade_all=bool(kube_proxy.get("masqueradeAll")),
        service_cidrs=_list(kube_proxy.get("serviceCIDR")),
        localhost_node_ports=bool(kube_proxy.get("localhostNodePorts", True)),
    )


def _list(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not value:
        return ()
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError(f"{value!r}, which is no list of words")
    return tuple(v for v in value if v)


def _masquerades(topology: dict[str, Any]) -> bool | None:
    """Whether the pod network masquerades: said outright, or in the words of the topology's ``network``."""
    if isinstance(topology.get("podMasquerade"), bool):
        return bool(topology["podMasquerade"])
    words = re.search(r"(\bno |\bnot |\bwithout )?masquerad", str(topology.get("network", "")).lower())
    return None if words is None else words[1] is None


def _names(
    state: ClusterState, clients: Mapping[str, Client], pods: Iterable[dict[str, Any]]
) -> dict[str, frozenset[str]]:
    found = [(ip, n.name) for n in state.nodes.values() for ip in (*n.addresses, *n.local)]
    found += [(ip, c.name) for c in clients.values() for ip in c.addresses]
    found += [(ip["ip"], p["metadata"]["name"]) for p in pods for ip in (p.get("status") or {}).get("podIPs") or ()]
    return {ip: frozenset(name for other, name in found if other == ip) for ip, _ in found}


def _homes(clients: Mapping[str, Client], pods: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The nodes of the addresses of pods, as clients and as objects; empty for those of external clients."""
    inside = {c.name: "" if c.kind is ClientKind.EXTERNAL else c.node for c in clients.values()}
    found = {ip: inside[c.name] for c in clients.values() for ip in c.addresses}
    placed = [(p["spec"].get("nodeName"), (p.get("status") or {}).get("podIPs") or ()) for p in pods if p.get("spec")]
    return found | {str(ipaddress.ip_address(ip["ip"])): node for node, ips in placed if node for ip in ips}


def _client(name: str, client: dict[str, Any]) -> Client:
    kind = ClientKind(client["kind"])
    node = client["via"] if kind is ClientKind.EXTERNAL else client.get("node", name)
    addresses = tuple(str(ipaddress.ip_address(a)) for a in client.get("addresses", ()))
    return Client(name, kind, node, addresses)


def _cells(path: Path, clients: Mapping[str, Client]) -> Iterator[RecordedCell]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(f"{path} cannot be read: {fault}.", _HINT) from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _cell(json.loads(line), clients)
        except json.JSONDecodeError as fault:
            raise UsageError(f"{path} line {number} is no complete JSON: {fault}.", _HINT) from None
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise UsageError(f"{path} line {number} lacks or garbles {fault}.", _HINT) from None


def _kind(word: str) -> DestinationKind:
    """The kind that a recording names; the oracle goes by the address, so that a kind of its own is no fault."""
    known = [kind for kind in DestinationKind if word.startswith(kind.value)]
    return max(known, key=lambda kind: len(kind.value), default=DestinationKind.POD)


def _cell(plain: dict[str, Any], clients: Mapping[str, Client]) -> RecordedCell:
    word, _, node = plain["kind"].partition("@")
    service = plain["service"]
    destination = Destination(
        kind=_kind(word),
        ip=str(ipaddress.ip_address(plain["ip"])),
        port=int(plain["port"]),
        protocol=Protocol(plain["proto"].upper()),
        service=service if "/" in service else f"default/{service}",
        port_name=plain.get("portname") or "",
        node=node,
    )
    out = {str(end): int(count) for end, count in plain.get("out", {}).items()}
    return RecordedCell(clients[plain["client"]], destination, out)
