"""What a node's kernel is told, and what others have put there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from pyroute2 import IPRoute

from conformance.lab.faults.node import tables
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.node.watching import is_meant
from conformance.lab.faults.scene import Scene
from conformance.spec.faults import Fault

_IPVS = "kube-ipvs0"
_FAMILIES = ("ip", "ip6")


@puts_in(Fault.FORWARDING_OFF)
@contextlib.asynccontextmanager
async def forwarding_off(scene: Scene) -> AsyncIterator[None]:
    """Neither family is forwarded."""
    async with _sysctls(scene, {"ipv4/ip_forward": "0", "ipv6/conf/all/forwarding": "0"}):
        yield


@puts_in(Fault.STRICT_REVERSE_PATH)
@contextlib.asynccontextmanager
async def strict_reverse_path(scene: Scene) -> AsyncIterator[None]:
    """Strict on every interface."""
    async with _sysctls(scene, {"ipv4/conf/all/rp_filter": "1"}):
        yield


@puts_in(Fault.CONNTRACK_FORGETS_EARLY)
@contextlib.asynccontextmanager
async def conntrack_forgets_early(scene: Scene) -> AsyncIterator[None]:
    """Five minutes."""
    async with _sysctls(scene, {"netfilter/nf_conntrack_tcp_timeout_established": "300"}):
        yield


@puts_in(Fault.IPTABLES_LEFTOVERS)
@contextlib.asynccontextmanager
async def iptables_leftovers(scene: Scene) -> AsyncIterator[None]:
    """Chains without rules: what they would do is another fault."""
    async with _in_iptables_tables(scene, "nat", "chain KUBE-SERVICES {}\nchain KUBE-SVC-TCOU7JCQXEZGVUNU {}"):
        yield


@puts_in(Fault.IPVS_LEFTOVERS)
@contextlib.asynccontextmanager
async def ipvs_leftovers(scene: Scene) -> AsyncIterator[None]:
    """The interface alone, without addresses; a bridge, as not every kernel has dummies."""
    if not await is_meant(scene):
        yield
        return

    def change(command: str) -> None:
        with IPRoute() as ip:
            ip.link(command, ifname=_IPVS, kind="bridge")

    # In threads, because pyroute2 brings an event loop of its own.
    await asyncio.to_thread(change, "add")
    try:
        yield
    finally:
        await asyncio.to_thread(change, "del")


@puts_in(Fault.FOREIGN_CHAIN_BESIDE)
@contextlib.asynccontextmanager
async def foreign_chain_beside(scene: Scene) -> AsyncIterator[None]:
    """Beside kube-proxy's nat-prerouting."""
    async with _table(scene, tables.chain("beside", "nat", "prerouting", -100)):
        yield


@puts_in(Fault.FOREIGN_POLICY_DROPS)
@contextlib.asynccontextmanager
async def foreign_policy_drops(scene: Scene) -> AsyncIterator[None]:
    """As firewalls do that know nothing of pods."""
    rules = ("policy drop;", "ct state established,related accept")
    async with _table(scene, tables.chain("forward", "filter", "forward", 10, *rules)):
        yield


@puts_in(Fault.IPTABLES_FLAVOURS_MIXED)
@contextlib.asynccontextmanager
async def iptables_flavours_mixed(scene: Scene) -> AsyncIterator[None]:
    """iptables-nft's are real; of iptables-legacy's there is but what its program says, for many kernels have none."""
    said = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"
    script = f"cat <<'END'\n{said}END\n"
    async with _in_iptables_tables(scene, "filter", "chain INPUT {\ncounter accept\n}"):
        with contextlib.ExitStack() as stack:
            for ip in _FAMILIES if await is_meant(scene) else ():
                stack.enter_context(tables.stand_in(scene, f"{ip}tables-legacy-save", script))
            yield


@contextlib.asynccontextmanager
async def _sysctls(scene: Scene, wanted: Mapping[str, str]) -> AsyncIterator[None]:
    """Have these kernel parameters below ``net`` for a while, on the node that is meant."""
    files = {Path("/proc/sys/net", name): value for name, value in wanted.items()} if await is_meant(scene) else {}
    before = {file: file.read_text() for file in files}
    for file, value in files.items():
        file.write_text(value)
    try:
        yield
    finally:
        for file, value in before.items():
            file.write_text(value)


@contextlib.asynccontextmanager
async def _table(scene: Scene, text: str) -> AsyncIterator[None]:
    """The fault's own table, on the node that is meant."""
    if not await is_meant(scene):
        yield
        return
    async with tables.table(scene, text):
        yield


@contextlib.asynccontextmanager
async def _in_iptables_tables(scene: Scene, name: str, chains: str) -> AsyncIterator[None]:
    """Tables of iptables-nft's name, on the node that is meant, where a lab has none."""
    if not await is_meant(scene):
        yield
        return
    await tables.nft("\n".join(f"table {ip} {name} {{\n{chains}\n}}" for ip in _FAMILIES))
    try:
        yield
    finally:
        await tables.nft("\n".join(f"delete table {ip} {name}" for ip in _FAMILIES))
