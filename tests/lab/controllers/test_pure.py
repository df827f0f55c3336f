"""Selectors, placement, rollouts, Endpoints and mirrors: the decisions without a cluster."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.lab.controllers import mirroring, placement, rollout, selectors
from conformance.lab.controllers.daemon_sets import node_of, outdated, pod_for
from conformance.lab.controllers.endpoints import CAPACITY, desired_endpoints
from conformance.lab.controllers.packing import assign
from conformance.lab.controllers.placement import host_ports
from conformance.lab.controllers.scheduler import choose
from conformance.lab.controllers.templates import available_in, fingerprint, share
from conformance.lab.controllers.trigger_times import TriggerTimes

Json = dict[str, Any]


def node(name: str, *, ready: bool = True, labels: Json | None = None, taints: list[Json] | None = None) -> Json:
    state = {"type": "Ready", "status": "True" if ready else "False"}
    return {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"taints": taints or []},
        "status": {"conditions": [state]},
    }


def pod(name: str = "p", owner: str = "", **spec: object) -> Json:
    references = [{"kind": "ReplicaSet", "name": owner, "uid": owner, "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "namespace": "n", "uid": name, "ownerReferences": references},
        "spec": {"containers": [{"name": "c"}], **spec},
    }


@pytest.mark.parametrize(
    ("expression", "labels", "holds"),
    [
        ({"key": "a", "operator": "In", "values": ["1", "2"]}, {"a": "2"}, True),
        ({"key": "a", "operator": "In", "values": ["1"]}, {}, False),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, {}, True),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, {"a": "1"}, False),
        ({"key": "a", "operator": "Exists"}, {"a": ""}, True),
        ({"key": "a", "operator": "DoesNotExist"}, {"a": ""}, False),
        ({"key": "a", "operator": "Gt", "values": ["5"]}, {"a": "6"}, True),
        ({"key": "a", "operator": "Lt", "values": ["5"]}, {"a": "x"}, False),
        ({"key": "a", "operator": "Near", "values": ["5"]}, {"a": "5"}, False),
    ],
)
def test_requirements(expression: Json, labels: Json, holds: bool) -> None:
    assert selectors.requirement(expression, labels) is holds


def test_an_empty_service_selector_selects_nothing_an_empty_label_selector_everything() -> None:
    assert not selectors.matches_map({}, {"a": "b"})
    assert selectors.matches({}, {"a": "b"})
    assert not selectors.matches(None, {"a": "b"})


def test_unready_nodes_repel_unless_tolerated() -> None:
    assert "untolerated taint {node.kubernetes.io/not-ready}" in placement.obstacle(
        pod()["spec"], node("a", ready=False)
    )
    assert not placement.obstacle(pod(tolerations=[{"operator": "Exists"}])["spec"], node("a", ready=False))
    assert placement.may_stay(pod()["spec"], node("a", ready=False))


def test_taints_compare_key_value_and_effect() -> None:
    taint = {"key": "k", "value": "v", "effect": "NoSchedule"}
    assert placement.tolerated(taint, [{"key": "k", "operator": "Equal", "value": "v"}])
    assert not placement.tolerated(taint, [{"key": "k", "operator": "Equal", "value": "w"}])
    assert not placement.tolerated(taint, [{"key": "k", "operator": "Exists", "effect": "NoExecute"}])


def test_the_emptiest_node_by_siblings_then_by_all_pods() -> None:
    nodes = [node("a"), node("b"), node("c")]
    running = [("a", pod("1", "mine")), ("b", pod("2")), ("b", pod("3")), ("c", pod("4"))]
    assert choose(pod("x", "mine"), nodes, running) == ("c", "")
    assert choose(pod("x"), nodes, running) == ("a", "")


def test_a_pod_that_fits_nowhere_is_told_why_by_count() -> None:
    nodes = [node("a", ready=False), node("b"), node("c")]
    assert choose(pod(nodeSelector={"disk": "ssd"}), nodes, []) == (
        "",
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
    )


def test_host_ports_exclude_each_other() -> None:
    web: Json = {"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]}
    assert choose(pod("x", **web), [node("a"), node("b")], [("a", pod("1", **web))]) == ("b", "")
    assert "free ports" in choose(pod("x", **web), [node("a")], [("a", pod("1", **web))])[1]


@pytest.mark.parametrize(
    ("port", "fits"),
    [
        ({"hostPort": 80}, False),
        ({"hostPort": 80, "hostIP": "0.0.0.0"}, False),
        ({"hostPort": 80, "hostIP": "10.0.0.1"}, False),
        ({"hostPort": 80, "hostIP": "10.0.0.2"}, True),
        ({"hostPort": 80, "hostIP": "10.0.0.1", "protocol": "UDP"}, True),
        ({"hostPort": 81, "hostIP": "10.0.0.1"}, True),
    ],
)
def test_host_ports_of_different_addresses_get_along(port: Json, fits: bool) -> None:
    def web(port: Json) -> Json:
        return pod("x", containers=[{"name": "c", "ports": [{"containerPort": 80, **port}]}])

    there = web({"hostPort": 80, "hostIP": "10.0.0.1"})
    assert (choose(web(port), [node("a")], [("a", there)])[0] == "a") is fits


def test_only_containers_that_stay_hold_their_host_ports() -> None:
    initial = {"name": "i", "ports": [{"containerPort": 80, "hostPort": 80}]}
    sidecar = {**initial, "restartPolicy": "Always"}
    assert not host_ports({"initContainers": [initial], "containers": []})
    assert host_ports({"initContainers": [sidecar], "containers": []}) == {("0.0.0.0", "TCP", 80)}


def daemon_set(**strategy: object) -> Json:
    return {
        "metadata": {"name": "d", "namespace": "n", "uid": "d"},
        "spec": {
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}},
            "updateStrategy": strategy,
        },
    }


def test_a_daemons_pod_knows_its_node_before_it_is_bound() -> None:
    made = pod_for(daemon_set(), "b")
    assert node_of(made) == "b"
    assert placement.selected(made["spec"], node("b"))
    assert not placement.selected(made["spec"], node("a"))
    assert made["metadata"]["labels"].keys() == {"a", "controller-revision-hash"}


def running(name: str, mark: str, *, ready: bool) -> Json:
    state = {"type": "Ready", "status": "True" if ready else "False"}
    return {"metadata": {"name": name, "labels": {"controller-revision-hash": mark}}, "status": {"conditions": [state]}}


def test_a_rolling_update_takes_lame_pods_and_one_sound_one() -> None:
    old = {
        "a": running("a", "old", ready=True),
        "b": running("b", "old", ready=True),
        "c": running("c", "old", ready=False),
    }
    assert [p["metadata"]["name"] for p in outdated(daemon_set(), old, 3)] == ["c"]
    del old["c"]
    old["c"] = running("c", fingerprint(daemon_set()["spec"]["template"]), ready=True)
    assert len(outdated(daemon_set(), old, 3)) == 1
    assert outdated(daemon_set(type="OnDelete"), old, 3) == []


def test_shares_round_as_kubernetes_does() -> None:
    assert (share("25%", 0, 3, round_up=True), share("25%", 0, 3, round_up=False), share(2, 0, 3, round_up=True)) == (
        1,
        0,
        2,
    )


def test_min_ready_seconds_delay_availability() -> None:
    state = {"type": "Ready", "status": "True", "lastTransitionTime": "2999-01-01T00:00:00Z"}
    ready: Json = {"metadata": {}, "status": {"conditions": [state]}}
    assert available_in(ready, 0) == 0
    assert (available_in(ready, 10) or 0) > 10
    assert available_in({"metadata": {}, "status": {}}, 0) is None


def replica_set(name: str, size: int, available: int) -> Json:
    return {"metadata": {"name": name}, "spec": {"replicas": size}, "status": {"availableReplicas": available}}


@given(
    wanted=st.integers(0, 12),
    surge=st.integers(0, 5),
    unavailable=st.integers(0, 5),
    before=st.lists(st.integers(0, 12), min_size=1, max_size=3),
    recreate=st.booleans(),
)
def test_every_rollout_ends_and_never_leaves_its_bounds(
    wanted: int, surge: int, unavailable: int, before: list[int], recreate: bool
) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    deployment = {
        "metadata": {},
        "spec": {"replicas": wanted, "strategy": {"type": "Recreate"} if recreate else rolling},
    }
    sizes = {"new": 0, **{f"old{i}": n for i, n in enumerate(before)}}
    bounds = rollout.Bounds.of(deployment)
    start = sum(before)
    for _ in range(100):
        new, *old = [replica_set(name, size, size) for name, size in sizes.items()]
        step = rollout.next_sizes(deployment, new, old)
        if not step:
            break
        sizes |= step
        assert sum(sizes.values()) <= max(start, bounds.wanted + bounds.surge)
        assert sum(sizes.values()) >= min(start, bounds.wanted - bounds.unavailable)
    assert sizes == {"new": wanted, **{f"old{i}": 0 for i in range(len(before))}}


def test_recreate_waits_for_the_old_pods() -> None:
    deployment = {"metadata": {}, "spec": {"replicas": 2, "strategy": {"type": "Recreate"}}}
    new, old = replica_set("new", 0, 0), replica_set("old", 0, 0)
    assert rollout.next_sizes(deployment, new, [old], old_pods=1) == {}
    assert rollout.next_sizes(deployment, new, [old], old_pods=0) == {"new": 2}


def test_a_rollout_without_progress_exceeds_its_deadline() -> None:
    stuck = {
        "type": "Progressing",
        "status": "True",
        "reason": "ReplicaSetUpdated",
        "lastUpdateTime": "2026-01-01T00:00:00Z",
    }
    counts = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 0, "availableReplicas": 0, "observedGeneration": 1}
    deployment = {
        "metadata": {"generation": 1},
        "spec": {"replicas": 1, "progressDeadlineSeconds": 60},
        "status": {**counts, "conditions": [stuck]},
    }
    new = {"metadata": {"name": "d-1"}}
    early = rollout.conditions(deployment, counts, new, "2026-01-01T00:00:59Z")[1]
    late = rollout.conditions(deployment, counts, new, "2026-01-01T00:01:00Z")[1]
    assert (early["reason"], late["reason"], late["status"]) == (
        "ReplicaSetUpdated",
        "ProgressDeadlineExceeded",
        "False",
    )


def endpoint_pod(number: int, *, ready: bool = True) -> Json:
    made = pod(f"p{number}")
    state = {"type": "Ready", "status": "True" if ready else "False"}
    return made | {"status": {"podIPs": [{"ip": f"10.0.{number // 250}.{number % 250}"}], "conditions": [state]}}


SERVICE: Json = {
    "metadata": {"name": "s", "namespace": "n", "labels": {"a": "b"}},
    "spec": {
        "clusterIP": "10.96.0.1",
        "ipFamilies": ["IPv4"],
        "ports": [{"name": "h", "port": 80, "targetPort": 8080}],
    },
}


def test_endpoints_keep_ready_and_unready_apart() -> None:
    made = desired_endpoints(SERVICE, [endpoint_pod(1), endpoint_pod(2, ready=False)])
    [subset] = made["subsets"]
    assert [a["ip"] for a in subset["addresses"]] == ["10.0.0.1"]
    assert [a["ip"] for a in subset["notReadyAddresses"]] == ["10.0.0.2"]
    assert subset["ports"] == [{"name": "h", "port": 8080, "protocol": "TCP"}]
    assert made["metadata"]["labels"] == {"a": "b", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}


def test_endpoints_are_cut_at_their_capacity_ready_ones_first() -> None:
    pods = [endpoint_pod(n, ready=n >= 10) for n in range(CAPACITY + 10)]
    made = desired_endpoints(SERVICE, pods)
    assert len(made["subsets"][0]["addresses"]) == CAPACITY
    assert "notReadyAddresses" not in made["subsets"][0]
    assert made["metadata"]["annotations"] == {"endpoints.kubernetes.io/over-capacity": "truncated"}


def hand_made(**labels: str) -> Json:
    subset = {"addresses": [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}], "notReadyAddresses": [{"ip": "192.0.2.2"}]}
    return {
        "metadata": {"name": "e", "namespace": "n", "uid": "e", "labels": labels},
        "subsets": [subset | {"ports": [{"port": 80}]}],
    }


def test_hand_made_endpoints_are_mirrored_by_family() -> None:
    pieces = assign(mirroring.blueprint(hand_made(a="b")), mirroring.groups_of(hand_made(a="b")), ()).create
    found = {p["addressType"]: [(e["addresses"][0], e["conditions"]["ready"]) for e in p["endpoints"]] for p in pieces}
    assert found == {"IPv4": [("192.0.2.1", True), ("192.0.2.2", False)], "IPv6": [("2001:db8::1", True)]}
    assert all(p["metadata"]["labels"]["a"] == "b" for p in pieces)
    assert all(p["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}] for p in pieces)


def test_only_endpoints_of_selectorless_services_are_mirrored() -> None:
    bare: Json = {"spec": {}}
    assert mirroring.wanted(hand_made(), bare)
    assert not mirroring.wanted(hand_made(), {"spec": {"selector": {"a": "b"}}})
    assert not mirroring.wanted(hand_made(), None)
    assert not mirroring.wanted(hand_made(**{"endpointslice.kubernetes.io/skip-mirror": "true"}), bare)


def test_trigger_times_export_each_change_once() -> None:
    times, service = TriggerTimes(), {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}}
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:05Z"}
    one: Json = {"metadata": {"uid": "1"}, "status": {"conditions": [ready]}}
    assert times.next("k", service, []) == "2026-01-01T00:00:00Z"
    assert times.next("k", service, [one]) == "2026-01-01T00:00:05Z"
    assert times.next("k", service, [one]) == ""
