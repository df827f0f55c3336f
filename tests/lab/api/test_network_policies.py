"""NetworkPolicies: what is filled in and refused."""

from __future__ import annotations

import pytest

from tests.lab.api.apiserver import Json, Server

PATH = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"


def a_policy(name: str, **spec: object) -> Json:
    return {"metadata": {"name": name}, "spec": {"podSelector": {}, **spec}}


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({}, ["Ingress"]),
        ({"egress": []}, ["Ingress"]),
        ({"egress": [{}]}, ["Ingress", "Egress"]),
        ({"policyTypes": ["Egress"]}, ["Egress"]),
    ],
)
def test_policy_types_are_filled_in(server: Server, spec: Json, types: list[str]) -> None:
    made = server.made(PATH, a_policy(f"types-{len(str(spec))}", **spec))
    assert made["spec"]["policyTypes"] == types
    assert made["metadata"]["generation"] == 1


def test_a_port_is_of_tcp_and_a_cidr_that_was_there_may_stay(server: Server) -> None:
    peer = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}
    made = server.made(
        PATH, a_policy("kept", ingress=[{"from": [peer], "ports": [{"port": "web"}, {"endPort": 9, "port": 8}]}])
    )
    assert [port["protocol"] for port in made["spec"]["ingress"][0]["ports"]] == ["TCP", "TCP"]
    made["spec"]["ingress"][0]["ports"] = []
    assert server.ask("PUT", f"{PATH}/kept", made).body["metadata"]["generation"] == 2


def _port(**port: object) -> Json:
    return {"ingress": [{"ports": [port]}]}


def _to(**peer: object) -> Json:
    return {"egress": [{"to": [peer]}]}


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        (_port(protocol="ICMP"), "spec.ingress[0].ports[0].protocol", 'supported values: "TCP", "UDP", "SCTP"'),
        (_port(port=0), "spec.ingress[0].ports[0].port", "must be between 1 and 65535"),
        (_port(port="Web"), "spec.ingress[0].ports[0].port", "must contain only alpha-numeric characters"),
        (_port(port=80, endPort=79), "spec.ingress[0].ports[0].endPort", "must be greater than or equal to `port`"),
        (_port(port=80, endPort=70000), "spec.ingress[0].ports[0].endPort", "must be between 1 and 65535"),
        (_port(port="web", endPort=80), "spec.ingress[0].ports[0].endPort", "when `port` is non-numeric"),
        (_port(endPort=80), "spec.ingress[0].ports[0].endPort", "when `port` is not specified"),
        (_to(), "spec.egress[0].to[0]", "must specify a peer"),
        (_to(podSelector={}, ipBlock={"cidr": "::/0"}), "spec.egress[0].to[0]", "may not specify both ipBlock and"),
        (_to(ipBlock={}), "spec.egress[0].to[0].ipBlock.cidr", "Required value"),
        (_to(ipBlock={"cidr": "10.0.0.0"}), "spec.egress[0].to[0].ipBlock.cidr", "must be a valid CIDR value"),
        (
            _to(ipBlock={"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}),
            "spec.egress[0].to[0].ipBlock.except[0]",
            "must be a strict subset of `cidr`",
        ),
        (
            _to(ipBlock={"cidr": "10.0.0.0/8", "except": ["fd00::/64"]}),
            "spec.egress[0].to[0].ipBlock.except[0]",
            "must be a strict subset of `cidr`",
        ),
        (
            {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In"}]}},
            "spec.podSelector.matchExpressions[0].values",
            "must be specified when `operator` is 'In' or 'NotIn'",
        ),
        (
            _to(namespaceSelector={"matchExpressions": [{"key": "a b", "operator": "Exists"}]}),
            "spec.egress[0].to[0].namespaceSelector.matchExpressions[0].key",
            "name part must consist of",
        ),
        (
            _to(podSelector={"matchExpressions": [{"key": "app", "operator": "Is"}]}),
            "spec.egress[0].to[0].podSelector.matchExpressions[0].operator",
            "not a valid selector operator",
        ),
        ({"policyTypes": ["Both"]}, "spec.policyTypes[0]", 'supported values: "Ingress", "Egress"'),
        ({"policyTypes": ["Ingress"] * 3}, "spec.policyTypes", "may not specify more than two policyTypes"),
    ],
)
def test_a_bad_policy_is_refused_with_the_field(server: Server, spec: Json, field: str, words: str) -> None:
    answer = server.create(PATH, a_policy("bad", **spec))
    assert answer.code == 422, answer.body
    assert words in answer.causes[field]


def test_a_value_of_the_wrong_type_is_refused(server: Server) -> None:
    answer = server.create(PATH, a_policy("odd", ingress={"from": []}))
    assert answer.code == 400
    assert "NetworkPolicy" in answer.body["message"]


def test_the_table_says_whom_it_is_about(server: Server) -> None:
    server.made(
        PATH, a_policy("shown", podSelector={"matchExpressions": [{"key": "app", "operator": "In", "values": ["b"]}]})
    )
    table = server.ask("GET", f"{PATH}/shown", headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}).body
    assert table["rows"][0]["cells"][:2] == ["shown", "app in (b)"]
