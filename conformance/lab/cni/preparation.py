"""Makes a node what its network's agent or installer would have made it; runs in the node's network namespace."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network

from pyroute2 import IPRoute

from conformance.lab.addresses import AddressPlan, NodePlan
from conformance.lab.cni.filling import values
from conformance.lab.cni.profile import Preparation, Vxlan
from conformance.lab.netns import set_sysctl
from conformance.lab.proxy import nft

UPLINK, OVERLAY, HOST_MACVLAN = "eth0", "vxlan.1", "macvlan0"

_ID, _PORT = 1, 8472  # as flannel's
_AF = {4: 2, 6: 10}
_PERMANENT, _ONLINK, _NODAD = 0x80, 4, 2
_BRIDGE_MODE = 4


async def prepare(wanted: Preparation, plan: AddressPlan, node: NodePlan) -> None:
    """Do what ``wanted`` asks on ``node``; ``OSError`` (also netlink's), ``NftError``."""
    if wanted.bridge_netfilter:
        for family in ("iptables", "ip6tables"):
            set_sysctl(f"net.bridge.bridge-nf-call-{family}", "1")
    # pyroute2 has an event loop of its own.
    await asyncio.to_thread(_links, wanted, plan, node)
    for name, value in wanted.sysctls.items():
        set_sysctl(name, value)
    await nft.apply(wanted.nft)


def _links(wanted: Preparation, plan: AddressPlan, node: NodePlan) -> None:
    with IPRoute() as ip:
        if wanted.vxlan is not None:
            _overlay(ip, wanted.vxlan, plan, node)
        if wanted.host_macvlan:
            _reach_own_pods(ip, plan, node)


def _overlay(ip: IPRoute, wanted: Vxlan, plan: AddressPlan, node: NodePlan) -> None:
    options = {"vxlan_id": _ID, "vxlan_local": node.ipv4, "vxlan_port": _PORT, "vxlan_learning": 0}
    uplink = ip.link_lookup(ifname=UPLINK)[0]
    mac = _tunnel_mac(node)
    ip.link("add", ifname=OVERLAY, kind="vxlan", vxlan_link=uplink, address=mac, mtu=wanted.mtu, **options)
    index = ip.link_lookup(ifname=OVERLAY)[0]
    ip.link("set", index=index, state="up")
    for address in _tunnel_addresses(node) if wanted.addressed else ():
        ip.addr("add", index=index, address=address, prefixlen=_whole(address), flags=_NODAD)
    for other in plan.nodes:
        if other is node:
            continue
        ip.fdb("append", ifindex=index, lladdr=_tunnel_mac(other), dst=other.ipv4)
        for address, cidr in zip(_tunnel_addresses(other), other.pod_cidrs, strict=True):
            family = _AF[ip_network(cidr).version]
            ip.neigh("add", ifindex=index, dst=address, lladdr=_tunnel_mac(other), state=_PERMANENT, family=family)
            # In place of the route that the lab's own network has.
            if family == _AF[6]:
                ip.route("add", dst=f"{address}/128", oif=index, family=family)
            ip.route("replace", dst=cidr, gateway=address, oif=index, flags=_ONLINK, family=family)


def _reach_own_pods(ip: IPRoute, plan: AddressPlan, node: NodePlan) -> None:
    """A macvlan's parent cannot speak with it, but a sibling can.

    Over IPv6 it answers for the node's address only if it has that, too.
    """
    uplink, known = ip.link_lookup(ifname=UPLINK)[0], values(plan, node)
    ip.link("add", ifname=HOST_MACVLAN, kind="macvlan", link=uplink, macvlan_mode=_BRIDGE_MODE)
    index = ip.link_lookup(ifname=HOST_MACVLAN)[0]
    ip.link("set", index=index, state="up")
    ip.addr("add", index=index, address=node.ipv6, prefixlen=128, flags=_NODAD)
    for family in ("IPV4", "IPV6"):
        for address in _between(known[f"UPLINK_FIRST_{family}"], known[f"UPLINK_LAST_{family}"]):
            ip.route("add", dst=address, oif=index, family=_AF[ip_network(address).version])


def _between(first: str, last: str) -> list[str]:
    low, high = ip_network(first), ip_network(last)
    return [str(type(low)(number)) for number in range(int(low.network_address), int(high.network_address) + 1)]


def _tunnel_addresses(node: NodePlan) -> tuple[str, ...]:
    """As flannel's: the network's own address of each pod CIDR, which no pod has."""
    return tuple(str(ip_network(cidr)[0]) for cidr in node.pod_cidrs)


def _tunnel_mac(node: NodePlan) -> str:
    return f"0a:58:ac:1e:63:{node.index:02x}"


def _whole(address: str) -> int:
    return ip_network(address).max_prefixlen
