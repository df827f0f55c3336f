"""One fact, one question, one parser: on objects as kubeadm, k3s and the lab have them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.facts import dns, networks, nodes, proxy
from conformance.facts.answer import Answer
from conformance.facts.workloads import Workloads, among, workload
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


def found(obj: Any, where: str = "there") -> Answer[Any]:  # noqa: ANN401  whatever was asked for
    return Answer(obj, where)


def config_map(text: str, key: str = "config.conf") -> Answer[dict[str, Any]]:
    return found({"data": {key: text}}, "ConfigMap kube-system/kube-proxy")


def containers(*specs: dict[str, Any], kind: str = "DaemonSet") -> Workloads:
    """One workload with these containers."""
    pod: dict[str, Any] = {"containers": list(specs)}
    spec = pod if kind == "Pod" else {"template": {"spec": pod}}
    return Workloads((workload({"kind": kind, "metadata": {"namespace": "ns", "name": "w"}, "spec": spec}),), "what is")


ABSENT: Answer[Any] = Answer(None, "there is none")


def configuration(*held: Answer[dict[str, Any]], seen: Workloads | None = None) -> Answer[dict[str, Any]]:
    return proxy.configuration(held, seen or Workloads(), Answer(None, ""))


def test_kubeadms_configuration() -> None:
    config = configuration(config_map(KUBEADM))
    source = "ConfigMap kube-system/kube-proxy, config.conf"
    assert proxy.mode(config) == Fact(ProxyMode.NFTABLES, source)
    assert proxy.detect_local(config).value is DetectLocal.CLUSTER_CIDR
    assert proxy.cluster_cidrs(config).value == ("10.244.0.0/16", "fd44::/16")
    assert proxy.node_port_addresses(config).value == ("10.0.0.0/8",)
    assert proxy.masquerade_all(config, ProxyMode.NFTABLES).value is False
    assert proxy.masquerade_all(config, ProxyMode.IPTABLES).value is True
    assert proxy.localhost_node_ports(config).value is True


@pytest.mark.parametrize(
    ("image", "versions"),
    [
        ("registry.k8s.io/kube-proxy:v1.36.2", ("v1.36.2",)),
        ("gke.gcr.io/kube-proxy-amd64:v1.20.10-gke.1600", ("v1.20.10-gke.1600",)),
        ("rancher/hardened-kubernetes:v1.33.4-rke2r1-build20250814", ("v1.33.4-rke2r1-build20250814",)),
        ("mine/proxy:0.3.1", ()),  # whatever that counts
        ("registry.k8s.io/kube-proxy@sha256:0123", ()),
    ],
)
def test_the_version_of_kube_proxy_is_its_images_tag(image: str, versions: tuple[str, ...]) -> None:
    spec = {"template": {"spec": {"containers": [{"name": "kube-proxy", "image": image}]}}}
    daemon = {"kind": "DaemonSet", "metadata": {"namespace": "kube-system", "name": "kube-proxy"}, "spec": spec}
    fact = proxy.versions(among(found([daemon], "DaemonSets")))
    assert fact == Fact(versions, "DaemonSet kube-system/kube-proxy, its image's tag")
    assert not proxy.versions(among(found([], "DaemonSets"))).known


def test_an_empty_mode_is_iptables_and_an_unknown_one_is_unknown() -> None:
    assert proxy.mode(found({}, "x")).value is ProxyMode.IPTABLES
    assert proxy.mode(found({"mode": "kernelspace"}, "x")) == unknown("x: mode 'kernelspace'")
    assert not proxy.detect_local(found({"detectLocalMode": "Magic"}, "x")).known


def test_what_is_no_address_is_unknown() -> None:
    assert proxy.cluster_cidrs(found({"clusterCIDR": "10.0.0.0/8,ten"}, "x")) == unknown("x: 'ten' is no address")
    assert proxy.node_port_addresses(found({"nodePortAddresses": ["primary"]}, "x")).value == ("primary",)
    assert not proxy.node_port_addresses(found({"nodePortAddresses": ["secondary"]}, "x")).known


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (ABSENT, "there is none"),
        (found({}), "holds no KubeProxyConfiguration"),
        (config_map("{"), "is no YAML mapping"),
        (config_map("kind: Pod"), "holds no KubeProxyConfiguration"),
        (config_map("just words"), "is no YAML mapping"),
        (config_map("a: 2026-99-99"), "is no YAML mapping"),
        (config_map("a: " + "x" * (1 << 17)), "is no YAML mapping"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_unknown_and_says_why(held: Answer[dict[str, Any]], why: str) -> None:
    config = configuration(held)
    assert config.found is None
    assert why in config.where
    for fact in (proxy.mode(config), proxy.cluster_cidrs(config), proxy.node_port_addresses(config)):
        assert fact == unknown(config.where)


def test_a_command_line_counts_only_where_it_names_no_file() -> None:
    flagged = {"name": "kube-proxy", "command": ["kube-proxy"], "args": [
        "--proxy-mode", "nftables", "--masquerade-all", "--nodeport-addresses=10.0.0.0/8,primary",
        "--iptables-localhost-nodeports=false"]}  # fmt: skip
    config = configuration(config_map(KUBEADM), seen=containers(flagged))
    assert proxy.mode(config) == Fact(ProxyMode.NFTABLES, "DaemonSet ns/w, its command line")
    assert proxy.masquerade_all(config, ProxyMode.NFTABLES).value is True
    assert proxy.node_port_addresses(config).value == ("10.0.0.0/8", "primary")
    assert proxy.localhost_node_ports(config).value is False
    with_file = {"name": "kube-proxy", "command": ["kube-proxy", "--config=/f", "--proxy-mode=iptables"]}
    assert proxy.mode(configuration(config_map(KUBEADM), seen=containers(with_file))).value is ProxyMode.NFTABLES


def test_command_lines_that_differ_are_no_configuration_but_that_of_windows_is_none_of_ours() -> None:
    def one(name: str, mode: str) -> dict[str, Any]:
        container = {"name": "kube-proxy", "command": ["kube-proxy", f"--proxy-mode={mode}", f"--hostname={name}"]}
        return {"kind": "Pod", "metadata": {"namespace": "s", "name": name}, "spec": {"containers": [container]}}

    both = among(found([one("a", "iptables"), one("b", "iptables"), one("c", "nftables")], "pods"))
    assert configuration(seen=both) == Answer(None, "the command lines of Pod s/a and Pod s/c differ")
    others = among(found([one("a", "iptables"), one("b-windows", "kernelspace")], "pods"))
    assert proxy.mode(configuration(seen=others)).value is ProxyMode.IPTABLES


def test_where_workloads_were_looked_for() -> None:
    none: Answer[Any] = Answer(None, "not permitted: grant 'list x'")
    assert among(found([], "A"), found([], "B"), found([], "B"), found([], "C")).where == "A, B and C"
    assert among(found([], "A"), none).where == "A (not permitted: grant 'list x')"
    assert among(none, Answer(None, "not permitted: grant 'list y'")).where == (
        "what may be listed (not permitted: grant 'list x', 'list y')"
    )


@pytest.mark.parametrize(
    ("address", "port"),
    [("", 0), (None, 0), ("127.0.0.1:10249", 0), ("[::1]:10249", 0), ("localhost:10249", 0), ("0.0.0.0:10249", 10249),
     (":9100", 9100), ("[::]:10249", 10249), ("0.0.0.0", 10249), ("10.0.0.1:http", 10249)],
)  # fmt: skip
def test_where_kube_proxy_can_be_asked_from_elsewhere(address: str | None, port: int) -> None:
    reached, why = proxy.metrics_port(found({"metricsBindAddress": address}))
    assert reached == port
    assert bool(why) is not bool(port)
    assert proxy.metrics_port(ABSENT) == (10249, "")


def test_what_runs_counts_more_than_what_is_configured_and_the_difference_is_told() -> None:
    configured = Fact(ProxyMode.NFTABLES, "the ConfigMap")
    by_node, running = proxy.modes({"a": "iptables"})
    agreed = proxy.agreed(configured, by_node, running)
    assert agreed.value is ProxyMode.IPTABLES
    assert agreed.source == "kube-proxy's /proxyMode on each node, although the ConfigMap says nftables"
    assert proxy.agreed(configured, *proxy.modes({"a": "nftables"})).source == "kube-proxy's /proxyMode on each node"
    assert proxy.agreed(configured, *proxy.modes({})) is configured
    assert proxy.agreed(unknown("x"), *proxy.modes({}, "y")) == unknown("x; y")
    assert proxy.agreed(configured, *proxy.modes({"a": "nftables", "b": "ipvs"})).value is None


def test_proxy_modes_of_nodes() -> None:
    by_node, one = proxy.modes({"a": "nftables\n", "b": "nftables", "c": None})
    assert (by_node.value, one.value) == ({"a": "nftables", "b": "nftables"}, ProxyMode.NFTABLES)
    by_node, one = proxy.modes({"a": "nftables", "b": "iptables"})
    assert one == unknown("the nodes differ: a nftables, b iptables")
    assert by_node.known
    assert not any(f.known for f in proxy.modes({"a": None}))
    assert "'winkernel'" in proxy.modes({"a": "winkernel"})[1].source
    assert proxy.modes({"a": "nftables", "b": None})[1].source == "kube-proxy's /proxyMode on 1 of 2 nodes"


def test_service_cidrs_from_objects_then_kubeadm_then_flags_then_unknown() -> None:
    objects = networks.from_service_cidrs(found([{"spec": {"cidrs": ["10.96.0.0/16", "fd00:96::/112"]}}]))
    held = found({"data": {"ClusterConfiguration": "networking:\n  serviceSubnet: 10.0.0.0/12\n"}})
    kubeadm = networks.from_kubeadm(held, "serviceSubnet")
    none = networks.from_service_cidrs(Answer(None, "the API has no ServiceCIDR objects"))
    assert networks.first_known(objects, kubeadm) is objects
    assert networks.first_known(none, kubeadm).value == ("10.0.0.0/12",)
    assert networks.first_known(none, networks.from_kubeadm(ABSENT, "podSubnet"), none).source == (
        "the API has no ServiceCIDR objects; there is none"
    )
    server = {"name": "kube-apiserver", "command": ["kube-apiserver", "--service-cluster-ip-range=10.3.0.0/16"]}
    flag = networks.from_flag(containers(server, kind="Pod"), "kube-apiserver", "service-cluster-ip-range")
    assert flag == Fact(("10.3.0.0/16",), "Pod ns/w, --service-cluster-ip-range")
    assert not networks.from_flag(containers(server), "kube-controller-manager", "cluster-cidr").known


@pytest.mark.parametrize("text", ["", "[", "- a", "networking: {}", "networking: 3", "networking: {podSubnet: x}"])
def test_a_kubeadm_configuration_without_an_answer(text: str) -> None:
    assert not networks.from_kubeadm(found({"data": {"ClusterConfiguration": text}}), "podSubnet").known


def test_families_from_service_cidrs_or_the_dns_service() -> None:
    addresses = dns.addresses(found({"spec": {"clusterIP": "fd00::a", "clusterIPs": ["fd00::a", "10.96.0.10"]}}))
    assert networks.families(unknown("x"), addresses).value == (Family.IPV6, Family.IPV4)
    assert networks.families(Fact(("10.96.0.0/16",), "y"), addresses).value == (Family.IPV4,)
    assert networks.families(unknown("x"), dns.addresses(ABSENT)).source == "x; there is none"
    assert not dns.addresses(found({"spec": {"clusterIP": "None"}})).known


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
    objects = found([node("b"), node("a", unschedulable=True), node("c", ready="Unknown")])
    ready = nodes.nodes(objects).otherwise(())
    assert [(n.name, n.zone, n.addresses) for n in ready] == [
        ("a", "zone-a", ("10.0.0.97",)),
        ("b", "zone-b", ("10.0.0.98",)),
    ]
    assert nodes.info(objects, "kernelVersion").otherwise({})["b"] == "6.1.0"
    assert nodes.info(objects, "osImage") == unknown("Nodes have no nodeInfo.osImage")
    assert nodes.zones(objects).otherwise({})["c"] == "zone-c"
    assert nodes.unschedulable(objects).value == ("a",)
    assert not nodes.nodes(found([])).known
    for fact in (nodes.nodes(ABSENT), nodes.zones(ABSENT), nodes.unschedulable(ABSENT)):
        assert fact == unknown("there is none")


def test_a_node_that_makes_no_sense_is_unknown() -> None:
    odd = {**node("a"), "spec": {"podCIDRs": ["\x1b[31m"]}}
    assert not nodes.nodes(found([odd])).known
    assert nodes.nodes(found([odd])).source.isprintable()


def test_places_add_the_addresses_that_the_api_does_not_know() -> None:
    facts = Facts(nodes=nodes.nodes(found([node("a"), node("b")])))
    place = Place(
        "a", "6.1.0", "3.13", "boot",
        (LocalAddress("lo", "127.0.0.1", 8, 254), LocalAddress("eth0", "10.0.0.97", 24, 0),
         LocalAddress("eth1", "192.168.9.1", 24, 0), LocalAddress("eth0", "fe80::1", 64, 253)),
    )  # fmt: skip
    completed = nodes.with_places(facts, {"a": place})
    assert completed.local_addresses.value == {"a": ("192.168.9.1",)}
    assert [n.local for n in completed.nodes.otherwise(())] == [("192.168.9.1",), ()]
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
        nodes=nodes.nodes(found([node("a"), node("b")])),
        families=Fact((Family.IPV4, Family.IPV6), "s"),
        service_cidrs=Fact(("10.96.0.0/16",), "s"),
        proxy_mode=Fact(ProxyMode.IPVS, "s"),
        configured_mode=Fact(ProxyMode.NFTABLES, "s"),
        kernels=Fact({"a": "6.1.0"}, "s"),
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


def test_nodes_that_are_away_are_named_with_the_clusters_own_words() -> None:
    def node(name: str, *conditions: dict[str, str]) -> dict[str, Any]:
        return {"metadata": {"name": name}, "status": {"conditions": list(conditions)}}

    there = [
        node("a", {"type": "Ready", "status": "True"}),
        node("b", {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}),
        node("c"),
        node("other", {"type": "Ready", "status": "False"}),
    ]
    assert nodes.away(there, ["a", "b", "c", "d"]) == {
        "b": "is not Ready: Kubelet stopped posting node status.",
        "c": "is not Ready: it has no such condition",
        "d": "is not in the cluster any more",
    }
