"""What is learned of clusters as they are found: their objects, condensed to what the parsers read, and the facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.facts.catalogue import QUESTIONS
from conformance.facts.gather import gather
from conformance.model.facts import Facts
from reports.facts import value_of
from tests.facts.recorded import CLUSTERS, Recorded, cluster, read

EVERYTHING = (
    "list nodes", "list daemonsets.apps", "list deployments.apps", "list pods", "list servicecidrs", "get configmaps",
    "get services", "get pods/proxy", "get installations.operator.tigera.io",
    "get felixconfigurations.crd.projectcalico.org",
)  # fmt: skip


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda p: p.stem)
def test_a_recorded_cluster(path: Path) -> None:
    recorded, held = read(path)
    facts = dict(gather(cluster(recorded)).items())
    assert {name: value_of(facts[name]) for name in held["facts"]} == held["facts"]
    for name, words in held.get("sources", {}).items():
        assert words in facts[name].source


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda p: p.stem)
def test_where_nothing_may_be_read_everything_is_unknown_and_says_what_would_help(path: Path) -> None:
    recorded, held = read(path, *EVERYTHING)
    facts = gather(cluster(recorded))
    assert {name for name, fact in facts.items() if fact.known} == {"version", "may_exec"}
    assert "grant 'list nodes'" in facts.nodes.source
    assert "grant 'get configmaps in kube-system'" in facts.proxy_mode.source
    assert "grant 'list daemonsets.apps', 'list deployments.apps'" in facts.cni.source
    assert facts.version.value == held["version"]


def test_a_permission_that_lacks_costs_only_its_facts() -> None:
    path = next(p for p in CLUSTERS if p.stem == "kubeadm-calico")
    whole = dict(gather(cluster(read(path)[0])).items())
    for grant in ("get configmaps", "list pods", "list deployments.apps", "get services"):
        facts = dict(gather(cluster(read(path, grant)[0])).items())
        helped = {q.fact for q in QUESTIONS if any(str(g).startswith(grant) for g in q.reads)}
        assert {n for n in whole if facts[n].value != whole[n].value} <= helped, grant
        assert [n for n in whole if facts[n].value != whole[n].value] or grant == "list pods"


def test_where_namespaces_may_not_be_listed_together_kube_system_is_looked_at() -> None:
    path = next(p for p in CLUSTERS if p.stem == "kubeadm-calico")
    recorded, _ = read(path)
    together = recorded.objects

    def only_inside(kind_name: str, namespace: str | None = None, selector: str = "") -> list[dict[str, object]]:
        denied = frozenset({"list daemonsets.apps"}) if namespace is None else frozenset[str]()
        one = Recorded(recorded.objects_, recorded.version_, denied=denied)
        return together(kind_name, namespace, selector) if not denied else one.objects(kind_name, namespace, selector)

    recorded.objects = only_inside  # type: ignore[method-assign]
    facts = gather(cluster(recorded))
    assert facts.node_local_dns.value is True  # in kube-system
    assert facts.policy_engine.source.endswith("among DaemonSets of kube-system and Deployments "
                                               "(not permitted: grant 'list daemonsets.apps')")  # fmt: skip


def test_only_what_the_catalogue_lists_is_asked() -> None:
    asked: set[str] = set()
    for path in CLUSTERS:
        recorded, _ = read(path)
        gather(cluster(recorded))
        asked |= recorded.asked
    listed = {f"{g.verb} {g.resource}".replace("servicecidrs.networking.k8s.io", "servicecidrs")
              for q in QUESTIONS for g in q.reads}  # fmt: skip
    assert asked == listed


def test_the_catalogue_has_every_fact_in_order() -> None:
    assert [q.fact for q in QUESTIONS] == [name for name, _ in Facts().items()]


def test_a_hostile_cluster_raises_nothing_and_gets_nothing_printed() -> None:
    """Objects that the API would not have stored, and texts that anybody may have."""
    evil = "\x1b]0;owned\x07\u202e" + "x" * 5000
    bomb = "a: &a [x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 8)}]\n" for i in range(12)
    )
    objects = [
        {"kind": "Node", "metadata": {"name": evil}, "status": {"conditions": 3, "nodeInfo": {"kernelVersion": evil}}},
        {"kind": "ConfigMap", "metadata": {"namespace": "kube-system", "name": "kube-proxy"},
         "data": {"config.conf": f"{bomb}kind: KubeProxyConfiguration\nmode: *m\nclusterCIDR: *l\nnftables: 3\n"
                                 .replace("*m", "[*a]").replace("*l", "*l")}},
        {"kind": "ConfigMap", "metadata": {"namespace": "kube-system", "name": "kubeadm-config"},
         "data": {"ClusterConfiguration": "[" * 100_000}},
        {"kind": "DaemonSet", "metadata": {"namespace": evil, "name": evil},
         "spec": {"template": {"spec": {"containers": [{"name": "x", "image": f"quay.io/calico/node:{evil}"}]}}}},
        {"kind": "Deployment", "metadata": {}, "spec": []},
        {"kind": "Pod", "metadata": {"namespace": "kube-system", "name": "../../secrets",
                                     "labels": {"k8s-app": "kube-proxy"}}, "spec": {"nodeName": "n"}},
    ]  # fmt: skip
    facts = gather(cluster(Recorded(objects, evil)))
    assert facts.cni.value == "calico"
    for name, fact in facts.items():
        assert value_of(fact).isprintable(), name
        assert fact.source.isprintable(), name
        assert max(len(fact.source), len(value_of(fact))) < 2000, name
