"""Command lines, images, and what a plugin's settings mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.facts import balancer, cni, dataplane, k3s, policy, replacement
from conformance.facts.answer import Answer
from conformance.facts.command_line import flags
from conformance.facts.workloads import Found, Workloads, version, workload
from conformance.model.facts import Fact, unknown

ABSENT: Answer[Any] = Answer(None, "there is none")


def seen(image: str, *args: str, name: str = "c", **env: str) -> Workloads:
    """A DaemonSet with one container."""
    variables = [{"name": key, "value": value} for key, value in env.items()]
    container = {"name": name, "image": image, "args": list(args), "env": variables}
    spec = {"template": {"spec": {"containers": [container]}}}
    return Workloads(
        (workload({"kind": "DaemonSet", "metadata": {"namespace": "n", "name": "w"}, "spec": spec}),), "it"
    )


def only(those: Workloads) -> Found:
    (one,) = those.of(cni.PRODUCTS)
    return one


def config(**data: str) -> Answer[dict[str, Any]]:
    return Answer({"data": {key.replace("_", "-"): value for key, value in data.items()}}, "its ConfigMap")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], {}),
        (["kube-proxy", "--a=b", "--c", "d", "--e", "-v=2"], {"a": "b", "c": "d", "e": "true"}),
        (["sh", "-c", "exec kube-proxy --a='b c' --d  # --e=f"], {"a": "b c", "d": "true"}),
        (["sh", "-c", "kube-proxy --a='b"], {"a": "'b"}),
        (["--a=first", "--a=last"], {"a": "last"}),
        (["--a=b=c,d"], {"a": "b=c,d"}),
    ],
)
def test_flags(words: list[str], expected: dict[str, str]) -> None:
    assert flags(words) == expected


@pytest.mark.parametrize(
    ("image", "path", "tag"),
    [
        ("quay.io/calico/node:v3.28.0", "quay.io/calico/node", "v3.28.0"),
        ("r:5000/calico/node", "r:5000/calico/node", ""),
        ("r:5000/calico/node:v1@sha256:00", "r:5000/calico/node", "v1"),
        ("calico/node@sha256:00", "calico/node", ""),
        ("", "", ""),
    ],
)
def test_images(image: str, path: str, tag: str) -> None:
    container = seen(image).seen[0].containers[0]
    assert (container.image, container.tag) == (path, tag)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("rancher/mirrored-calico-node:v3", cni.CALICO),
        ("gke.gcr.io/cilium/cilium:v1", cni.CILIUM),
        ("rancher/mirrored-cilium-cilium:v1", cni.CILIUM),
        ("quay.io/cilium/cilium-envoy:v1", None),
        ("quay.io/cilium/operator-generic:v1", None),
        ("rancher/mirrored-flannel-flannel:v0", cni.FLANNEL),
        ("docker.io/flannel/flannel:v0", cni.FLANNEL),
        ("docker.io/flannel/flannel-cni-plugin:v1", None),
        ("quay.io/calico/cni:v3", None),
        ("ghcr.io/ovn-org/ovn-kubernetes/ovn-kube-ubuntu:master", cni.OVN),
        ("docker.io/kubeovn/kube-ovn:v1.13.0", cni.KUBE_OVN),
        ("evil.example/not-calico/node:v3", None),
    ],
)
def test_plugins_by_their_images(image: str, name: str | None) -> None:
    assert cni.name(seen(image), []).value == name


def test_a_plugins_agents_are_pods_of_a_daemon_set() -> None:
    calico = seen("quay.io/calico/node:v3.28.0")
    assert cni.agent(calico).value == "n/w"
    assert not cni.agent(Workloads(tuple(replace(one, kind="Deployment") for one in calico.seen), "it")).known
    assert not cni.agent(seen("quay.io/calico/node:v3", CALICO_NETWORKING_BACKEND="none")).known
    assert not cni.agent(seen("example.com/other:v1")).known


def test_a_tag_that_is_no_version_is_no_version() -> None:
    assert version(only(seen("kindest/kindnetd:stable"))).source.endswith("its tag 'stable' is no version")
    assert version(only(seen("coreos/flannel:v0.11.0-amd64"))).value == "v0.11.0"


def test_chained_plugins_are_named_together() -> None:
    both = Workloads((*seen("amazon-k8s-cni:v1.19.0").seen, *seen("cilium/cilium:v1.17.4").seen), "it")
    assert cni.name(both, []).value == "cilium + aws-vpc-cni"
    assert cni.versions(both).value == "cilium v1.17.4 + aws-vpc-cni v1.19.0"
    planes = {cni.CILIUM: Fact("ebpf", "x")}
    assert not dataplane.of(cni.plugins(both), planes, cni.name(both, [])).known


@pytest.mark.parametrize(
    ("env", "installation", "felix", "expected"),
    [
        ({}, {"calicoNetwork": {"linuxDataplane": "Iptables"}}, None, "iptables"),
        ({}, {"calicoNetwork": {"linuxDataplane": "BPF"}}, None, "ebpf"),
        ({}, None, {"nftablesMode": "Enabled"}, "nftables"),
        ({}, None, {"nftablesMode": "Auto"}, None),
        ({}, None, {"bpfEnabled": True, "nftablesMode": "Enabled"}, "ebpf"),
        ({"FELIX_BPFENABLED": "false"}, None, {"bpfEnabled": True, "nftablesMode": "Disabled"}, "iptables"),
        ({"FELIX_NFTABLESMODE": "Enabled"}, None, {"nftablesMode": "Disabled"}, "nftables"),
        ({}, None, {}, "iptables"),
        ({}, None, None, None),
        ({"FELIX_NFTABLESMODE": "Enabled"}, None, None, "nftables"),
    ],
)
def test_calicos_dataplane(
    env: dict[str, str], installation: dict[str, Any] | None, felix: dict[str, Any] | None, expected: str | None
) -> None:
    one = only(seen("calico/node:v3.29.1", **env))
    asked = [Answer({"spec": spec}, "it") if spec is not None else ABSENT for spec in (installation, felix)]
    assert dataplane.calico(one, asked[0], asked[1]).value == expected


def test_a_default_that_depends_on_the_release_is_not_guessed() -> None:
    bare: Answer[dict[str, Any]] = Answer({"spec": {}}, "FelixConfiguration default")
    assert not dataplane.calico(only(seen("calico/node:v3.32.0")), ABSENT, bare).known


def test_the_other_dataplanes() -> None:
    assert dataplane.cilium(config(routing_mode="native")).value == "ebpf, native routing"
    assert dataplane.cilium(config(tunnel="vxlan")).value == "ebpf, vxlan"
    assert dataplane.cilium(ABSENT).value == "ebpf"
    assert dataplane.flannel(ABSENT) == unknown("there is none")
    assert not dataplane.flannel(config(cni_conf="{}")).known
    assert dataplane.antrea(ABSENT).value == "ovs"


@pytest.mark.parametrize(
    ("those", "cilium", "expected"),
    [
        (seen("cilium/cilium:v1"), config(enable_policy="never"), None),
        (seen("cilium/cilium:v1"), config(enable_k8s_networkpolicy="false"), None),
        (seen("kube-router:v2", "--run-firewall=false"), ABSENT, None),
        (seen("kindest/kindnetd:v20240202-8f1494ea"), ABSENT, None),
        (seen("ghcr.io/aojea/kindnetd:stable", "--network-policy=true"), ABSENT, "kindnet"),
        (seen("registry.k8s.io/networking/kube-network-policies:v0.8.0"), ABSENT, "kube-network-policies"),
    ],
)
def test_policy_engines(those: Workloads, cilium: Answer[dict[str, Any]], expected: str | None) -> None:
    assert policy.engine(those, cilium).value == expected


@pytest.mark.parametrize(
    ("those", "cilium", "kube_proxy", "expected"),
    [
        (seen("cilium/cilium:v1"), config(kube_proxy_replacement="strict"), "", "cilium"),
        (seen("cilium/cilium:v1"), config(kube_proxy_replacement="false"), "DaemonSet kube-proxy", "none"),
        (seen("cilium/cilium:v1"), ABSENT, "DaemonSet kube-proxy", None),
        (seen("kube-router:v2", "--run-service-proxy=false"), ABSENT, "", None),
        (seen("amazon-k8s-cni:v1"), ABSENT, "DaemonSet kube-proxy", "none"),
    ],
)
def test_what_replaces_kube_proxy(
    those: Workloads, cilium: Answer[dict[str, Any]], kube_proxy: str, expected: str | None
) -> None:
    assert replacement.replacement(those, kube_proxy, cilium, ABSENT, unknown("")).value == expected


def test_a_replacement_beside_kube_proxy_is_told() -> None:
    fact = replacement.replacement(
        seen("cilium/cilium:v1"), "DaemonSet kube-proxy", config(kube_proxy_replacement="true"), ABSENT, unknown("")
    )
    assert fact.source.endswith("; beside DaemonSet kube-proxy")


def test_kube_vip_may_be_there_for_the_control_plane_alone() -> None:
    assert not balancer.load_balancer(seen("ghcr.io/kube-vip/kube-vip:v1", svc_enable="false"), ABSENT).known
    assert balancer.load_balancer(seen("ghcr.io/kube-vip/kube-vip:v1", svc_enable="true"), ABSENT).value == "kube-vip"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (['["server","--kube-proxy-arg","proxy-mode=ipvs"]'], {"proxy-mode": "ipvs"}),
        (['["server"]', '["agent"]'], {}),
        (['["server","--kube-proxy-arg=proxy-mode=nftables"]', '["agent"]'], None),
        (['["server","--disable-kube-proxy"]'], None),
        (["not a list"], None),
        ([], None),
    ],
)
def test_k3s(arguments: list[str], expected: dict[str, str] | None) -> None:
    nodes = [{"metadata": {"annotations": {k3s.ANNOTATION: text}}} for text in arguments]
    assert k3s.proxy_flags([*nodes, {"metadata": {}}]).found == expected
