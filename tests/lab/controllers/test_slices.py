"""The slices we decide on are those that kube-controller-manager 1.36.2 made for the same objects."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.lab.controllers.packing import MAX_ENDPOINTS, TRIGGER_TIME
from conformance.lab.controllers.slices import reconcile

Json = dict[str, Any]

HERE = Path(__file__).parent
RECORDED: Json = json.loads(
    gzip.decompress((HERE.parents[1] / "data" / "rulesets" / "objects.json.gz").read_bytes())
) | {"pods": json.loads(gzip.decompress((HERE / "data" / "pods.json.gz").read_bytes()))}
NODES = {node["metadata"]["name"]: node for node in RECORDED["nodes"]}
SELECTING = {s["metadata"]["name"]: s for s in RECORDED["services"] if s["spec"].get("selector")}


def desired_slices(service: Json, pods: Iterable[Json], nodes: Mapping[str, Json]) -> list[Json]:
    """The slices of a Service that has none yet."""
    return reconcile(service, pods, nodes, ()).create


def selected(service: Json) -> list[Json]:
    wanted = service["spec"]["selector"].items()
    return [pod for pod in RECORDED["pods"] if wanted <= pod["metadata"].get("labels", {}).items()]


def recorded_slices(service: Json) -> list[Json]:
    name = service["metadata"]["name"]
    return [s for s in RECORDED["endpointslices"] if s["metadata"]["labels"]["kubernetes.io/service-name"] == name]


def comparable(piece: Json) -> Json:
    """All that a slice says, without the names, times and order that nobody chose."""
    return {
        "type": piece["addressType"],
        "ports": sorted(json.dumps(p, sort_keys=True) for p in piece.get("ports") or ()),
        "endpoints": sorted(json.dumps(e, sort_keys=True) for e in piece.get("endpoints") or ()),
        "labels": piece["metadata"]["labels"],
        "owners": piece["metadata"]["ownerReferences"],
        "prefix": piece["metadata"]["generateName"],
    }


def by_type(pieces: list[Json]) -> list[Json]:
    return sorted(map(comparable, pieces), key=lambda piece: str(piece["type"]))


def test_the_recording_has_something_to_compare() -> None:
    assert len(SELECTING) == 59
    assert any("hints" in e for s in RECORDED["endpointslices"] for e in s.get("endpoints") or ())


@pytest.mark.parametrize("name", SELECTING)
def test_same_slices_as_the_real_controller(name: str) -> None:
    service = SELECTING[name]
    assert by_type(desired_slices(service, selected(service), NODES)) == by_type(recorded_slices(service))


@pytest.mark.parametrize("name", SELECTING)
def test_nothing_to_do_on_what_the_real_controller_left(name: str) -> None:
    service = SELECTING[name]
    changes = reconcile(service, selected(service), NODES, recorded_slices(service), "2026-11-22T21:00:00Z")
    assert (changes.create, changes.update, changes.delete) == ([], [], [])


def service_of(**spec: object) -> Json:
    return {
        "metadata": {"name": "s", "namespace": "n", "uid": "s-uid"},
        "spec": {"clusterIP": "10.96.0.9", "ipFamilies": ["IPv4"], "ports": [{"port": 80, "targetPort": 8080}], **spec},
    }


def pod_of(
    number: int,
    *,
    ready: bool = True,
    ports: list[Json] | None = None,
    meta: Json | None = None,
    spec: Json | None = None,
) -> Json:
    state = {"type": "Ready", "status": "True" if ready else "False"}
    return {
        "metadata": {"name": f"p{number}", "namespace": "n", "uid": f"p{number}-uid", **(meta or {})},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "ports": ports or []}], **(spec or {})},
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": f"10.244.{number // 250}.{number % 250}"}],
            "conditions": [state],
        },
    }


def with_status(pod: Json, **status: object) -> Json:
    return {**pod, "status": {**pod["status"], **status}}


def named(pieces: list[Json]) -> list[Json]:
    """As the API server would store them."""
    return [{**p, "metadata": {**p["metadata"], "name": f"s-{i}"}} for i, p in enumerate(pieces)]


def addresses(pieces: list[Json]) -> list[str]:
    return sorted(a for p in pieces for e in p["endpoints"] for a in e["addresses"])


def test_at_most_a_hundred_endpoints_and_full_slices_first() -> None:
    pieces = desired_slices(service_of(), [pod_of(n) for n in range(230)], NODES)
    assert sorted(len(p["endpoints"]) for p in pieces) == [30, 100, 100]


def test_finished_pods_and_pods_without_address_are_no_endpoints() -> None:
    changed: list[Json] = [{"phase": "Succeeded"}, {"phase": "Failed"}, {"podIPs": []}, {}]
    pods = [with_status(pod_of(n), **status) for n, status in enumerate(changed, 1)]
    assert addresses(desired_slices(service_of(), pods, NODES)) == ["10.244.0.4"]


def test_a_terminating_pod_stays_serving_but_is_not_ready() -> None:
    [piece] = desired_slices(service_of(), [pod_of(1, meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})], NODES)
    assert piece["endpoints"][0]["conditions"] == {"ready": False, "serving": True, "terminating": True}


def test_publish_not_ready_addresses_says_ready_and_takes_pods_of_unknown_nodes() -> None:
    pods = [pod_of(1, ready=False, spec={"nodeName": "gone"})]
    assert desired_slices(service_of(), pods, NODES)[0]["endpoints"] == []
    [piece] = desired_slices(service_of(publishNotReadyAddresses=True), pods, NODES)
    assert piece["endpoints"][0]["conditions"] == {"ready": True, "serving": False, "terminating": False}


def test_pods_whose_named_port_differs_are_in_slices_of_their_own() -> None:
    service = service_of(ports=[{"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"}])
    pods = [
        pod_of(1, ports=[{"name": "web", "containerPort": 8080}]),
        pod_of(2, ports=[{"name": "web", "containerPort": 9090}]),
        pod_of(3, ports=[{"name": "web", "containerPort": 8080, "protocol": "UDP"}]),
    ]
    found = {tuple(p["port"] for p in s["ports"]): addresses([s]) for s in desired_slices(service, pods, NODES)}
    assert found == {(8080,): ["10.244.0.1"], (9090,): ["10.244.0.2"], (): ["10.244.0.3"]}


def test_hostname_only_where_the_subdomain_is_the_service() -> None:
    pods = [pod_of(1, spec={"hostname": "a", "subdomain": "s"}), pod_of(2, spec={"hostname": "b", "subdomain": "t"})]
    [piece] = desired_slices(service_of(), pods, NODES)
    assert [e.get("hostname") for e in piece["endpoints"]] == ["a", None]


def test_headless_label_and_the_services_own_labels_but_not_reserved_ones() -> None:
    service = service_of(clusterIP="None")
    service["metadata"]["labels"] = {"app": "x", "kubernetes.io/service-name": "liar"}
    [piece] = desired_slices(service, [], NODES)
    assert piece["metadata"]["labels"] == {
        "app": "x",
        "service.kubernetes.io/headless": "",
        "kubernetes.io/service-name": "s",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }


def test_a_family_given_up_takes_its_slices_along() -> None:
    both = named(desired_slices(service_of(ipFamilies=["IPv4", "IPv6"]), [pod_of(1)], NODES))
    changes = reconcile(service_of(), [pod_of(1)], NODES, both)
    assert [p["addressType"] for p in changes.delete] == ["IPv6"]
    assert (changes.create, changes.update) == ([], [])


def test_slices_of_a_former_service_of_that_name_are_replaced() -> None:
    old = named(desired_slices(service_of(), [pod_of(1)], NODES))
    service = service_of()
    service["metadata"]["uid"] = "another"
    changes = reconcile(service, [pod_of(1)], NODES, old)
    assert (changes.delete, len(changes.create), changes.update) == (old, 1, [])


def test_trigger_time_is_written_and_cleared() -> None:
    [first] = reconcile(service_of(), [], NODES, (), "2026-01-01T00:00:00Z").create
    assert first["metadata"]["annotations"][TRIGGER_TIME] == "2026-01-01T00:00:00Z"
    [second] = reconcile(service_of(), [pod_of(1)], NODES, named([first])).update
    assert TRIGGER_TIME not in second["metadata"]["annotations"]


Numbers = st.sets(st.integers(0, 450), max_size=330)


@given(before=Numbers, after=Numbers)
def test_from_any_state_to_any_other(before: set[int], after: set[int]) -> None:
    service = service_of()
    pieces = named(desired_slices(service, map(pod_of, before), NODES))
    assert addresses(pieces) == addresses(desired_slices(service, map(pod_of, before), NODES))

    changes = reconcile(service, [pod_of(n) for n in after], NODES, pieces)
    gone = {p["metadata"]["name"] for p in changes.delete}
    updated = {p["metadata"]["name"]: p for p in changes.update}
    now = [updated.get(p["metadata"]["name"], p) for p in pieces if p["metadata"]["name"] not in gone]
    now += [{**p, "metadata": {**p["metadata"], "name": f"new-{i}"}} for i, p in enumerate(changes.create)]

    assert addresses(now) == sorted(pod_of(n)["status"]["podIPs"][0]["ip"] for n in after)
    assert all(len(p["endpoints"]) <= MAX_ENDPOINTS for p in now)
    assert now, "a Service has at least one slice"
    again = reconcile(service, [pod_of(n) for n in after], NODES, now)
    assert (again.create, again.update, again.delete) == ([], [], [])


@given(numbers=st.sets(st.integers(0, 450), min_size=2, max_size=330), data=st.data())
def test_one_pod_more_or_less_is_one_write(numbers: set[int], data: st.DataObject) -> None:
    service = service_of()
    pieces = named(desired_slices(service, map(pod_of, numbers), NODES))
    one = data.draw(st.sampled_from(sorted(numbers)))
    fewer = reconcile(service, [pod_of(n) for n in numbers - {one}], NODES, pieces)
    assert len(fewer.create) + len(fewer.update) + len(fewer.delete) == 1
    more = reconcile(service, [pod_of(n) for n in numbers | {999}], NODES, pieces)
    assert len(more.create) + len(more.update) + len(more.delete) == 1
