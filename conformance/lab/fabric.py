"""The wires of the lab: bridges, nodes and external clients, their addresses and routes. Built once, gone with the lab.

The namespace in which `build` is called becomes the network between the nodes: it carries both bridges and forwards.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from ipaddress import ip_interface, ip_network

from pyroute2 import IPRoute

from conformance.lab import netns
from conformance.lab.addresses import AddressPlan, ExternalPlan, NodePlan

FABRIC, FABRIC2 = "fabric", "fabric2"
_AF = {4: 2, 6: 10}
_NO_DAD = 0x02  # IFA_F_NODAD: usable at once


def build(plan: AddressPlan) -> None:
    """Make everything in ``plan`` but pods and their bridges, which are the kubelets'. ``OSError``."""
    netns.set_sysctls(netns.ROUTER_SYSCTLS)
    with _Wires() as here:
        here.up("lo")
        here.bridge(FABRIC, "02:63:00:00:00:01", plan.fabric_gateways)
        here.bridge(FABRIC2, "02:62:00:00:00:01", plan.fabric2_gateways)
        for node in plan.nodes:
            _node(here, plan, node)
        for external in plan.externals:
            _external(here, plan, external)
        for node in plan.nodes:
            here.routes(node.pod_cidrs, node.addresses)


def _node(here: _Wires, plan: AddressPlan, node: NodePlan) -> None:
    netns.create(node.name, netns.ROUTER_SYSCTLS)
    here.cable(f"{node.name}.0", FABRIC, node.name, "eth0")
    here.cable(f"{node.name}.1", FABRIC2, node.name, "eth1")
    with _inside(node.name) as there:
        there.up("lo")
        there.addresses("eth0", plan.on_fabric(node.addresses))
        there.addresses("eth1", plan.on_fabric2(node.secondary_addresses))
        there.routes(plan.anywhere, plan.fabric_gateway_addresses)
        for other in plan.nodes:
            if other is not node:
                there.routes(other.pod_cidrs, other.addresses)


def _external(here: _Wires, plan: AddressPlan, external: ExternalPlan) -> None:
    netns.create(external.name, netns.HOST_SYSCTLS)
    here.cable(f"{external.name}.0", FABRIC, external.name, "eth0")
    with _inside(external.name) as there:
        there.up("lo")
        there.addresses("eth0", plan.on_fabric(external.addresses))
        there.routes(plan.anywhere, external.via.addresses)
        for node in plan.nodes:
            # Straight to the node that owns the address, or the first hop would be a middle box of its own.
            there.routes(node.secondary_addresses, node.addresses)


@contextlib.contextmanager
def _inside(name: str) -> Iterator[_Wires]:
    with netns.inside(name), _Wires() as wires:
        yield wires


class _Wires(contextlib.AbstractContextManager["_Wires"]):
    """Netlink to the namespace in which it was opened."""

    def __init__(self) -> None:
        self._route = IPRoute()

    def __exit__(self, *_: object) -> None:
        self._route.close()

    def _index(self, name: str) -> int:
        index: int = self._route.link_lookup(ifname=name)[0]
        return index

    def up(self, name: str) -> None:
        """Set the link up."""
        self._route.link("set", index=self._index(name), state="up")

    def bridge(self, name: str, mac: str, addresses: Iterable[str]) -> None:
        """A bridge with a fixed address (else it would take over that of its lowest port, and caches go stale)."""
        self._route.link("add", ifname=name, kind="bridge", address=mac, br_mcast_snooping=0)
        self.addresses(name, addresses)

    def cable(self, near: str, bridge: str, namespace: str, far: str) -> None:
        """A veth pair from a port of ``bridge`` to ``far`` in ``namespace``."""
        with (netns.NAMED / namespace).open("rb") as target:
            peer = {"ifname": far, "net_ns_fd": target.fileno()}
            self._route.link("add", ifname=near, kind="veth", peer=peer, master=self._index(bridge), state="up")

    def addresses(self, name: str, addresses: Iterable[str]) -> None:
        """Set the link up with ``addresses`` (each with its prefix length)."""
        self.up(name)
        index = self._index(name)
        for address in map(ip_interface, addresses):
            self._route.addr(
                "add",
                index=index,
                family=_AF[address.version],
                address=str(address.ip),
                prefixlen=address.network.prefixlen,
                flags=_NO_DAD if address.version == 6 else 0,
            )

    def routes(self, destinations: Iterable[str], gateways: Iterable[str]) -> None:
        """Route the destinations (one per family) over the gateways (in the same order)."""
        for network, gateway in zip(map(ip_network, destinations), gateways, strict=True):
            self._route.route("add", family=_AF[network.version], dst=str(network), gateway=gateway)


def main() -> None:
    """Build the network for as many nodes as the argument says."""
    build(AddressPlan(int(sys.argv[1])))
