"""Where to look first: what failing cells share."""

from __future__ import annotations

from dataclasses import replace

from conformance.model.addresses import Protocol
from conformance.model.client import Destination, DestinationKind
from conformance.model.result import Account, Result, Variant
from conformance.model.verdict import Status
from conformance.oracle import expect
from reports.shared import Trait, traits
from tests.oracle.small import HOST, POD, TWO, cluster
from tests.reports.runs import a_result


def told(results: list[Result]) -> dict[str, str]:
    return {trait.name: trait.value for trait in traits(results)}


def cells(*clients: str, status: Status = Status.PASSED) -> list[Result]:
    return [replace(a_result(i, status), client=client) for i, client in enumerate(clients)]


def test_endpoints_that_cannot_reach_themselves_are_endpoints() -> None:
    failing = cells("endpoint-a", "endpoint-b", status=Status.FAILED)
    passing = cells("endpoint-a", *["pod-a", "pod-b", "node-a"] * 2)
    assert traits([*failing, *passing]) == (Trait("kind of client", "endpoint", 2, 2, 3),)


def test_affinity_that_is_ignored_is_affinity() -> None:
    failing = [replace(one, variant=Variant(affinity=True)) for one in cells("pod-a", "pod-b", status=Status.FAILED)]
    assert told([*failing, *cells("pod-a", "pod-b", "pod-a", "pod-b")]) == {"session affinity": "ClientIP"}


def test_the_node_whose_rules_decide_is_read_from_the_oracles_own_words() -> None:
    cluster_ip = Destination(DestinationKind.CLUSTER_IP, "10.96.0.1", 80, Protocol.TCP, "ns/web", "http")
    account = Account("", "", "", expect(cluster(TWO), POD, cluster_ip).reasons)
    (reason, *_) = account.reasons
    elsewhere = replace(account, reasons=(replace(reason, text=reason.text.replace(f"of {POD.node}", "of node-9")),))
    failing = [replace(one, account=account) for one in cells("pod-a", "node-a", status=Status.FAILED)]
    passing = [replace(one, account=elsewhere) for one in cells("pod-a", "node-a", "pod-b")]
    assert told([*failing, *passing]) == {"node whose rules decide": HOST.node}


def test_nothing_is_said_where_nothing_sets_them_apart() -> None:
    everywhere = [*cells("pod-a", "pod-b", status=Status.FAILED), *cells("pod-a", "pod-b")]
    assert traits(everywhere) == ()
    assert traits(cells("pod-a")) == ()
    assert traits([]) == ()
