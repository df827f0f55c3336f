"""What runs left is found by its labels and removed, once and again, against the embedded API server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from conformance.arrange.arrangement import AT_ONCE, Arrangement, LeftBehind
from conformance.arrange.cleanup import namespaces, remove, remove_older
from conformance.arrange.manifests import namespace, service
from conformance.arrange.run import Run
from conformance.arrange.services import Services
from conformance.cluster.api import Cluster
from conformance.cluster.connection import connect
from conformance.cluster.paths import kind
from conformance.errors import ClusterError
from conformance.model.case import ServiceSpec, on
from conformance.model.kube import ServiceType
from conformance.plan import imagine
from tests.cluster.cable import Cable


def test_an_arrangement_leaves_nothing(cluster: Cluster) -> None:
    run = Run()
    with pytest.raises(KeyboardInterrupt), Arrangement(cluster, run, "print()") as arrangement:
        arrangement.create([namespace(run, run.namespace, privileged=False)])
        specs = tuple(ServiceSpec(ServiceType.NODE_PORT, on(*roles)) for roles in ("", "a"))
        here = imagine.scenes([specs])[0].here
        made = arrangement.create(service(run, spec, here) for spec in specs)
        assert [m["metadata"]["name"] for m in made] == ["np-none", "np-web-a"]
        assert len(arrangement.services()) == 2
        raise KeyboardInterrupt
    assert remove(cluster, run.id) in ([], [run.namespace])
    assert namespaces(cluster) == []
    assert remove(cluster, run.id) == []


def test_a_service_that_a_killed_run_held_back_keeps_nobody(cluster: Cluster) -> None:
    run, here = Run(), imagine.scenes([(ServiceSpec(),)])[0].here
    cluster.create("/api/v1/namespaces", namespace(run, run.namespace, privileged=False))
    made = service(run, ServiceSpec(), here)
    made["metadata"]["finalizers"] = ["nftconform.io/held"]
    path = kind("Service").path(run.namespace)
    cluster.create(path, made)
    cluster.delete(f"{path}/{made['metadata']['name']}")
    assert cluster.get(f"{path}/{made['metadata']['name']}")["metadata"]["deletionTimestamp"]
    assert remove(cluster, run.id) == [run.namespace]
    assert namespaces(cluster) == []


def test_only_old_runs_are_removed_by_age(cluster: Cluster) -> None:
    run = Run()
    cluster.create("/api/v1/namespaces", namespace(run, run.namespace, privileged=False))
    cluster.create("/api/v1/namespaces", namespace(run, run.host_namespace, privileged=True))
    assert remove_older(cluster, timedelta(hours=1)) == []
    assert sorted(remove_older(cluster, timedelta(0))) == [run.namespace, run.host_namespace]
    assert namespaces(cluster) == []


def test_a_change_that_was_not_carried_through_is_begun_anew(
    cluster: Cluster, kubeconfig: Path, tmp_path: Path
) -> None:
    run, left = Run(), list[LeftBehind]()
    first, second, third, sentinel = (ServiceSpec(called=name) for name in ("one", "two", "three", "sentinel"))
    here = imagine.scenes([(first, second, third, sentinel)])[0].here
    cluster.create("/api/v1/namespaces", namespace(run, run.namespace, privileged=False))
    with Cable(kubeconfig) as cable:
        lossy = connect(cable.kubeconfig(tmp_path / "config"), patience=0.0)
        with Arrangement(lossy, run, "print()", tell=left.append) as arrangement:
            services = Services(arrangement)
            services.become([first], here, sentinel)
            cable.close()
            with pytest.raises(ClusterError, match="connection refused"):
                services.become([first, second], here, sentinel)
            cable.mend()
            lossy.outage.over()
            services.become([third], here, sentinel)
            assert {s["metadata"]["name"].split("-")[0] for s in arrangement.services()} == {"last", "three"}
            cable.close()
    assert [run.namespace in str(one) and "nftconform cleanup" in str(one) for one in left] == [True]
    assert remove(cluster, run.id) == [run.namespace]


def test_sixty_services_are_created_side_by_side_over_a_few_connections(kubeconfig: Path, tmp_path: Path) -> None:
    run = Run()
    with Cable(kubeconfig) as cable:
        cluster = connect(cable.kubeconfig(tmp_path / "config"))
        with Arrangement(cluster, run, "print()") as arrangement:
            arrangement.create([namespace(run, run.namespace, privileged=False)])
            spec = ServiceSpec(ServiceType.CLUSTER_IP, on())
            body = service(run, spec, imagine.scenes([(spec,)])[0].here)
            arrangement.create({**body, "metadata": {**body["metadata"], "name": f"s{i}"}} for i in range(60))
            assert len(arrangement.services()) == 60
        cluster.close()
        assert 1 < cable.taken <= AT_ONCE


def test_an_interrupt_ends_the_run_and_not_its_clean_up(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    run, deleted = Run(), list[str]()
    delete = cluster.delete

    def interrupted(path: str) -> bool:
        deleted.append(path)
        if len(deleted) == 2:
            raise KeyboardInterrupt
        return delete(path)

    with pytest.raises(KeyboardInterrupt), Arrangement(cluster, run, "print()") as arrangement:
        arrangement.create(namespace(run, name, privileged=True) for name in (run.namespace, run.host_namespace))
        monkeypatch.setattr(cluster, "delete", interrupted)
    monkeypatch.undo()
    assert [n for n in namespaces(cluster) if n["status"].get("phase") != "Terminating"] == []
