"""What connection tracking remembers, outlived: a table of the fault's own knows flows when the kernel has forgotten.

kube-proxy deletes what the kernel tracks by netlink, past every nft; so later packets of a flow meet this table, just
before kube-proxy's, which sends them where the first one went.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from conformance.lab.faults.node import tables, watching
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.scene import Scene
from conformance.lab.proxy import netlink
from conformance.model.addresses import Family, Protocol
from conformance.spec.faults import Fault

_BEFORE_DNAT, _AFTER_DNAT, _BEFORE_SNAT = -101, -99, 99
_MARK = "0x4000"
_FAMILIES = (("4", "ip", "ipv4_addr"), ("6", "ip6", "ipv6_addr"))
_PICK_UP = Path("/proc/sys/net/netfilter/nf_conntrack_tcp_loose")


@puts_in(Fault.STALE_FLOWS)
@contextlib.asynccontextmanager
async def stale_flows(scene: Scene) -> AsyncIterator[None]:
    """A UDP flow that was translated once is always translated so, and masqueraded if it was."""
    containers, recall, note = [], [], []
    for number, ip, address in _FAMILIES:
        key = f"{ip} saddr . {ip} daddr . udp sport . udp dport"
        ports = "udp sport . udp dport"
        original = f"{ip} saddr . ct original {ip} daddr . udp sport . ct original proto-dst"
        first_ports = "udp sport . ct original proto-dst"
        # Flows by their whole key, but endpoints by ports only: nft 1.0.6 has no registers for more.
        containers += [
            _container("set", f"flows{number}", f"{address} . {address} . inet_service . inet_service"),
            _container("set", f"marked{number}", f"{address} . {address} . inet_service . inet_service"),
            _container("map", f"to{number}", f"inet_service . inet_service : {address}"),
            _container("map", f"at{number}", "inet_service . inet_service : inet_service"),
        ]
        recall += [
            f"{key} @marked{number} meta mark set meta mark | {_MARK}",
            f"{key} @flows{number} dnat {ip} to {ports} map @to{number} : {ports} map @at{number}",
        ]
        note += [
            f"meta mark & {_MARK} != 0 add @marked{number} {{ {original} }}",
            f"ct status & dnat != 0 add @flows{number} {{ {original} }}"
            f" add @to{number} {{ {first_ports} : {ip} daddr }} add @at{number} {{ {first_ports} : udp dport }}",
        ]
    chains = [tables.chain(hook, "nat", hook, _BEFORE_DNAT, *recall) for hook in ("prerouting", "output")]
    chains.append(tables.chain("postrouting", "nat", "postrouting", _BEFORE_SNAT, *note))
    async with tables.table(scene, "\n".join((*containers, *chains))):
        yield


@puts_in(Fault.EARLY_FLOWS_STAY)
@contextlib.asynccontextmanager
async def early_flows_stay(scene: Scene) -> AsyncIterator[None]:
    """A UDP flow that no rule translated is never translated: it has its own destination for good."""
    containers, recall, note = [], [], []
    for number, ip, address in _FAMILIES:
        key = f"{ip} saddr . {ip} daddr . udp sport . udp dport"
        containers.append(_container("set", f"flows{number}", f"{address} . {address} . inet_service . inet_service"))
        recall.append(f"{key} @flows{number} dnat {ip} to {ip} daddr")
        note.append(f"add @flows{number} {{ {key} }}")
    chains = [
        tables.chain(f"{hook}-{when}", "nat", hook, priority, *rules)
        for hook in ("prerouting", "output")
        for when, priority, rules in (("recall", _BEFORE_DNAT, recall), ("note", _AFTER_DNAT, note))
    ]
    async with tables.table(scene, "\n".join((*containers, *chains))):
        yield


@puts_in(Fault.FLOW_BROKEN)
@contextlib.asynccontextmanager
async def flow_broken(scene: Scene) -> AsyncIterator[None]:
    """Whenever a Service or its endpoints change, every translated TCP connection is forgotten and not picked up."""
    before, api = _PICK_UP.read_text(), os.environ.get("KUBERNETES_SERVICE_HOST")

    async def forget(_: watching.Items) -> None:
        for family in Family:
            # Not those to the API: how else would one hear of the next change?
            tracked = [f for f in netlink.flows(family, Protocol.TCP) if f.translated and f.destination[0] != api]
            # In a thread, because the scene asks the API in an event loop of its own.
            hit = [f for f in tracked if await asyncio.to_thread(scene.concerns, f.destination[0])]
            netlink.forget(family, hit)

    _PICK_UP.write_text("0")
    try:
        async with watching.following(watching.SERVICES, forget), watching.following(watching.SLICES, forget):
            yield
    finally:
        _PICK_UP.write_text(before)


def _container(kind: str, name: str, of: str) -> str:
    return f"{kind} {name} {{\ntype {of}\nflags dynamic,timeout\nsize 65535\ntimeout 10m\n}}"
