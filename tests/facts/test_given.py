"""Facts that the user says."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.errors import UsageError
from conformance.facts.given import READERS, given, with_given
from conformance.model.addresses import Family
from conformance.model.cluster import DetectLocal, ProxyMode
from conformance.model.facts import Fact, Facts, unknown
from conformance.model.kube import Node

FACTS = Facts(nodes=Fact((Node("node-a", ("10.0.0.1",)), Node("node-b", ("10.0.0.2",))), "Nodes"))


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("version=v1.36.2", "version", "v1.36.2"),
        ("proxy_mode=nftables", "proxy_mode", ProxyMode.NFTABLES),
        ("proxy-mode = ipvs", "proxy_mode", ProxyMode.IPVS),
        ("detect_local=nodecidr", "detect_local", DetectLocal.NODE_CIDR),
        ("families=IPv6,IPv4", "families", (Family.IPV6, Family.IPV4)),
        ("service_cidrs=10.96.0.0/12, fd00::/112", "service_cidrs", ("10.96.0.0/12", "fd00::/112")),
        ("node_port_addresses=", "node_port_addresses", ()),
        ("node_port_addresses=primary", "node_port_addresses", ("primary",)),
        ("masquerade_all=true", "masquerade_all", True),
        ("cni=calico", "cni", "calico"),
        ("nft_versions=node-a=1.0.9,node-b=1.1.3", "nft_versions", {"node-a": "1.0.9", "node-b": "1.1.3"}),
    ],
)
def test_what_is_said_is_read_by_its_form(text: str, name: str, value: Any) -> None:  # noqa: ANN401
    assert given([text]) == {name: Fact(value, "given")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("proxy_mode", "is not NAME=VALUE"),
        ("proxy_mod=nftables", "There is no fact 'proxy_mod'. Did you mean proxy_mode?"),
        ("dance=yes", "There is no fact 'dance'. There are version, "),
        ("nodes=a", "The fact nodes cannot be given"),
        ("proxy_mode=userspace", "'userspace' is none of nftables, iptables, ipvs"),
        ("masquerade_all=yes", "neither true nor false"),
        ("cni_agent=calico-node", "not NAMESPACE/NAME"),
        ("service_cidrs=ten", "no list of addresses or CIDRs"),
        ("families=", "is empty"),
        ("families=IPv5", "none of IPv4, IPv6"),
        ("version=latest", "no version such as"),
        ("kernels=6.1.0", "not NODE=VALUE"),
        ("cni=", "is empty"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        given([text])
    assert words in str(refused.value)


def test_what_is_given_wins_over_what_was_and_what_will_be_learned() -> None:
    facts = with_given(FACTS, ["proxy_mode=iptables", "proxy_mode=ipvs", "kernels=node-a=6.1"])
    assert facts.proxy_mode == Fact(ProxyMode.IPVS, "given")
    later = facts.learned(proxy_mode=Fact(ProxyMode.NFTABLES, "agents"), pod_masquerade=Fact(True, "agents"))
    assert later.proxy_mode == Fact(ProxyMode.IPVS, "given")
    assert later.pod_masquerade == Fact(True, "agents")


def test_a_node_that_is_not_there_is_refused_unless_no_node_is_known() -> None:
    with pytest.raises(UsageError, match=r"no Ready node node-c.*node-a, node-b"):
        with_given(FACTS, ["kernels=node-c=6.1"])
    assert with_given(Facts(nodes=unknown("x")), ["kernels=node-c=6.1"]).kernels.known


def test_all_but_nodes_and_what_lies_on_them_can_be_given() -> None:
    assert {name for name, _ in Facts().items()} - set(READERS) == {"nodes", "local_addresses"}
