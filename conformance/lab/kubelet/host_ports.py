"""hostPorts on the built-in bridge: an nftables table of the node's, there as long as a pod has one.

It translates after kube-proxy (priority -99 after its -100), so that a node port of the same number wins, always. The
nftables backend of the portmap plugin (1.6) has kube-proxy's own priority, where the order of creation decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address

from conformance.lab.kubelet.wanted import PortMapping
from conformance.lab.netns import set_sysctl
from conformance.lab.proxy import netlink, nft
from conformance.model.addresses import Family, Protocol

TABLE = "inet lab-hostports"

_FAMILIES = {4: "ipv4", 6: "ipv6"}
_SETS = """\
map own-{family} {{ type {family}_addr . inet_proto . inet_service : {family}_addr . inet_service; }}
map any-{family} {{ type inet_proto . inet_service : {family}_addr . inet_service; }}
set self-{family} {{ type {family}_addr . {family}_addr; }}
"""
_CHAINS = """\
chain hostports {
    fib daddr type != local return
    dnat ip to ip daddr . meta l4proto . th dport map @own-ipv4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @own-ipv6
    dnat ip to meta l4proto . th dport map @any-ipv4
    dnat ip6 to meta l4proto . th dport map @any-ipv6
}
chain prerouting {
    type nat hook prerouting priority -99
    jump hostports
}
chain output {
    type nat hook output priority -99
    jump hostports
}
chain postrouting {
    type nat hook postrouting priority 101
    ct status dnat ip saddr . ip daddr @self-ipv4 masquerade
    ct status dnat ip6 saddr . ip6 daddr @self-ipv6 masquerade
    ct status dnat ip saddr 127.0.0.0/8 masquerade
}
"""


class HostPorts:
    """The hostPorts of one node's pods. Not safe for concurrent use."""

    def __init__(self, bridge: str) -> None:
        self._bridge = bridge
        self._pods: dict[str, tuple[tuple[str, ...], tuple[PortMapping, ...]]] = {}
        self._clean = False  # a killed agent may have left its table

    async def add(self, pod: str, addresses: tuple[str, ...], ports: tuple[PortMapping, ...]) -> None:
        """Lead ``ports`` of the node to the pod with this UID and these addresses; ``NftError``, ``OSError``."""
        if ports:
            # As portmap does: who dials 127.0.0.1 is answered through the bridge.
            set_sysctl(f"net.ipv4.conf.{self._bridge}.route_localnet", "1")
            self._pods[pod] = addresses, ports
            try:
                await self._write(ports)
            except BaseException:
                del self._pods[pod]
                raise

    async def remove(self, pod: str) -> None:
        """Undo ``add``; ``NftError``, ``OSError``."""
        if found := self._pods.pop(pod, None):
            await self._write(found[1])

    async def clear(self) -> None:
        """Take away everything, also of an agent that was killed; ``NftError``, ``OSError``."""
        if self._pods or not self._clean:
            self._pods.clear()
            await self._write(())
            self._clean = True

    async def _write(self, changed: Iterable[PortMapping]) -> None:
        """The whole table anew, whatever somebody else has made of it; then flows of the past are forgotten."""
        await nft.apply(f"add table {TABLE}\ndelete table {TABLE}\n{table(self._pods.values()) if self._pods else ''}")
        udp = {port.host_port for port in changed if port.protocol == "udp"}
        if udp:
            await asyncio.to_thread(_forget, udp)


def table(pods: Iterable[tuple[Sequence[str], Sequence[PortMapping]]]) -> str:
    """The table for pods with these addresses and ports, as nft reads it (pure)."""
    elements: dict[str, list[str]] = {}
    for addresses, ports in pods:
        for name, element in _elements(addresses, ports):
            elements.setdefault(name, []).append(element)
    lines = [line for family in _FAMILIES.values() for line in _SETS.format(family=family).splitlines()]
    filled = [line.replace("}", _filling(elements.get(line.split()[1])) + "}") for line in lines]
    return "\n".join((f"table {TABLE} {{", *filled, _CHAINS + "}\n"))


def _filling(elements: list[str] | None) -> str:
    return f"elements = {{ {', '.join(elements)} }}; " if elements else ""


def _elements(addresses: Sequence[str], ports: Sequence[PortMapping]) -> Iterator[tuple[str, str]]:
    for address in addresses:
        version = ip_address(address).version
        family = _FAMILIES[version]
        mine = [port for port in ports if not port.host_ip or ip_address(port.host_ip).version == version]
        for port in mine:
            element = f"{port.protocol} . {port.host_port} : {address} . {port.container_port}"
            yield (f"own-{family}", f"{port.host_ip} . {element}") if port.host_ip else (f"any-{family}", element)
        if mine:
            yield f"self-{family}", f"{address} . {address}"


def _forget(ports: set[int]) -> None:
    """A UDP flow goes on where it went, past every rule, as long as the client sends."""
    for family in Family:
        netlink.forget(family, (flow for flow in netlink.flows(family, Protocol.UDP) if flow.destination[1] in ports))
