"""Others who have rules on a node, and what they keep from Services."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

from conformance.lab.faults.node import tables, watching
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.scene import Json, Scene
from conformance.spec.faults import Fault

_RAW, _DNAT, _FILTER = -300, -100, 10
_FAMILIES = ("ip", "ip6")
_DEAD = {"ip": "192.0.2.1", "ip6": "2001:db8::1"}
"""Nobody's (RFC 5737, RFC 3849): the pod that was there is gone."""
_KNOWN = "22, 53, 10249-10257"
"""Ports that a firewall of a Kubernetes node lets in, as its documentation asks: sshd's, DNS's, the components'."""


@puts_in(Fault.FOREIGN_REJECTS_TRANSLATED)
@contextlib.asynccontextmanager
async def foreign_rejects_translated(scene: Scene) -> AsyncIterator[None]:
    """As firewalld does with StrictForwardPorts."""
    rule = "ct state new ct status dnat reject with icmpx type admin-prohibited"
    async with _on_the_node(scene, tables.chain("forward", "filter", "forward", _FILTER, rule)):
        yield


@puts_in(Fault.FOREIGN_INPUT_DROPS)
@contextlib.asynccontextmanager
async def foreign_input_drops(scene: Scene) -> AsyncIterator[None]:
    """As firewalls do that know the components' ports, and none of pods on the host's network."""
    new = f'iifname != "lo" ct state new th dport != {{ {_KNOWN} }} th dport 1024-29999 drop'
    rules = [f"meta l4proto {protocol} {new}" for protocol in ("tcp", "udp")]
    async with _on_the_node(scene, tables.chain("input", "filter", "input", _FILTER, *rules)):
        yield


@puts_in(Fault.DNS_NOT_TRACKED)
@contextlib.asynccontextmanager
async def dns_not_tracked(scene: Scene) -> AsyncIterator[None]:
    """NodeLocal DNSCache's rules, without the cache."""
    world = await asyncio.to_thread(lambda: scene.world)
    dns = [s for s in world.services if (s["metadata"].get("labels") or {}).get("k8s-app") == "kube-dns"]
    rules = [f"{ip} daddr {{ {', '.join(them)} }} notrack" for ip, them in _addresses(dns).items()]
    chains = (tables.chain(hook, "filter", hook, _RAW, *rules) for hook in ("prerouting", "output"))
    async with _on_the_node(scene, "\n".join(chains)):
        yield


@puts_in(Fault.OLD_RULES_INTERCEPT)
@contextlib.asynccontextmanager
async def old_rules_intercept(scene: Scene) -> AsyncIterator[None]:
    """Every Service but the cluster's own leads to a pod that is gone, before kube-proxy is asked."""
    if not await watching.is_meant(scene):
        yield
        return

    async def follow(services: watching.Items) -> None:
        mine = [s for name, s in services.items() if name != "default/kubernetes" and _concerns(scene, name)]
        rules = [
            f"{ip} daddr {{ {', '.join(them)} }} meta l4proto {{ tcp, udp }} dnat {ip} to {_DEAD[ip]}"
            for ip, them in _addresses(mine).items()
        ]
        chains = (tables.chain(hook, "nat", hook, _DNAT - 1, *rules) for hook in ("prerouting", "output"))
        await tables.fill(scene, "\n".join(chains))

    async with tables.table(scene), watching.following(watching.SERVICES, follow):
        yield


def _concerns(scene: Scene, name: str) -> bool:
    return not name.startswith("kube-system/") and scene.switch.is_about(*name.split("/"))


def _addresses(services: Iterable[Json]) -> dict[str, list[str]]:
    """The ClusterIPs of ``services`` by nft's word for the family; a family without any is left out."""
    every = [ip for s in services for ip in s["spec"].get("clusterIPs") or () if ip != "None"]
    found = {family: sorted({ip for ip in every if (":" in ip) == (family == "ip6")}) for family in _FAMILIES}
    return {family: them for family, them in found.items() if them}


@contextlib.asynccontextmanager
async def _on_the_node(scene: Scene, text: str) -> AsyncIterator[None]:
    if not await watching.is_meant(scene):
        yield
        return
    async with tables.table(scene, text):
        yield
