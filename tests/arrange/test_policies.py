"""NetworkPolicies of a run at a real API, and whether anybody enforces them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from conformance.arrange import manifests
from conformance.arrange.arrangement import Arrangement
from conformance.arrange.policies import Policies, gates
from conformance.arrange.run import Run
from conformance.cluster.api import Cluster
from conformance.cluster.paths import kind
from conformance.model.addresses import Protocol
from conformance.model.case import (
    PolicySpec,
    Space,
    allow,
    allowed_ports,
    block,
    cluster_ip,
    endpoint,
    host,
    pod,
    pods,
    policy,
    service,
    ward,
)
from conformance.model.case.backend import Breed
from conformance.model.observation import Dial, End, Observation
from conformance.model.policy_manifest import POD_LABEL, network_policy
from conformance.model.surroundings import Surroundings
from conformance.plan import imagine
from conformance.probe.prober import Asked, Prober, Seen
from fixtures.policing import Policing

DENY = policy("deny", ward("b", 1))
SERVED = service(endpoints=ward("b", 1), called="served")
HERE = imagine.scenes([(SERVED,)], wards=(*gates("ab"), *ward("a", 2)))[0].here


@pytest.fixture
def arrangement(cluster: Cluster) -> Iterator[Arrangement]:
    run = Run()
    with Arrangement(cluster, run, "print()") as there:
        there.create(manifests.namespace(run, name, privileged=False) for name in run.spaces.values())
        yield there


def test_what_is_not_said_is_left_out() -> None:
    made = network_policy(DENY, HERE)
    about = {"matchExpressions": [{"key": POD_LABEL, "operator": "In", "values": ["ward-1-b"]}]}
    assert made["spec"] == {"podSelector": about}
    assert network_policy(policy("all", ()), HERE)["spec"] == {"podSelector": {}}


def test_roles_become_labels_addresses_and_ports() -> None:
    caller = endpoint("a", breed=Breed.WARD, number=2)
    ports = allowed_ports(Protocol.TCP, around=(-3, 0)) + allowed_ports(Protocol.UDP, number="udp")
    spec = policy(
        "rich",
        ward("b", 1),
        ingress=(allow(pods(pod("a"), caller), pods(space=Space.OTHER), ports=ports), allow()),
        egress=(allow(block(cluster_ip(of="served")), block(host("a")), block(excepting=(pod("b"),))),),
    )
    body = network_policy(spec, HERE)["spec"]
    mine, others = body["ingress"][0]["from"]
    assert mine["podSelector"]["matchExpressions"][0]["values"] == ["client-a", "ward-2-a"]
    assert others == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "imagined-host"}}}
    assert body["ingress"][0]["ports"] == [
        {"protocol": "TCP", "port": HERE.backend_port - 3, "endPort": HERE.backend_port},
        {"protocol": "UDP", "port": "udp"},
    ]
    assert body["ingress"][1] == {}
    cidrs = [peer["ipBlock"]["cidr"] for peer in body["egress"][0]["to"]]
    assert {f"{a}/32" for a in HERE.last["served"].cluster_ips if "." in a} < set(cidrs)
    node = HERE.nodes["a"]
    assert {f"{a}/{128 if ':' in a else 32}" for a in (*node.addresses, *node.local)} < set(cidrs)
    excepted = [peer["ipBlock"] for peer in body["egress"][0]["to"] if "except" in peer["ipBlock"]]
    assert [one["cidr"] for one in excepted] == ["0.0.0.0/0", "::/0"]


def test_policies_come_change_and_go(arrangement: Arrangement) -> None:
    policies, elsewhere = Policies(arrangement), policy("elsewhere", (), space=Space.OTHER)
    policies.become([DENY, elsewhere], HERE)
    before = {p["metadata"]["name"]: p for p in policies.stored()}
    assert before["elsewhere"]["metadata"]["namespace"] == arrangement.run.host_namespace
    policies.become([DENY.but(ingress=(allow(),))], HERE)
    (after,) = policies.stored()
    assert after["metadata"]["uid"] == before["deny"]["metadata"]["uid"]
    assert after["spec"]["ingress"] == [{}]
    policies.become([], HERE)
    assert policies.stored() == []


def test_a_policy_that_somebody_else_made_in_the_runs_namespace_counts(arrangement: Arrangement) -> None:
    foreign = network_policy(policy("default-deny", ()), HERE)
    arrangement.cluster.create(kind("NetworkPolicy").path(arrangement.run.namespace), foreign)
    assert [p["metadata"]["name"] for p in Policies(arrangement).stored()] == ["default-deny"]


def test_a_policy_that_the_api_refuses_is_lacking_and_the_others_are_there(arrangement: Arrangement) -> None:
    policies = Policies(arrangement)
    wrong = PolicySpec("wrong", ward("b", 1), types=("Sideways",))
    policies.become([wrong, DENY], HERE)
    assert [p["metadata"]["name"] for p in policies.stored()] == ["deny"]
    assert "policyTypes" in policies.lacking.pop("wrong")
    assert not policies.lacking


class Behind(Prober):
    """Every dial is answered, but while the gates are closed none of those that ``followed``; ``cut`` never are."""

    def __init__(self, policies: Policies, followed: tuple[str, ...], cut: tuple[str, ...] = ()) -> None:
        super().__init__([])
        self.policies, self.followed, self.cut = policies, followed, cut

    def sweep(self, asked: Asked) -> Iterator[Seen]:
        for request in (r for requests in asked.values() for r in requests):
            gate = request.key.split()[0]
            silent = gate in self.cut or (self.policies.closed and gate in self.followed)
            end = Dial(End.TIMEOUT) if silent else Dial(End.ANSWERED, endpoint="gate")
            yield request.key, Observation((end,))


def _policing(arrangement: Arrangement, *followed: str, cut: tuple[str, ...] = ()) -> tuple[Policing, list[str]]:
    policies, said = Policies(arrangement), list[str]()
    return Policing(policies, Behind(policies, followed, cut), "ab", said.append, patience=0.5), said


def test_gates_show_when_policies_are_in_force(arrangement: Arrangement) -> None:
    policing, said = _policing(arrangement, "gate-a", "gate-b")
    assert policing.enforced(HERE).value is True
    policing.become([DENY], HERE)
    assert [p["metadata"]["name"] for p in policing.policies.stored()] == ["deny"]
    policing.become([DENY], HERE)
    assert not policing.policies.closed
    assert not said


def test_where_no_gate_closes_nothing_enforces_policies(arrangement: Arrangement) -> None:
    policing, _ = _policing(arrangement)
    fact = policing.enforced(HERE)
    assert fact.value is False
    assert "can be dialled after" in fact.source
    assert policing.policies.stored() == []


def test_who_is_never_answered_does_not_know_whether_policies_are_enforced(arrangement: Arrangement) -> None:
    policing, _ = _policing(arrangement, cut=("gate-a", "gate-b"))
    fact = policing.enforced(HERE)
    assert not fact.known
    assert "without any policy" in fact.source
    assert policing.policies.stored() == []


def test_a_gate_that_is_cut_off_shows_nothing(arrangement: Arrangement) -> None:
    policing, said = _policing(arrangement, cut=("gate-a",))
    assert policing.enforced(HERE).value is False
    assert [line.split(" ")[0] for line in said] == ["gate-a", "gate-b"]


def test_a_node_that_does_not_follow_is_waited_for_once(arrangement: Arrangement) -> None:
    policing, said = _policing(arrangement, "gate-b")
    assert policing.enforced(HERE).value is True
    policing.become([DENY], HERE)
    assert [line.split(" ")[0] for line in said] == ["gate-a"]


def test_who_may_not_make_policies_does_not_know_whether_they_are_enforced(arrangement: Arrangement) -> None:
    elsewhere = replace(arrangement, run=Run("gone00"))
    policing, _ = _policing(elsewhere)
    fact = policing.enforced(HERE)
    assert not fact.known
    assert "gone00" in fact.source


def test_a_dialling_ward_is_known_by_its_own_name() -> None:
    here: Surroundings = HERE
    assert here.clients["endpoint-ward-2-a"].addresses == here.pods["ward-2-a"]
