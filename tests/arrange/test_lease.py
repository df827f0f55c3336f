"""Two runs cannot disturb one cluster: against the embedded API server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.arrange.lease import Lease, LeaseHeld, check_free, check_holding, expired
from conformance.arrange.run import MANAGED_BY, RUN
from conformance.cluster.api import Cluster
from conformance.cluster.connection import connect
from tests.lab.api.apiserver import running

PATH = "/apis/coordination.k8s.io/v1/namespaces/default/leases/nftconform"


@pytest.fixture(scope="module", name="cluster")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("lease")) as server:
        yield connect(server.kubeconfig)


def test_one_holds_it_and_the_other_learns_who_and_since_when(cluster: Cluster) -> None:
    with Lease(cluster, "alice") as mine:
        held = cluster.get(PATH)
        assert held["metadata"]["labels"].keys() >= {MANAGED_BY, RUN}
        since = held["spec"]["acquireTime"]
        for other in (lambda: Lease(cluster, "bob").__enter__(), lambda: check_free(cluster)):
            with pytest.raises(LeaseHeld) as refused:
                other()
            assert f"alice disturbs this cluster on purpose since {since}" in refused.value.cause
        check_holding(cluster, mine.holder)
        with pytest.raises(LeaseHeld, match="no more"):
            check_holding(cluster, "bob")
    assert cluster.find(PATH) is None
    check_free(cluster)


def test_it_is_renewed_while_it_is_held(cluster: Cluster) -> None:
    with Lease(cluster, "alice", duration=1.5):
        first = cluster.get(PATH)["spec"]
        deadline = time.monotonic() + 60
        while cluster.get(PATH)["spec"]["renewTime"] == first["renewTime"] and time.monotonic() < deadline:
            time.sleep(0.1)
        second = cluster.get(PATH)["spec"]
    assert second["renewTime"] > first["renewTime"]
    assert second["acquireTime"] == first["acquireTime"]


def test_what_was_not_renewed_in_time_is_taken_over_and_not_given_back_by_its_former_holder(cluster: Cluster) -> None:
    first = Lease(cluster, "killed", duration=1.0)
    first._object = first._take()  # held by somebody who renews nothing
    deadline = time.monotonic() + 60
    while not expired(cluster.get(PATH), datetime.now(UTC)) and time.monotonic() < deadline:
        time.sleep(0.1)
    with Lease(cluster, "heir"):
        check_holding(cluster, "heir")
        first.__exit__(None, None, None)
        check_holding(cluster, "heir")
    assert cluster.find(PATH) is None


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"holderIdentity": "x", "renewTime": "soon", "leaseDurationSeconds": 60},
        {"holderIdentity": "x", "renewTime": "2199-01-01T00:00:00", "leaseDurationSeconds": 60},
        {"holderIdentity": "", "renewTime": "2199-01-01T00:00:00Z", "leaseDurationSeconds": 60},
        {"holderIdentity": "x", "renewTime": "2199-01-01T00:00:00Z", "leaseDurationSeconds": None},
    ],
)
def test_a_lease_that_says_nothing_is_free(spec: dict[str, Any]) -> None:
    assert expired({"spec": spec}, datetime.now(UTC))
