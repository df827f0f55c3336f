"""Roles, IDs and exclusions: the plan is stable and says why it leaves something out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain

import pytest

from conformance.model.addresses import Family
from conformance.model.case import Ask, Case, Dialling, Level, Matrix, Profile, Vantage
from conformance.model.cell import Cell, Excluded
from conformance.model.client import ClientKind
from conformance.model.cluster import ProxyMode
from conformance.model.kube import Node
from conformance.plan.cells import plan
from conformance.plan.imagine import LANDSCAPE
from conformance.plan.landscape import ExternalSite, Landscape, cast
from fixtures.catalogue import Area, areas


def _planned(landscape: Landscape) -> list[Cell | Excluded]:
    return list(chain.from_iterable(plan(a.cases, a.matrices, a.name, landscape) for a in areas()))


SINGLE_STACK = {"API-24"}
"""What a dual-stack cluster cannot be asked."""


def test_ids_are_unique() -> None:
    counted = Counter(c.cell.id if isinstance(c, Excluded) else c.id for c in _planned(LANDSCAPE))
    assert [i for i, n in counted.items() if n > 1] == []


def test_the_default_matrix_is_at_least_three_thousand_cells_on_three_nodes() -> None:
    planned = _planned(LANDSCAPE)
    assert sum(isinstance(c, Cell) for c in planned) >= 3000
    assert {c.cell.case for c in planned if isinstance(c, Excluded)} == SINGLE_STACK


def test_a_smaller_cluster_excludes_with_a_fact_and_keeps_every_id() -> None:
    small = Landscape(nodes=("only",), families=(Family.IPV4,))
    planned = _planned(small)
    assert {c.cell.id if isinstance(c, Excluded) else c.id for c in planned} == {
        c.cell.id if isinstance(c, Excluded) else c.id for c in _planned(LANDSCAPE)
    }
    reasons = {c.why for c in planned if isinstance(c, Excluded)}
    assert "this cluster's Services have no IPv6" in reasons
    assert any("needs 2 nodes; this cluster offers 1" in r for r in reasons)
    assert any("--external" in r for r in reasons)
    asked = [c for c in planned if isinstance(c, Cell)]
    assert asked
    assert all(c.family in (None, Family.IPV4) and c.client.role in ("", "a") for c in asked)


def test_an_agent_that_is_not_known_is_not_restarted() -> None:
    excluded = {c.cell.case: c.why for c in _planned(replace(LANDSCAPE, agent=False)) if isinstance(c, Excluded)}
    assert excluded.keys() - SINGLE_STACK == {"RST-05"}
    assert "--fact cni_agent=" in excluded["RST-05"]


def test_another_mode_is_not_asked_for_the_promises_of_nftables() -> None:
    iptables = replace(LANDSCAPE, mode=ProxyMode.IPTABLES)
    excluded = [c for c in _planned(iptables) if isinstance(c, Excluded) and c.cell.case not in SINGLE_STACK]
    own = {r.id for a in areas() for r in _rows(a) if r.profile is Profile.KUBE_PROXY_NFTABLES}
    assert {c.cell.case for c in excluded} == own >= {"CIP-06", "CIPX", "NP-05", "NPS"}
    assert {c.why for c in excluded} == {"a promise of nftables mode; this cluster's kube-proxy is in iptables mode"}
    unknown = _planned(replace(LANDSCAPE, mode=None))
    assert {c.cell.case for c in unknown if isinstance(c, Excluded)} == SINGLE_STACK


def test_an_older_cluster_is_not_asked_for_what_it_does_not_have() -> None:
    old, new, unknown = (
        {c.why for c in _planned(replace(LANDSCAPE, version=version)) if isinstance(c, Excluded)}
        for version in ((1, 33), (2, 0), None)
    )
    assert old - new == {f"needs Kubernetes 1.{minor}; this cluster's is 1.33" for minor in (34, 36)}
    assert new == unknown


def test_an_external_client_that_enters_nowhere_known_is_no_use_for_a_certain_entrance() -> None:
    landscape = Landscape(LANDSCAPE.nodes, LANDSCAPE.families, (ExternalSite("somewhere"),))
    assert landscape.site("") == ExternalSite("somewhere")
    assert landscape.site("a") is None


@pytest.mark.parametrize(
    ("zones", "entrances", "expected"),
    [
        (("z1", "z2", "z3"), (), ("n1", "n2", "n3")),
        (("z1", "z1", "z2", "z3"), (), ("n1", "n3", "n4")),
        (("z1", "z2", "z3", "z4"), ("n4", "n1"), ("n4", "n2", "n1")),
        (("z1",), ("n1", "n1"), ("n1",)),
        (("z1", "z2"), ("n9",), ("n1", "n2")),
    ],
)
def test_roles_are_spread_over_zones_and_begin_where_external_clients_enter(
    zones: tuple[str, ...], entrances: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    nodes = tuple(Node(f"n{i + 1}", (), zone=z) for i, z in enumerate(zones))
    assert cast(nodes, entrances) == expected
    assert cast(tuple(reversed(nodes)), entrances) == expected


def _rows(area: Area) -> list[Case | Matrix]:
    return [*area.cases, *area.matrices]


def test_every_case_cites_a_source_and_the_fault_that_it_catches() -> None:
    cases = [c for a in areas() for c in a.cases]
    assert len(cases) >= 20
    assert [c.id for c in cases if not c.catches] == []
    assert [r.id for a in areas() for r in _rows(a) if not r.sources] == []


def test_a_case_with_an_external_client_says_that_it_needs_one() -> None:
    for area in areas():
        for case in area.cases:
            asked = [step.what for step in case.story if isinstance(step, Ask)]
            external = any(isinstance(w, Dialling) and w.client.kind is ClientKind.EXTERNAL for w in asked)
            assert external == any(n.vantage is Vantage.EXTERNAL for n in case.needs), case.id


def test_what_is_kube_proxys_own_is_never_a_must() -> None:
    own = [r for a in areas() for r in _rows(a) if r.profile is Profile.KUBE_PROXY_NFTABLES]
    assert own
    assert [r.id for r in own if r.level is Level.MUST] == []
