"""What may be why a promise was broken, by what is known of the cluster besides its Services."""

from __future__ import annotations

from datetime import date

import pytest

from conformance.model.cluster import ProxyMode
from conformance.model.facts import Fact, Facts
from conformance.model.verdict import Mismatch
from conformance.preflight.beside import NO_DROPS, beside
from conformance.spec.interplay import known

TODAY = date(2026, 12, 1)
CALICO = Facts(
    proxy_mode=Fact(ProxyMode.NFTABLES, "test"),
    cni=Fact("calico", "test"),
    cni_version=Fact("v3.31.0", "test"),
    cni_dataplane=Fact("iptables", "test"),
    node_local_dns=Fact(True, "test"),
    foreign_drops=Fact({"n1": NO_DROPS, "n2": "inet firewalld filter_FORWARD (filter forward 10 drop)"}, "test"),
)


def words(facts: Facts, mismatch: Mismatch) -> list[str]:
    return [reason.text for reason in beside(facts, mismatch, known(), TODAY)]


def test_a_dataplane_that_does_not_go_with_the_mode_is_named_with_its_source() -> None:
    (reason,) = beside(CALICO, Mismatch.WRONG_SOURCE, known(), TODAY)
    assert reason.text.startswith("may be why: calico, v3.31.0, dataplane iptables: Calico and kube-proxy must both")
    assert reason.source.url.startswith("https://docs.tigera.io/")


@pytest.mark.parametrize(
    ("mismatch", "named"),
    [
        (Mismatch.NOT_REACHED, True),
        (Mismatch.DROPPED_NOT_REFUSED, True),
        (Mismatch.NOT_TOLD, True),
        (Mismatch.WRONG_SOURCE, False),
    ],
)
def test_a_chain_that_drops_is_named_where_packets_got_lost_and_only_there(mismatch: Mismatch, *, named: bool) -> None:
    found = words(CALICO, mismatch)
    chain = "may be why: n2 has inet firewalld filter_FORWARD (filter forward 10 drop)"
    assert [text.startswith(chain) for text in found] == ([False, True] if named else [False])
    assert not any("n1" in text for text in found)


def test_a_cache_on_the_node_is_named_for_names_alone() -> None:
    (text,) = words(CALICO, Mismatch.WRONG_NAME)
    assert text.startswith("may be why: node-local-dns: ")


@pytest.mark.parametrize("mismatch", [Mismatch.NONE, Mismatch.WRONG_DECISION, Mismatch.UNFIT_NODE])
def test_what_no_packet_could_show_has_no_such_cause(mismatch: Mismatch) -> None:
    assert words(CALICO, mismatch) == []


def test_in_another_mode_or_where_all_goes_together_there_is_nothing_to_say() -> None:
    matching = CALICO.learned(cni_dataplane=Fact("nftables", "test"), foreign_drops=Fact({"n2": NO_DROPS}, "test"))
    assert words(matching, Mismatch.NOT_REACHED) == []
    assert words(CALICO.learned(proxy_mode=Fact(ProxyMode.IPTABLES, "test")), Mismatch.NOT_REACHED) == []
