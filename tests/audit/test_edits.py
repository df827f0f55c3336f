"""Edits of what a real kube-proxy wrote: each is found, of the right kind, and about the right object."""

from __future__ import annotations

import pytest

from conformance.audit import Kind
from tests.audit import frame_edits, service_edits
from tests.audit.edits import EDITS, NP_TWO, element
from tests.audit.recorded import Listing

EDITING = (service_edits, frame_edits)
"""Their edits are registered as they are imported."""

DROPPED = {
    "cluster-ips": ("10.96.65.255", "default/cip-two"),
    "service-ips": ("external-YYCCXV47-default/ext-two/tcp/http", "default/ext-two:http"),
    "service-nodeports": ("default/np-two/tcp/http", NP_TWO),
    "no-endpoint-services": ("10.96.161.94", "default/itp-none:http"),
    "no-endpoint-nodeports": ("30567", "default/npl-hostnet:http"),
    "firewall-ips": ("203.0.113.45", "default/lbsr-x1:http"),
    "hairpin-connections": ("10.244.1.11", ""),
    "nodeport-ips": ("172.30.99.11", ""),
}


@pytest.mark.parametrize("container", DROPPED)
def test_a_dropped_element(container: str) -> None:
    word, about = DROPPED[container]
    listing = Listing.of("n1")
    listing.elements(container).remove(element(listing, container, word))
    (finding,) = listing.findings()
    assert (finding.kind, container) == (Kind.MISSING, finding.where.split(" {")[0])
    assert finding.object == about or not about


def test_there_are_enough() -> None:
    assert {finding for finding, _, _ in EDITS.values()} == set(Kind)
    assert all(any(hasattr(module, name) for module in EDITING) for name in EDITS)
    assert len(EDITS) > 60


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_found(name: str) -> None:
    kind, about, edit = EDITS[name]
    listing = Listing.of("n1")
    edit(listing)
    found = [(f.kind, f.object) for f in listing.findings()]
    assert (kind, about) in found, found
    assert len(found) <= 4, found


def test_an_empty_chain_is_about_to_be_deleted() -> None:
    listing = Listing.of("n2")
    listing.add("chain", name="service-AAAAAAAA-default/gone/tcp/http")
    assert listing.findings() == ()
    (finding,) = listing.findings(strict=True)
    assert (finding.kind, finding.object) == (Kind.LEAKED_CHAIN, "default/gone:http")


def test_one_family_wrong_and_the_other_right() -> None:
    listing = Listing.of("n1", "ip6")
    listing.remove(listing.rules("external-*default/np-two/tcp/http")[0])
    assert [(f.kind, f.object) for f in listing.findings()] == [(Kind.ALTERED, NP_TWO)]
    listing.family = "ip"
    assert listing.findings() == ()
