"""What the engine makes of policies lets pass exactly what another reader of them, the oracle's, lets pass."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.lab.policy.compiling import Direction, Isolation, compile_policies
from conformance.lab.policy.rendering import TABLE, transaction
from conformance.lab.policy.view import world
from conformance.model.addresses import Protocol, contains
from conformance.model.parse_policies import policed
from conformance.oracle.network_policy import admits, may_dial

Json = dict[str, Any]

_SPACES = ("red", "blue")
_LABELS: tuple[dict[str, str], ...] = ({}, {"app": "a"}, {"app": "b"}, {"app": "a", "tier": "x"})
_PORTS = (79, 80, 81, 90, 8080)
_PROTOCOLS = ("TCP", "UDP", "SCTP")


def _pod(number: int) -> Json:
    name = {"name": "web", "protocol": _PROTOCOLS[number % 2], "containerPort": 80 + number % 2}
    return {
        "metadata": {"name": f"p{number}", "namespace": _SPACES[number % 2], "labels": _LABELS[number % 4]},
        "spec": {"nodeName": f"n{number // 4}", "containers": [{"ports": [name]}], "hostNetwork": number == 7},
        "status": {"podIPs": [{"ip": f"10.0.0.{number + 1}"}, {"ip": f"fd00::{number + 1}"}]},
    }


_PODS = [_pod(number) for number in range(8)]
_NAMESPACES = [{"metadata": {"name": name, "labels": {"color": name}}} for name in _SPACES]
_ADDRESSES = [ip["ip"] for pod in _PODS for ip in pod["status"]["podIPs"]] + ["192.0.2.1", "192.0.2.9", "2001:db8::9"]

_selectors = st.one_of(
    st.sampled_from(({}, {"matchLabels": {"app": "a"}}, {"matchLabels": {"tier": "x"}})),
    st.builds(
        lambda key, operator, values: {"matchExpressions": [{"key": key, "operator": operator, "values": values}]},
        st.sampled_from(("app", "tier")),
        st.sampled_from(("In", "NotIn")),
        st.lists(st.sampled_from(("a", "b", "x")), min_size=1, max_size=2),
    ),
    st.sampled_from(tuple({"matchExpressions": [{"key": "app", "operator": o}]} for o in ("Exists", "DoesNotExist"))),
)
_spaces = st.sampled_from(({}, *({"matchLabels": {"color": name}} for name in _SPACES)))
_blocks = st.sampled_from(
    (
        {"cidr": "0.0.0.0/0"},
        {"cidr": "::/0", "except": ["fd00::/64"]},
        {"cidr": "10.0.0.0/29", "except": ["10.0.0.2/32", "10.0.0.4/31"]},
        {"cidr": "192.0.2.0/24", "except": ["192.0.2.9/32"]},
        {"cidr": "2001:db8::/32"},
    )
)
_peers = st.one_of(
    st.builds(lambda s: {"podSelector": s}, _selectors),
    st.builds(lambda s: {"namespaceSelector": s}, _spaces),
    st.builds(lambda p, n: {"podSelector": p, "namespaceSelector": n}, _selectors, _spaces),
    st.builds(lambda b: {"ipBlock": b}, _blocks),
)
_numbers = st.sampled_from(({}, {"port": 80}, {"port": 80, "endPort": 90}, {"port": "web"}, {"port": 8080}))
_ports = st.builds(lambda p, n: {"protocol": p, **n}, st.sampled_from(_PROTOCOLS), _numbers)


def _rules(side: str) -> st.SearchStrategy[list[Json]]:
    both = st.fixed_dictionaries(
        {}, optional={side: st.lists(_peers, max_size=2), "ports": st.lists(_ports, max_size=2)}
    )
    # What a name means at an address that is no pod's is left open: nobody asks.
    return st.lists(both.filter(lambda r: side == "from" or not _names_beyond(r)), max_size=2)


def _names_beyond(rule: Json) -> bool:
    named = any(isinstance(p.get("port"), str) for p in rule.get("ports", ()))
    return named and any("ipBlock" in peer for peer in rule.get("to", ()))


_policies = st.lists(
    st.builds(
        lambda space, selector, rest: {
            "metadata": {"name": "p", "namespace": space},
            "spec": {"podSelector": selector, **rest},
        },
        st.sampled_from(_SPACES),
        _selectors,
        st.fixed_dictionaries(
            {},
            optional={
                "ingress": _rules("from"),
                "egress": _rules("to"),
                "policyTypes": st.sampled_from((["Ingress"], ["Egress"], ["Ingress", "Egress"])),
            },
        ),
    ),
    max_size=3,
)


def _passes(rules: tuple[Isolation, ...], way: Direction, pod: str, peer: str, port: int, protocol: str) -> bool:
    for one in rules:
        if one.direction is way and pod in one.addresses:
            return any(
                (a.peers is None or any(contains(p, peer) for p in a.peers))
                and not any(contains(e, peer) for e in a.excepts)
                and (a.spans is None or any(s.protocol == protocol and s.first <= port <= s.last for s in a.spans))
                for a in one.allows
            )
    return True


@settings(max_examples=120, deadline=None)
@given(_policies, st.sampled_from(_ADDRESSES), st.sampled_from(_PORTS), st.sampled_from(_PROTOCOLS))
def test_two_readers_agree(policies: list[Json], peer: str, port: int, protocol: str) -> None:
    now, read = world(policies, _PODS, _NAMESPACES), policed(policies, _PODS, _NAMESPACES)
    for pod in read.pods:
        if pod.host_network:
            continue
        rules = compile_policies(now, pod.node)
        for own in pod.addresses:
            if (":" in own) == (":" in peer):
                inward = _passes(rules, Direction.INGRESS, own, peer, port, protocol)
                assert inward == admits(read, pod, peer, port, Protocol(protocol)), (pod.name, "from", peer)
                outward = _passes(rules, Direction.EGRESS, own, peer, port, protocol)
                assert outward == may_dial(read, pod, peer, port, Protocol(protocol)), (pod.name, "to", peer)


@settings(max_examples=15, deadline=None)
@given(_policies)
def test_nft_takes_whatever_is_written(policies: list[Json]) -> None:
    text = "".join(transaction(compile_policies(world(policies, _PODS, _NAMESPACES), node)) for node in ("n0", "n1"))
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", "nft", "-f", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\n{text}"


def test_without_a_policy_there_is_no_table() -> None:
    assert (
        transaction(compile_policies(world([], _PODS, _NAMESPACES), "n0")) == f"table {TABLE}\ndelete table {TABLE}\n"
    )


@pytest.mark.parametrize(("phase", "isolated"), [("Running", True), ("Succeeded", False), ("Failed", False)])
def test_a_pod_that_has_ended_has_no_address(phase: str, isolated: bool) -> None:
    pod = {**_PODS[0], "status": {**_PODS[0]["status"], "phase": phase}}
    deny = {"metadata": {"name": "p", "namespace": "red"}, "spec": {"podSelector": {}}}
    assert bool(compile_policies(world([deny], [pod], _NAMESPACES), "n0")) is isolated


def test_an_isolated_pod_still_learns_its_neighbours_link_addresses() -> None:
    deny = {"metadata": {"name": "p", "namespace": "red"}, "spec": {"podSelector": {}}}
    text = transaction(compile_policies(world([deny], _PODS, _NAMESPACES), "n0"))
    hook = text[text.index("chain forward") :]
    assert hook.index("nd-neighbor-advert } accept") < hook.index("jump policies")
