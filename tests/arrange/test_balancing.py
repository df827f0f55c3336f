"""Addresses that the kit gives Services of type LoadBalancer itself: distinct, in range, and only where it shall."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from conformance.arrange.arrangement import Arrangement
from conformance.arrange.balancing import FEWEST, POOLS, Balancing, Mode, pools
from conformance.arrange.manifests import namespace
from conformance.arrange.run import Run
from conformance.arrange.services import Services
from conformance.cluster.api import Cluster
from conformance.cluster.connection import connect
from conformance.errors import UsageError
from conformance.model.addresses import Family
from conformance.model.case import IngressSpec, on, service
from conformance.model.kube import ServiceType
from conformance.plan import imagine

BOTH = (Family.IPV4, Family.IPV6)
WANTS = service(ServiceType.LOAD_BALANCER, on(), called="wants")
HAS = service(ServiceType.LOAD_BALANCER, on(), called="has", ingress=(IngressSpec(),))
SENTINEL = service(endpoints=on(), called="sentinel")


def given(balancing: Balancing, number: int, *families: Family) -> list[str]:
    return [e["ip"] for e in balancing.status(number, families)["status"]["loadBalancer"]["ingress"]]


def test_services_of_processes_side_by_side_get_different_addresses_in_range() -> None:
    sides = [Balancing(Mode.STATUS_PATCH, ("10.9.0.0/26", POOLS[1]), (index, 2)) for index in (0, 1)]
    found = [given(side, number, *BOTH) for side in sides for number in range(FEWEST // 2 - 1)]
    assert len({v4 for v4, _ in found}) == len(found) == len({v6 for _, v6 in found})
    network = ip_network("10.9.0.0/26")
    assert all(ip_address(v4) in set(network.hosts()) for v4, _ in found)
    assert given(sides[0], 3, Family.IPV6) == ["2001:db8:192::7"]


def test_a_range_replaces_the_one_of_its_family() -> None:
    assert pools(()) == POOLS
    assert pools(("10.9.0.0/24",)) == ("10.9.0.0/24", POOLS[1])
    assert pools(("fd00:9::/64", "10.9.0.0/24")) == ("10.9.0.0/24", "fd00:9::/64")
    for text in ("10.9.0.1/24", "10.9.0.0/28", "many"):
        with pytest.raises(UsageError, match=f"--lb-range '?{text}"):
            pools((text,))


@pytest.fixture(scope="module", name="cluster")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """An API server and its controllers, none of which balances."""
    state = tmp_path_factory.mktemp("api")
    kubeconfig = state / "kubeconfig"
    words = ("conformance.lab.api", "--listen", "127.0.0.1:0", "--state", str(state))
    server = _started(kubeconfig, *words)
    controllers = _started(kubeconfig, "conformance.lab.controllers", "--kubeconfig", str(kubeconfig))
    yield connect(kubeconfig)
    for process in (controllers, server):
        process.terminate()
        process.wait(20)


def _started(awaited: Path, module: str, *arguments: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not awaited.exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    return process


@pytest.mark.parametrize(
    ("mode", "asked", "wanted"),
    [
        (Mode.STATUS_PATCH, True, ["192.0.2.1", "2001:db8:192::1"]),
        (Mode.AUTO, False, ["192.0.2.1", "2001:db8:192::1"]),
        (Mode.NONE, True, []),
    ],
)
def test_who_gives_addresses(cluster: Cluster, mode: Mode, asked: bool, wanted: list[str]) -> None:
    run = Run(balancing=Balancing(mode))
    with Arrangement(cluster, run, "print()") as arrangement:
        arrangement.create([namespace(run, run.namespace, privileged=False)])
        here = imagine.scenes([(WANTS, HAS)])[0].here
        # In AUTO a controller has been waited for in vain before.
        services = Services(arrangement, _balanced=mode is not Mode.AUTO)
        services.become([WANTS, HAS], here, SENTINEL)
        found = {s["metadata"]["name"]: s for s in arrangement.services()}
        ingress = found["wants"]["status"].get("loadBalancer", {}).get("ingress") or []
        assert [each["ip"] for each in ingress] == wanted
        assert ("loadBalancerClass" in found["wants"]["spec"]) is asked
        assert "198.51.100" in str(found["has"]["status"])
