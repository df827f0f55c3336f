"""The pod network: the seam where CNI plugins go, and the built-in bridge that needs none."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from conformance.lab.kubelet import netns
from conformance.lab.kubelet.host_ports import HostPorts
from conformance.lab.kubelet.ipam import AddressPool, PoolExhausted
from conformance.lab.kubelet.wanted import Wanted
from conformance.lab.netns import set_sysctl
from conformance.lab.proxy.nft import NftError

BRIDGE = "cni0"
_IFA_F_NODAD = 2
_SCOPE_LINK = 253


class NetworkError(Exception):
    """A pod could not be attached to the pod network."""


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """Which pod."""

    namespace: str
    name: str
    uid: str


class PodNetwork(Protocol):
    """Connects pods' network namespaces with the rest of the cluster."""

    async def attach(self, pod: PodIdentity, namespace: Path, wanted: Wanted) -> tuple[str, ...]:
        """Give the pod in ``namespace`` an eth0; its addresses, the first is ``status.podIP``; ``NetworkError``."""
        ...

    async def detach(self, pod: PodIdentity, namespace: Path) -> None:
        """Undo ``attach``; does nothing for a pod that is not attached; ``NetworkError``."""
        ...

    async def close(self) -> None:
        """Undo every ``attach`` and what they share, also of a killed agent; ``detach`` then does nothing.

        ``NetworkError``.
        """
        ...


class BridgeNetwork:
    """A bridge on the node with a hairpin port per pod; pods route everything through the bridge's own addresses.

    Needs one or two of the node's pod CIDRs, IPv4 and IPv6 in any order.
    """

    def __init__(self, pod_cidrs: tuple[str, ...]) -> None:
        self._pool = AddressPool(pod_cidrs)
        self._attached: dict[str, tuple[str, ...]] = {}
        self._lock = asyncio.Lock()
        self._host_ports = HostPorts(BRIDGE)

    async def attach(self, pod: PodIdentity, namespace: Path, wanted: Wanted) -> tuple[str, ...]:
        """See ``PodNetwork``."""
        try:
            addresses = self._pool.allocate()
        except PoolExhausted as error:
            raise NetworkError(str(error)) from error
        try:
            with _said():
                async with self._lock:
                    bridge = await asyncio.to_thread(self._bridge)
                await asyncio.to_thread(_node_side, bridge, namespace, pod, addresses)
                await netns.inside(namespace, lambda: self._pod_side(addresses))
                async with self._lock:
                    await self._host_ports.add(pod.uid, addresses, wanted.ports)
        except NetworkError:
            self._pool.release(addresses)
            await asyncio.to_thread(_remove_port, _port(pod))
            raise
        self._attached[pod.uid] = addresses
        return addresses

    async def detach(self, pod: PodIdentity, namespace: Path) -> None:
        """See ``PodNetwork``.

        The link is left to end with its namespace: the kernel then removes many in one go, in the background, while
        removing each by name waits for tens of milliseconds, on a busy machine for half a second.
        """
        addresses = self._attached.pop(pod.uid, ())
        self._pool.release(addresses)
        async with self._lock:
            with _said():
                await self._host_ports.remove(pod.uid)

    async def close(self) -> None:
        """See ``PodNetwork``."""
        async with self._lock:
            for addresses in self._attached.values():
                self._pool.release(addresses)
            self._attached.clear()
            with _said():
                await self._host_ports.clear()
            # Ports go with their namespaces.
            await asyncio.to_thread(_remove_bridge)

    def _bridge(self) -> int:
        """The index of the bridge, which is made at first use."""
        with IPRoute() as ip:
            found = ip.link_lookup(ifname=BRIDGE)
            if found:
                return int(found[0])
            # A MAC of its own: otherwise it is the lowest of its ports' and pods' neighbour entries go stale.
            options = {"br_mcast_snooping": 0, "br_forward_delay": 0, "br_stp_state": 0}
            ip.link("add", ifname=BRIDGE, kind="bridge", address=_mac(self._pool.gateways[0]), **options)
            with contextlib.suppress(OSError):
                set_sysctl(f"net.ipv6.conf.{BRIDGE}.accept_dad", "0")
            index = _index(ip, BRIDGE)
            ip.link("set", index=index, state="up")
            for gateway, network in zip(self._pool.gateways, self._pool.networks, strict=True):
                ip.addr("add", index=index, address=gateway, prefixlen=network.prefixlen, flags=_IFA_F_NODAD)
            return index

    def _pod_side(self, addresses: tuple[str, ...]) -> None:
        with IPRoute() as ip:
            ip.link("set", index=1, state="up")
            index = _index(ip, "eth0")
            ip.link("set", index=index, state="up")
            # The whole address, no neighbours: what pods of one node say to each other is routed by the node too, which
            # must translate the answers back. The kernel's br_netfilter would see to it, but not every machine has it.
            for address in addresses:
                length = ip_address(address).max_prefixlen
                ip.addr("add", index=index, address=address, prefixlen=length, flags=_IFA_F_NODAD)
            for gateway in self._pool.gateways:
                family, length = _family(gateway), ip_address(gateway).max_prefixlen
                ip.route("add", dst=f"{gateway}/{length}", oif=index, family=family, scope=_SCOPE_LINK)
                ip.route("add", dst="default", gateway=gateway, oif=index, family=family)


@contextlib.contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except (NetlinkError, NftError, OSError) as error:
        raise NetworkError(f"the pod network failed: {error}") from error


def _node_side(bridge: int, namespace: Path, pod: PodIdentity, addresses: tuple[str, ...]) -> None:
    with IPRoute() as ip, namespace.open() as target:
        peer = {"ifname": "eth0", "net_ns_fd": target.fileno(), "address": _mac(addresses[0])}
        ip.link("add", ifname=_port(pod), kind="veth", peer=peer)
        port = _index(ip, _port(pod))
        ip.link("set", index=port, master=bridge)
        # A pod that dials its own Service gets its packets back through the port they came from.
        ip.brport("set", index=port, IFLA_BRPORT_MODE=1)
        ip.link("set", index=port, state="up")


def _family(address: str) -> int:
    return 2 if ip_address(address).version == 4 else 10


def _index(ip: IPRoute, name: str) -> int:
    found = ip.link_lookup(ifname=name)
    if not found:
        raise OSError(f"there is no link {name}")
    return int(found[0])


def _port(pod: PodIdentity) -> str:
    return "veth" + hashlib.sha256(pod.uid.encode()).hexdigest()[:8]


def _mac(address: str) -> str:
    """A local MAC that follows from the address, so that a capture is readable and a reused address keeps its MAC."""
    tail = ip_address(address).packed[-4:]
    return ":".join(f"{byte:02x}" for byte in (0x0A, 0x58, *tail))


def _remove_port(name: str) -> None:
    with IPRoute() as ip:
        for index in ip.link_lookup(ifname=name):
            with contextlib.suppress(NetlinkError):  # it went with its namespace
                ip.link("del", index=index)


def _remove_bridge() -> None:
    with IPRoute() as ip:
        for bridge in ip.link_lookup(ifname=BRIDGE):
            with contextlib.suppress(NetlinkError):
                ip.link("del", index=bridge)
