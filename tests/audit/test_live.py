"""The audit of a cluster: what is read when, what is believed, and what is said of nodes that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from kubernetes import client

from conformance.audit import Detail, Kind, Table
from conformance.cluster.api import Cluster
from conformance.cluster.failures import ApiRefused
from conformance.cluster.output import CommandFailed
from conformance.cluster.pods import PodRef
from conformance.errors import ClusterError
from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState
from conformance.model.facts import Facts, unknown
from conformance.model.kube import Node
from fixtures import auditing
from fixtures.auditing import Audited, detail_of, of_cluster, sample
from tests.audit.recorded import NODES, state, table

Tables = dict[Family, Table]
Reading = Callable[[str, int], Tables]
KEY = "default/cip-two"


def recorded(node: str, _: int = 0) -> Tables:
    return {family: table(node, family) for family in Family}


def without_cip_two(node: str) -> Tables:
    found = recorded(node)
    del found[Family.IPV4].containers["cluster-ips"].elements["10.96.65.255",]
    return found


class World:
    """A cluster whose objects and tables are given, reading by reading."""

    def __init__(self, reading: Reading, version: Callable[[int], str] = lambda _: "1") -> None:
        self.looks, self.readings = 0, dict.fromkeys(NODES, 0)
        self._reading, self._version = reading, version

    def look(self, *_: object) -> auditing._Seen:
        self.looks += 1
        return auditing._Seen(state(), {KEY: frozenset({self._version(self.looks)})})

    def tables(self, _: Cluster, proxy: auditing.ProxyPod) -> Tables:
        node = proxy.pod.name
        self.readings[node] += 1
        return self._reading(node, self.readings[node])


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Callable[[World], Audited]:
    def run(world: World) -> Audited:
        proxies = {n: auditing.ProxyPod(PodRef("kube-system", n), "") for n in NODES}
        monkeypatch.setattr(auditing, "PAUSE", 0.0)
        monkeypatch.setattr(auditing, "_look", world.look)
        monkeypatch.setattr(auditing, "_tables", world.tables)
        monkeypatch.setattr(auditing, "gather", lambda _: Facts())
        monkeypatch.setattr(auditing, "configuration", lambda *_: (state().proxy, Detail()))
        monkeypatch.setattr(auditing, "proxy_pods", lambda _: proxies)
        return of_cluster(Cluster(client.Configuration()), (), None, strict=False)

    return run


def test_all_well_is_read_once(live: Callable[[World], Audited]) -> None:
    world = World(recorded)
    assert live(world) == Audited(dict.fromkeys(NODES, ()))
    assert (world.looks, set(world.readings.values())) == (1, {1})


def test_what_stays_is_a_finding(live: Callable[[World], Audited]) -> None:
    world = World(lambda node, _: without_cip_two(node) if node == "n2" else recorded(node))
    found = live(world)
    ((finding,),) = (found.findings["n2"],)
    assert (finding.node, finding.kind, finding.object) == ("n2", Kind.MISSING, f"{KEY}")
    assert not found.findings["n1"]
    assert not found.restless
    assert world.readings == {"n1": 1, "n2": 2, "n3": 1}


def test_what_passes_is_none(live: Callable[[World], Audited]) -> None:
    world = World(lambda node, time: without_cip_two(node) if time == 1 else recorded(node))
    assert live(world) == Audited(dict.fromkeys(NODES, ()))


def test_what_changes_meanwhile_is_read_again(live: Callable[[World], Audited]) -> None:
    world = World(lambda node, _: without_cip_two(node), version=lambda look: str(min(look, 3)))
    found = live(world)
    assert [len(f) for f in found.findings.values()] == [1, 1, 1]
    assert world.looks == 4  # two that agree, after the change


def test_what_never_rests_is_said_and_not_believed(live: Callable[[World], Audited]) -> None:
    found = live(World(lambda node, _: without_cip_two(node), version=str))
    assert found.findings == dict.fromkeys(NODES, ())
    assert found.restless == {KEY}


def test_a_node_that_cannot_be_read(live: Callable[[World], Audited]) -> None:
    def reading(node: str, _: int) -> Tables:
        if node == "n3":
            raise CommandFailed("the stream was cut.", "")
        return recorded(node)

    found = live(World(reading))
    assert found.unread == {"n3": "the stream was cut."}
    assert found.findings == {"n1": (), "n2": ()}


def test_a_node_that_is_lost_while_in_doubt(live: Callable[[World], Audited]) -> None:
    def reading(node: str, time: int) -> Tables:
        if time > 1:
            raise ClusterError("the node is gone.", "")
        return without_cip_two(node)

    found = live(World(reading))
    assert set(found.unread) == set(NODES)
    assert not found.findings


def test_who_may_not_exec_is_told_once(live: Callable[[World], Audited]) -> None:
    def reading(*_: object) -> Tables:
        raise ApiRefused(403, "Forbidden", "may not", "", denied=True)

    with pytest.raises(ApiRefused):
        live(World(reading))


def test_a_sample_is_the_same_each_time_and_of_all_zones() -> None:
    nodes = {f"n{i}": Node(f"n{i}", (), zone=f"z{i % 3}") for i in range(9)}
    whole = ClusterState({}, {}, nodes)
    assert sample(whole, 3) == ("n0", "n1", "n2")
    assert sample(whole, 4)[:3] == sample(whole, 3)
    assert set(sample(whole, None)) == set(sample(whole, 20)) == set(nodes)
    assert sample(replace(whole, nodes=dict(reversed(nodes.items()))), 5) == sample(whole, 5)


def test_what_is_not_known_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "gather", lambda _: Facts(detect_local=unknown("may not read ConfigMaps")))
    with pytest.raises(ClusterError, match="detect_local is: may not read ConfigMaps"):
        of_cluster(Cluster(client.Configuration()), (), None)


CONFIGURATION = """\
kind: KubeProxyConfiguration
nftables: {masqueradeBit: 20}
detectLocal: {bridgeInterface: br0, interfaceNamePrefix: veth}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONFIGURATION, Detail(20, "br0", "veth")),
        ("kind: KubeProxyConfiguration", Detail()),
        ("kind: KubeProxyConfiguration\nnftables: 7\ndetectLocal: []", Detail()),
        ("kind: KubeProxyConfiguration\nnftables: {masqueradeBit: 64}", Detail()),
        ("kind: Config", Detail()),
        ("{", Detail()),
    ],
)
def test_details_of_a_configuration(text: str, expected: Detail) -> None:
    assert detail_of({"kubeconfig.conf": "kind: Config", "config.conf": text}) == expected
