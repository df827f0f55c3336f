"""Many Services with two endpoints each on one node, and the table that kube-proxy writes for them.

``python -m tests.audit.scale 10000`` prints what their audit takes in time and memory.
"""

from __future__ import annotations

import copy
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from conformance.audit import Finding, audit_node, read_tables
from conformance.model.addresses import Family, Protocol
from conformance.model.cluster import ClusterState, ProxyConfig
from conformance.model.kube import (
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    Service,
    ServicePort,
    ServiceType,
)
from tests.audit.recorded import Listing, state

PIECE = 1 << 16
FIRST_IP, FIRST_POD, FIRST_NODE_PORT = (int(ip_address(ip)) for ip in ("10.96.0.10", "10.244.1.10", "0.0.117.48"))
MARK = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"|": [{"meta": {"key": "mark"}}, 16384]}}}
Json = dict[str, Any]


@dataclass(frozen=True)
class One:
    """The service of that number: every fourth has a node port."""

    number: int

    @property
    def name(self) -> str:
        return f"s{self.number}"

    @property
    def ip(self) -> str:
        return str(ip_address(FIRST_IP + self.number))

    @property
    def pods(self) -> tuple[str, str]:
        here, there = FIRST_POD + 2 * self.number, FIRST_POD + 2 * self.number + 1
        return str(ip_address(here)), str(ip_address(there))

    @property
    def node_port(self) -> int:
        return 0 if self.number % 4 else FIRST_NODE_PORT % 65536 + self.number // 4

    @property
    def chain(self) -> str:
        return f"AAAAAAAA-default/{self.name}/tcp/http"

    def objects(self) -> tuple[Service, EndpointSlice]:
        kind = ServiceType.NODE_PORT if self.node_port else ServiceType.CLUSTER_IP
        port = ServicePort("http", Protocol.TCP, 80, 8080, self.node_port)
        endpoints = tuple(Endpoint((ip,), node=node) for ip, node in zip(self.pods, ("n1", "n2"), strict=True))
        ports = (EndpointPort("http", Protocol.TCP, 8080),)
        service = Service("default", self.name, kind, (port,), (self.ip,), (Family.IPV4,))
        return service, EndpointSlice("default", self.name, self.name, Family.IPV4, ports, endpoints)


def cluster(count: int) -> ClusterState:
    """What the API says of ``count`` Services and three nodes."""
    made = [One(i).objects() for i in range(count)]
    nodes = {n: Node(n, (f"172.30.99.1{i}",), pod_cidrs=(f"10.{i}.0.0/16",)) for i, n in enumerate(("n1", "n2", "n3"))}
    proxy = ProxyConfig(cluster_cidrs=("10.244.0.0/16",), service_cidrs=("10.96.0.0/16",))
    return ClusterState(
        services={s.key: s for s, _ in made}, slices={s.key: (e,) for s, e in made}, nodes=nodes, proxy=proxy
    )


def listing(count: int) -> Iterator[str]:
    """What nft prints of n1's table: the recorded frame, and ``count`` Services in it; one object at a time."""
    frame = Listing.of("n1")
    every = [One(i) for i in range(count)]
    with_port = [one for one in every if one.node_port]
    elements: dict[str, list[Any]] = {
        "cluster-ips": [one.ip for one in every],
        "service-ips": [[{"concat": [o.ip, "tcp", 80]}, {"goto": {"target": f"service-{o.chain}"}}] for o in every],
        "service-nodeports": [
            [{"concat": ["tcp", o.node_port]}, {"goto": {"target": f"external-{o.chain}"}}] for o in with_port
        ],
        "hairpin-connections": [{"concat": [o.pods[0], o.pods[0], "tcp", 8080]} for o in every],
        "nodeport-ips": ["172.30.99.10"],
    }
    yield '{"nftables": [{"metainfo": {"version": "1.0.6"}}'
    for one in frame.objects:
        ((kind, plain),) = one.items()
        if plain.get("family") == "ip" and "/" not in plain.get("chain" if kind == "rule" else "name", ""):
            plain = copy.copy(plain)
            if kind in {"set", "map"}:
                plain["elem"] = elements.get(plain["name"], [])
            yield f", {json.dumps({kind: plain})}"
    for service in every:
        for plain in chains(service):
            yield f", {json.dumps(plain)}"
    yield "]}\n"


def chains(one: One) -> Iterator[Json]:
    """The chains and rules of one Service."""
    options = [[i, {"concat": [ip, 8080]}] for i, ip in enumerate(one.pods)]
    numgen = {"numgen": {"mode": "random", "mod": 2, "offset": 0}}
    names = [f"service-{one.chain}", *([f"external-{one.chain}"] if one.node_port else [])]
    for handle, name in enumerate(names):
        yield {"chain": {"family": "ip", "table": "kube-proxy", "name": name, "handle": handle}}
    spread = {"dnat": {"family": "ip", "addr": {"map": {"key": numgen, "data": {"set": options}}}}}
    protocol = {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}}
    yield rule(names[0], protocol, spread)
    if one.node_port:
        yield rule(names[1], MARK, comment="masquerade")
        yield rule(names[1], {"goto": {"target": names[0]}})


def rule(chain: str, *expr: Json, **more: str) -> Json:
    return {"rule": {"family": "ip", "table": "kube-proxy", "chain": chain, "handle": 1, **more, "expr": list(expr)}}


def write(count: int, path: Path) -> Path:
    """The listing as a file."""
    with path.open("w") as file:
        file.writelines(listing(count))
    return path


def audited(path: Path, known: ClusterState) -> tuple[Finding, ...]:
    """The audit of a file, read in pieces."""
    with path.open() as file:
        return audit_node(read_tables(iter(lambda: file.read(PIECE), "")), known, "n1")


def main(count: int) -> None:
    """Print what ``count`` Services take."""
    state.cache_clear()
    known = cluster(count)
    with tempfile.TemporaryDirectory() as folder:
        path = write(count, Path(folder) / "ruleset.json")
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        findings = audited(path, known)
        seconds, after = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        size = path.stat().st_size / 1e6
    memory = f"{(after - before) / 1024:.0f} MiB beside the objects' {before / 1024:.0f} MiB"
    what = f"{count} Services with 2 endpoints, {size:.1f} MB of JSON"
    print(f"{what}: {seconds:.1f} s, {memory}, {len(findings)} findings")


if __name__ == "__main__":
    main(int(sys.argv[1]))
