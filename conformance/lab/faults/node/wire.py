"""The pod network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from conformance.lab import addons
from conformance.lab.faults.node import tables, watching
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.scene import Scene
from conformance.spec.faults import Fault

_AFTER_DNAT, _BEFORE_SNAT = -1, 99
_LARGE = 1400
_BEFORE_THE_CUT, _CUT = 2.0, 3.0
"""Seconds."""


@puts_in(Fault.POD_TO_POD_BROKEN)
@contextlib.asynccontextmanager
async def pod_to_pod_broken(scene: Scene) -> AsyncIterator[None]:
    """To pods of other nodes only what kube-proxy translated passes."""
    theirs = await pod_networks(scene, own=False)
    rules = [f"ct state new ct status & dnat == 0 {ip} daddr {cidr} drop" for ip, cidr in theirs]
    hooks = (tables.chain(hook, "filter", hook, _AFTER_DNAT, *rules) for hook in ("forward", "output"))
    async with tables.table(scene, "\n".join(hooks)):
        yield


@puts_in(Fault.OWN_PODS_NOT_REACHED)
@contextlib.asynccontextmanager
async def own_pods_not_reached(scene: Scene) -> AsyncIterator[None]:
    """What a node itself sends to its pods is dropped, but for TCP: kubelets ask by it whether pods are ready."""
    mine = await pod_networks(scene, own=True)
    rules = [f"meta l4proto != tcp ct state new ct status & dnat == 0 {ip} daddr {cidr} drop" for ip, cidr in mine]
    async with tables.table(scene, tables.chain("output", "filter", "output", _AFTER_DNAT, *rules)):
        yield


@puts_in(Fault.POD_TO_POD_MASQUERADED)
@contextlib.asynccontextmanager
async def pod_to_pod_masqueraded(scene: Scene) -> AsyncIterator[None]:
    """What leaves a node's pods for other pods, past every Service, gets the node's address."""
    mine, theirs = await pod_networks(scene, own=True), await pod_networks(scene, own=False)
    rules = [
        f"ct status & dnat == 0 {ip} saddr {source} {ip} daddr {target} masquerade"
        for ip, source in mine
        for other, target in (*mine, *theirs)
        if ip == other
    ]
    async with tables.table(scene, tables.chain("postrouting", "nat", "postrouting", _BEFORE_SNAT, *rules)):
        yield


@puts_in(Fault.LARGE_PACKETS_LOST)
@contextlib.asynccontextmanager
async def large_packets_lost(scene: Scene) -> AsyncIterator[None]:
    """What comes through a Service to a node's pods must be small: the rest is lost in silence, as in a tunnel."""
    mine = await pod_networks(scene, own=True)
    # Not what the API server sends: cluster DNS is to have its Services.
    inner = [*mine, *await pod_networks(scene, own=False), *await _nodes(scene)]
    rules = [
        f"{ip} saddr {source} {ip} daddr {cidr} meta length > {_LARGE} drop"
        for ip, cidr in mine
        for other, source in inner
        if ip == other
    ]
    async with tables.table(scene, tables.chain("forward", "filter", "forward", _AFTER_DNAT, *rules)):
        yield


@puts_in(Fault.AGENT_RESTART_CUTS)
@contextlib.asynccontextmanager
async def agent_restart_cuts(scene: Scene) -> AsyncIterator[None]:
    """As an agent that reads the cluster when it starts, and then makes its datapath anew."""
    seen: set[str] = set()
    cut = tables.chain("forward", "filter", "forward", _AFTER_DNAT, "drop")

    async def follow(pods: watching.Items) -> None:
        now = watching.uids(scene, pods, addons.AGENT)
        started = bool(seen) and not now <= seen
        seen.update(now)
        if started:
            await asyncio.sleep(_BEFORE_THE_CUT)
            await tables.fill(scene, cut)
            await asyncio.sleep(_CUT)
            await tables.fill(scene, "")

    async with tables.table(scene), watching.following(watching.PODS, follow):
        yield


async def pod_networks(scene: Scene, *, own: bool) -> list[tuple[str, str]]:
    """The pod networks of this node, or of all others: nft's word for the family, and the CIDR."""
    # In a thread, because the scene asks the API in an event loop of its own.
    world = await asyncio.to_thread(lambda: scene.world)
    cidrs = (
        cidr
        for node in world.nodes
        if (node["metadata"]["name"] == scene.node) is own
        for cidr in node["spec"].get("podCIDRs") or ()
    )
    return [("ip6" if ":" in cidr else "ip", cidr) for cidr in cidrs]


async def _nodes(scene: Scene) -> list[tuple[str, str]]:
    """The nodes' own addresses, with nft's word for the family."""
    world = await asyncio.to_thread(lambda: scene.world)
    internal = (a["address"] for node in world.nodes for a in node["status"]["addresses"] if a["type"] == "InternalIP")
    return [("ip6" if ":" in address else "ip", address) for address in internal]
