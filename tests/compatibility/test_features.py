"""What is read out of a result is what its cell was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.compatibility.features import Place, features
from conformance.model.cell import Cell
from conformance.model.client import ClientKind
from conformance.model.result import Account, Result, result
from conformance.model.source import Reason
from conformance.model.verdict import Mismatch, Status
from conformance.plan.cells import cells_of_case, cells_of_matrix
from conformance.spec.causes import VALUES, Feature
from conformance.spec.sources import SERVICE_TYPE
from fixtures.catalogue import areas
from tests.reports.runs import a_result

WHERE = Place({"a": "n1", "b": "n2", "c": "n3"}, frozenset({"10.0.0.2"}), ("10.244.0.0/16", "no network"))


def of(one: Result) -> dict[str, set[str]]:
    return {feature.value: set(values) for feature, values in features(one, WHERE).items()}


def told(due: str, observed: str = "5/5 silent", *, decides: str = "") -> Account:
    reasons = (Reason(f"x, so the rules of {decides} decide", SERVICE_TYPE),) if decides else ()
    return Account("a -> b", "e", observed, reasons, due=due)


def cells() -> list[Cell]:
    found = []
    for area in areas():
        found += [cell for case in area.cases for cell in cells_of_case(case, area.name)]
        # Neighbours in a matrix differ by family and protocol.
        found += [cell for matrix in area.matrices for cell in list(cells_of_matrix(matrix, area.name))[::7]]
    return found


def test_every_cell_of_the_suites_is_understood() -> None:
    for cell in cells():
        found = features(result(cell, Status.NOT_APPLICABLE), WHERE)
        own = cell.client.own_pod
        assert found[Feature.CLIENT] == {"endpoint" if own else cell.client.kind.value}, cell.id
        assert found[Feature.DESTINATION] == {cell.destination.kind.value}, cell.id
        if cell.client.role and cell.client.kind is not ClientKind.API:
            assert found[Feature.CLIENT_NODE] == {WHERE.nodes[cell.client.role]}, cell.id
        question = cell.id.removeprefix(f"{cell.story}.")
        if cell.id != cell.story and "." not in question:
            assert found[Feature.QUESTION] == {question}, cell.id
        for feature, values in VALUES.items():
            assert found.get(feature, frozenset()) <= values, cell.id


@pytest.mark.parametrize(
    ("client", "due", "where", "source"),
    [
        ("pod-a", "answered by web-a, source kept", {"same-node"}, {"kept"}),
        ("pod-a", "answered by web-a, web-b, source changed", {"same-node", "other-node"}, {"changed"}),
        ("endpoint-a", "answered by web-a, source changed", {"self"}, {"changed"}),
        ("endpoint-a", "answered by raw-a", {"same-node"}, set()),
        ("endpoint-raw-a", "answered by raw-a, web-b", {"self", "other-node"}, set()),
        ("node-b", "answered by host-b", {"same-node"}, set()),
        ("external", "answered by web-b, source kept", {"from-outside"}, {"kept"}),
        ("pod-a", "tied to one of fleet-a-1, fleet-a-2", {"same-node"}, set()),
        ("external-a", "answered by web-a, source kept, silence of web-b", {"from-outside"}, {"kept"}),
    ],
)
def test_where_endpoints_are_is_seen_from_the_client(client: str, due: str, where: set[str], source: set[str]) -> None:
    found = of(replace(a_result(1, Status.FAILED, account=told(due)), client=client))
    assert found["endpoint"] == where
    assert found.get("source", set()) == source
    assert found["due"] == {"answered"}


@pytest.mark.parametrize(
    ("due", "word"),
    [
        ("refused by ICMP", "refused"),
        ("dropped", "dropped"),
        ("not answered", "unanswered"),
        ("HTTP 200", "other"),
        ("silence of web-b", "other"),
        ("", "other"),
    ],
)
def test_what_was_due_is_one_word(due: str, word: str) -> None:
    assert of(a_result(1, Status.FAILED, account=told(due)))["due"] == {word}


def test_the_deciding_node_is_the_reasons_or_else_the_one_that_was_dialled_or_the_clients() -> None:
    one = a_result(1, Status.FAILED, account=told("dropped", decides="n3"))
    assert of(one)["node"] == {"n3"}
    unsaid = replace(one, account=told("dropped"))
    assert of(unsaid)["node"] == {"n2"}  # nodePort-b
    assert of(replace(unsaid, destination="clusterIP-badport"))["node"] == {"n1"}  # pod-a


def test_whose_address_was_seen() -> None:
    one = a_result(1, Status.FAILED, account=told("answered by web-a, source kept"))
    message = "web-a saw the client as 10.0.0.2, 10.244.1.1, 192.0.2.1; promised was 10.244.1.7"
    wrong = replace(one, mismatch=Mismatch.WRONG_SOURCE, message=message)
    assert of(wrong)["saw"] == {"node", "pod", "other"}
    assert "saw" not in of(replace(wrong, mismatch=Mismatch.NOT_REACHED))


def test_how_dials_ended_and_how_much_they_carried() -> None:
    account = told("dropped", "3/5 answered by web-a, which saw 10.0.0.2, 1/5 silent, 1/5 ICMP 3/3 from 10.0.0.1")
    one = a_result(1, Status.FAILED, account=account)
    assert of(one)["ended"] == {"answered", "silent", "refused"}
    assert of(one)["size"] == {"small"}
    assert of(replace(one, size=1200))["size"] == {"small"}
    assert of(replace(one, size=2000))["size"] == {"large"}


def test_wires_are_watched_for_every_protocol() -> None:
    one = a_result(1, Status.FAILED, account=told("no packet"))
    assert of(one)["protocol"] == {one.protocol}
    assert "protocol" not in of(replace(one, destination="uplink-a"))


def test_a_cell_that_was_not_asked_has_what_its_id_says() -> None:
    assert "due" not in of(a_result(1, Status.NOT_APPLICABLE))
    assert of(replace(a_result(1, Status.UNKNOWN), client="somebody", destination="somewhere", family=""))["client"]
