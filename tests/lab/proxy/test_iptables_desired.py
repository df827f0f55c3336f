"""What iptables mode writes where the configuration is another than the recorded one."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.errors import UsageError
from conformance.lab.proxy.config import Configuration, parse
from conformance.lab.proxy.iptables import lines, names
from conformance.lab.proxy.iptables.frame import frame
from conformance.lab.proxy.iptables.part import part
from conformance.lab.proxy.iptables.restore import restore
from conformance.lab.proxy.iptables.saved import saved
from conformance.lab.proxy.iptables.tables import Host, Tables
from conformance.lab.proxy.place import place
from conformance.model.addresses import Family, Protocol
from conformance.model.cluster import ProxyMode
from conformance.model.kube import Endpoint, EndpointPort, EndpointSlice, Node, Service, ServicePort, ServiceType

NODE = Node("n1", ("172.30.99.11", "fd99::11"), pod_cidrs=("10.244.1.0/24", "fd44:1::/64"))
ADDRESSES = ("127.0.0.1", "172.30.99.11", "172.31.98.1", "::1", "fd99::11")
WEB = Service(
    "default", "web", ServiceType.NODE_PORT, (ServicePort("", Protocol.TCP, 80, 8080, 30080),), ("10.96.0.1",)
)


def told(
    family: Family = Family.IPV4,
    host: Host | None = None,
    endpoints: int = 2,
    **more: Any,  # noqa: ANN401
) -> list[str]:
    """The input of iptables-restore under a KubeProxyConfiguration with ``more``."""
    configuration = parse({"kind": "KubeProxyConfiguration", "mode": "iptables", **more})
    here, found = place(family, NODE, configuration, (), ADDRESSES), host or Host()
    listed = tuple(Endpoint((f"10.244.{i // 250}.{i % 250}",), "n1") for i in range(endpoints))
    served = (EndpointPort("", Protocol.TCP, 8080),)
    slices = [EndpointSlice("default", "web-1", "web", Family.IPV4, served, listed)]
    tables = Tables(frame(here, found), {WEB.key: part(WEB, slices, here, found)})
    return restore(tables, None, saved("")).splitlines()


def to_node_ports(rules: list[str]) -> list[str]:
    head = '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in '
    end = " -j KUBE-NODEPORTS"
    return [r.removeprefix(head + 'this chain" ').removesuffix(end) for r in rules if r.endswith(end) and "-A" in r[:2]]


def test_where_node_ports_answer() -> None:
    off = {"localhostNodePorts": False}
    assert to_node_ports(told()) == ["-m addrtype --dst-type LOCAL"]
    assert to_node_ports(told(iptables=off)) == ["-m addrtype --dst-type LOCAL ! -d 127.0.0.0/8"]
    assert to_node_ports(told(Family.IPV6)) == ["-m addrtype --dst-type LOCAL ! -d ::1/128"]
    assert to_node_ports(told(nodePortAddresses=["primary"])) == ["-d 172.30.99.11"]
    ranges = ["127.0.0.0/8", "172.31.0.0/16"]
    assert to_node_ports(told(nodePortAddresses=ranges)) == ["-d 127.0.0.1", "-d 172.31.98.1"]
    assert to_node_ports(told(nodePortAddresses=ranges, iptables=off)) == ["-d 172.31.98.1"]


def test_loopback_addresses_are_guarded_where_they_are_routed() -> None:
    assert any("block incoming localnet connections" in rule for rule in told())
    for rules in (told(iptables={"localhostNodePorts": False}), told(nodePortAddresses=["primary"])):
        assert not any("block incoming localnet connections" in rule for rule in rules)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"clusterCIDR": "10.244.0.0/16,fd44::/16"}, "! -s 10.244.0.0/16 "),
        ({"detectLocalMode": "NodeCIDR"}, "! -s 10.244.1.0/24 "),
        ({"detectLocalMode": "BridgeInterface", "detectLocal": {"bridgeInterface": "cni0"}}, "! -i cni0 "),
        ({"detectLocalMode": "InterfaceNamePrefix", "detectLocal": {"interfaceNamePrefix": "veth"}}, "! -i veth+ "),
        ({"iptables": {"masqueradeAll": True}}, ""),
    ],
)
def test_what_comes_from_outside_is_masqueraded(more: dict[str, Any], match: str) -> None:
    masqueraded = f"-m tcp -p tcp -d 10.96.0.1 --dport 80 {match}-j KUBE-MARK-MASQ"
    assert len([rule for rule in told(**more) if rule.endswith(masqueraded)]) == 1


def test_without_a_way_to_tell_nothing_to_the_cluster_ip_is_masqueraded() -> None:
    assert not any("-d 10.96.0.1 " in rule and "KUBE-MARK-MASQ" in rule for rule in told())


def test_what_the_kernel_can_decides() -> None:
    invalid = [r for r in told(host=Host(frozenset({names.INVALID_DROPPED}))) if "--ctstate INVALID" in r]
    assert invalid == [
        "-A KUBE-FORWARD -m conntrack --ctstate INVALID -m nfacct --nfacct-name ct_state_invalid_dropped_pkts -j DROP"
    ]
    assert not any("nfacct" in rule for rule in told())
    assert not any("--ctstate INVALID" in rule for rule in told(host=Host(liberal=True)))


def test_in_a_large_cluster_comments_are_spared() -> None:
    few, many = told(), told(endpoints=lines.LARGE + 1)
    assert any('--comment "default/web -> 10.244.0.1:8080"' in rule for rule in few)
    assert not any("->" in rule for rule in many)
    assert any('--comment "default/web cluster IP"' in rule for rule in many)
    drawn = [rule.split("--probability ")[1].split()[0] for rule in many if "--probability" in rule]
    assert (len(drawn), drawn[0], drawn[-1]) == (lines.LARGE, "0.0009990010", "0.5000000000")


def test_the_mode() -> None:
    assert parse({}).mode is ProxyMode.IPTABLES  # as a real kube-proxy takes it
    assert Configuration().mode is ProxyMode.NFTABLES
    with pytest.raises(UsageError, match="has no mode 'ipvs'"):
        parse({"mode": "ipvs"})
