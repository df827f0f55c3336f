"""One fact, one question, one parser: on objects as kubeadm, k3s and the lab have them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.facts import networks, nodes, proxy
from conformance.model.addresses import Family
from conformance.model.client import Client, ClientKind
from conformance.model.cluster import DetectLocal, ProxyConfig, ProxyMode
from conformance.model.facts import Fact, Facts, minor, unknown
from conformance.model.kube import Node
from conformance.model.observation import Dial, End
from conformance.model.place import LocalAddress, Place

KUBEADM = """\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: "nftables"
clusterCIDR: 10.244.0.0/16,fd44::/16
detectLocalMode: ""
nodePortAddresses: ["10.0.0.0/8"]
iptables: {masqueradeAll: true, localhostNodePorts: null}
nftables: {masqueradeAll: false}
"""


def config_map(text: str, key: str = "config.conf") -> dict[str, Any]:
    return {"data": {key: text}}


def test_kubeadms_configuration() -> None:
    config, source = proxy.configuration(config_map(KUBEADM))
    assert source == "ConfigMap kube-system/kube-proxy, config.conf"
    assert proxy.mode(config, source) == Fact(ProxyMode.NFTABLES, source)
    assert proxy.detect_local(config, source).value is DetectLocal.CLUSTER_CIDR
    assert proxy.cluster_cidrs(config, source).value == ("10.244.0.0/16", "fd44::/16")
    assert proxy.node_port_addresses(config, source).value == ("10.0.0.0/8",)
    assert proxy.masquerade_all(config, source, ProxyMode.NFTABLES).value is False
    assert proxy.masquerade_all(config, source, ProxyMode.IPTABLES).value is True
    assert proxy.localhost_node_ports(config, source).value is True


def test_an_empty_mode_is_iptables_and_an_unknown_one_is_unknown() -> None:
    assert proxy.mode({}, "x").value is ProxyMode.IPTABLES
    assert proxy.mode({"mode": "kernelspace"}, "x") == unknown("x: mode 'kernelspace'")
    assert not proxy.detect_local({"detectLocalMode": "Magic"}, "x").known


@pytest.mark.parametrize(
    ("obj", "why"),
    [
        (None, "there is no ConfigMap"),
        ({}, "holds no KubeProxyConfiguration"),
        (config_map("{"), "is not YAML"),
        (config_map("kind: Pod"), "holds no KubeProxyConfiguration"),
        (config_map("just words"), "holds no KubeProxyConfiguration"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_unknown_and_says_why(obj: dict[str, Any] | None, why: str) -> None:
    config, source = proxy.configuration(obj)
    assert config is None
    assert why in source
    for fact in (
        proxy.mode(config, source),
        proxy.cluster_cidrs(config, source),
        proxy.node_port_addresses(None, source),
    ):
        assert fact == unknown(source)


def test_proxy_modes_of_nodes() -> None:
    by_node, one = proxy.modes({"a": "nftables\n", "b": "nftables", "c": None})
    assert (by_node.value, one.value) == ({"a": "nftables", "b": "nftables"}, ProxyMode.NFTABLES)
    by_node, one = proxy.modes({"a": "nftables", "b": "iptables"})
    assert one == unknown("the nodes differ: a nftables, b iptables")
    assert by_node.known
    assert not any(f.known for f in proxy.modes({"a": None}))
    assert "'winkernel'" in proxy.modes({"a": "winkernel"})[1].source


def test_service_cidrs_from_objects_then_kubeadm_then_unknown() -> None:
    objects = networks.from_service_cidrs([{"spec": {"cidrs": ["10.96.0.0/16", "fd00:96::/112"]}}])
    kubeadm = networks.from_kubeadm(
        {"data": {"ClusterConfiguration": "networking:\n  serviceSubnet: 10.0.0.0/12\n"}}, "serviceSubnet"
    )
    none = networks.from_service_cidrs(None)
    assert networks.first_known(objects, kubeadm) is objects
    assert networks.first_known(none, kubeadm).value == ("10.0.0.0/12",)
    assert networks.first_known(none, networks.from_kubeadm(None, "podSubnet")).source == (
        "the API has no ServiceCIDR objects; there is no ConfigMap kube-system/kubeadm-config"
    )


@pytest.mark.parametrize("text", ["", "[", "- a", "networking: {}"])
def test_a_kubeadm_configuration_without_an_answer(text: str) -> None:
    assert not networks.from_kubeadm({"data": {"ClusterConfiguration": text}}, "podSubnet").known


def test_families_from_service_cidrs_or_the_dns_service() -> None:
    dns = networks.dns({"spec": {"clusterIP": "fd00::a", "clusterIPs": ["fd00::a", "10.96.0.10"]}})
    assert networks.families(unknown("x"), dns).value == (Family.IPV6, Family.IPV4)
    assert networks.families(Fact(("10.96.0.0/16",), "y"), dns).value == (Family.IPV4,)
    assert networks.families(unknown("x"), networks.dns(None)).source == "x; there is no Service kube-system/kube-dns"
    assert not networks.dns({"spec": {"clusterIP": "None"}}).known


def node(name: str, ready: str = "True", **spec: object) -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": f"zone-{name}"}},
        "spec": {"podCIDRs": ["10.244.1.0/24"], **spec},
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "addresses": [
                {"type": "InternalIP", "address": f"10.0.0.{ord(name)}"},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {"kernelVersion": "6.1.0"},
        },
    }


def test_nodes_that_are_ready() -> None:
    objects = [node("b"), node("a", unschedulable=True), node("c", ready="Unknown")]
    found = nodes.nodes(objects).otherwise(())
    assert [(n.name, n.zone, n.addresses) for n in found] == [
        ("a", "zone-a", ("10.0.0.97",)),
        ("b", "zone-b", ("10.0.0.98",)),
    ]
    assert nodes.kernels(objects).otherwise({})["b"] == "6.1.0"
    assert nodes.unschedulable(objects).value == ("a",)
    assert not nodes.nodes([]).known


def test_places_add_the_addresses_that_the_api_does_not_know() -> None:
    facts = Facts(nodes=nodes.nodes([node("a"), node("b")]))
    place = Place(
        "a", "6.1.0", "3.13", "boot",
        (LocalAddress("lo", "127.0.0.1", 8, 254), LocalAddress("eth0", "10.0.0.97", 24, 0),
         LocalAddress("eth1", "192.168.9.1", 24, 0), LocalAddress("eth0", "fe80::1", 64, 253)),
    )  # fmt: skip
    found = nodes.with_places(facts, {"a": place})
    assert found.local_addresses.value == {"a": ("192.168.9.1",)}
    assert [n.local for n in found.nodes.otherwise(())] == [("192.168.9.1",), ()]
    assert nodes.with_places(facts, {}) is facts


POD = Client("p", ClientKind.POD, "a", ("10.244.1.5", "fd44::5"))
NODES = (Node("a", ("10.0.0.1",)), Node("b", ("10.0.0.2",)))


@pytest.mark.parametrize(
    ("dials", "value"),
    [
        ([("10.0.0.2", "10.244.1.5")], False),
        ([("10.0.0.2", "10.0.0.1")], True),
        ([("10.0.0.2", "10.0.0.1"), ("10.0.0.2", "10.244.1.5")], None),
        ([("10.0.0.1", "10.244.1.5")], None),
        ([], None),
    ],
)
def test_pod_masquerade(dials: list[tuple[str, str]], value: bool | None) -> None:
    seen = [(POD, ip, Dial(End.ANSWERED, source=source)) for ip, source in dials]
    assert networks.pod_masquerade(seen, NODES).value is value


def test_only_answered_pods_tell_of_masquerade() -> None:
    host = Client("h", ClientKind.NODE, "a")
    dials = [(POD, "10.0.0.2", Dial(End.TIMEOUT)), (host, "10.0.0.2", Dial(End.ANSWERED, source="10.0.0.1"))]
    assert not networks.pod_masquerade(dials, NODES).known


def test_facts_survive_json() -> None:
    facts = Facts(
        version=Fact("v1.36.2", "/version"),
        nodes=nodes.nodes([node("a"), node("b")]),
        families=Fact((Family.IPV4, Family.IPV6), "s"),
        service_cidrs=Fact(("10.96.0.0/16",), "s"),
        proxy_mode=Fact(ProxyMode.IPVS, "s"),
        detect_local=Fact(DetectLocal.NODE_CIDR, "s"),
        masquerade_all=Fact(False, "s"),
        local_addresses=Fact({"a": ("192.168.9.1",)}, "s"),
        may_exec=unknown("nobody asked"),
    )
    assert Facts.from_json(facts.to_json()) == facts
    assert json.loads(facts.to_json())["proxy_mode"] == {"source": "s", "value": "ipvs"}
    assert Facts.from_json(Facts().to_json()) == Facts()


def test_the_proxys_configuration_has_its_defaults_where_nothing_is_known() -> None:
    assert Facts().proxy() == ProxyConfig()
    known = Facts(
        version=Fact("v1.33.1+k3s1", ""), proxy_mode=Fact(ProxyMode.IPTABLES, ""), masquerade_all=Fact(True, "")
    )
    assert known.proxy() == ProxyConfig(mode=ProxyMode.IPTABLES, version=(1, 33), masquerade_all=True)


@pytest.mark.parametrize(
    ("version", "parts"),
    [("v1.36.2", (1, 36)), ("v1.28+", (1, 28)), ("1.30.0-gke.1", (1, 30)), ("", None), (None, None), ("v1.x", None)],
)
def test_versions(version: str | None, parts: tuple[int, int] | None) -> None:
    assert minor(version) == parts
