"""Packets on their way: what gets lost or changed, and what others write on them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from conformance.lab.faults.node import tables
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.node.wire import pod_networks
from conformance.lab.faults.scene import Scene
from conformance.spec.faults import Fault

_BEFORE_DEFRAGMENTATION, _BEFORE_FILTERS = -450, -1
_ERRORS = ("icmp type { destination-unreachable, time-exceeded } drop", "icmpv6 type < 128 drop")
_TOO_BIG = ("icmp type destination-unreachable icmp code frag-needed drop", "icmpv6 type packet-too-big drop")
_PIECES = ("ip frag-off & 0x3fff != 0 drop", "exthdr frag exists drop")


@puts_in(Fault.ICMP_ERRORS_LOST)
@contextlib.asynccontextmanager
async def icmp_errors_lost(scene: Scene) -> AsyncIterator[None]:
    """As firewalls do whose authors hold ICMP to be dangerous."""
    async with tables.table(scene, tables.chain("forward", "filter", "forward", _BEFORE_FILTERS, *_ERRORS)):
        yield


@puts_in(Fault.MTU_BLACK_HOLE)
@contextlib.asynccontextmanager
async def mtu_black_hole(scene: Scene) -> AsyncIterator[None]:
    """Everything else that ICMP says comes through."""
    async with tables.table(scene, tables.chain("forward", "filter", "forward", _BEFORE_FILTERS, *_TOO_BIG)):
        yield


@puts_in(Fault.RESETS_LOST)
@contextlib.asynccontextmanager
async def resets_lost(scene: Scene) -> AsyncIterator[None]:
    """Those of closed ports, and of connections that are cut."""
    rule = "tcp flags & rst == rst drop"
    async with tables.table(scene, tables.chain("forward", "filter", "forward", _BEFORE_FILTERS, rule)):
        yield


@puts_in(Fault.FRAGMENTS_LOST)
@contextlib.asynccontextmanager
async def fragments_lost(scene: Scene) -> AsyncIterator[None]:
    """Connection tracking sees whole packets only: it is dropped before that what arrives in pieces."""
    async with tables.table(
        scene, tables.chain("prerouting", "filter", "prerouting", _BEFORE_DEFRAGMENTATION, *_PIECES)
    ):
        yield


@puts_in(Fault.FIRST_PACKETS_LOST)
@contextlib.asynccontextmanager
async def first_packets_lost(scene: Scene) -> AsyncIterator[None]:
    """As an overlay that sends out the first packet of a connection with a wrong checksum.

    It is the sender's node that does so, and it lets pass who has tried before.
    """
    mine, theirs = await pod_networks(scene, own=True), await pod_networks(scene, own=False)
    containers, rules = [], []
    for ip, address in (("ip", "ipv4_addr"), ("ip6", "ipv6_addr")):
        containers.append(f"set tried-{ip} {{\ntype {address} . inet_service\nflags dynamic,timeout\ntimeout 1m\n}}")
        sources = ", ".join(cidr for family, cidr in mine if family == ip)
        targets = ", ".join(cidr for family, cidr in (*mine, *theirs) if family == ip)
        syn = f"{ip} saddr {{ {sources} }} {ip} daddr {{ {targets} }} tcp flags & (syn | ack) == syn"
        key = f"{ip} saddr . tcp sport"
        rules += [f"{syn} {key} @tried-{ip} accept", f"{syn} add @tried-{ip} {{ {key} }} drop"]
    chain = tables.chain("forward", "filter", "forward", _BEFORE_FILTERS, *rules)
    async with tables.table(scene, "\n".join((*containers, chain))):
        yield


@puts_in(Fault.BULK_CORRUPTED)
@contextlib.asynccontextmanager
async def bulk_corrupted(scene: Scene) -> AsyncIterator[None]:
    """Behind whoever could check sums: between namespaces of one machine nobody computes them."""
    rule = "meta l4proto tcp meta length > 1000 @th,4000,8 set 0x2b"
    async with tables.table(scene, tables.chain("forward", "filter", "forward", _BEFORE_FILTERS, rule)):
        yield


@puts_in(Fault.MARK_OVERWRITTEN)
@contextlib.asynccontextmanager
async def mark_overwritten(scene: Scene) -> AsyncIterator[None]:
    """All 32 bits, on the way between kube-proxy's two looks at them."""
    async with tables.table(scene, _marking("0x80")):
        yield


@puts_in(Fault.MARK_BIT_TAKEN)
@contextlib.asynccontextmanager
async def mark_bit_taken(scene: Scene) -> AsyncIterator[None]:
    """For a purpose of one's own."""
    async with tables.table(scene, _marking("meta mark | 0x4000")):
        yield


def _marking(mark: str) -> str:
    return tables.chain("forward", "filter", "forward", _BEFORE_FILTERS, f"meta mark set {mark}")
