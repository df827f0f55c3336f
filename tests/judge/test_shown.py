"""What nodes show, judged by what a row demands."""

from __future__ import annotations

import json

import pytest

from conformance.judge import expected, judge
from conformance.model.demand import Demand, at_least, at_most, consists_of, either, is_, none
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Expectation, Shows
from conformance.model.verdict import Mismatch, Status, Verdict

CHAINS = consists_of("chains", "a", "b")


def verdict(shows: Shows, **nodes: object) -> Verdict:
    dials = tuple(Dial(End.ANSWERED, endpoint=node, detail=json.dumps(found)) for node, found in nodes.items())
    return judge(Expectation(shows, ()), Observation(dials))


@pytest.mark.parametrize(
    ("demand", "right", "wrong"),
    [
        (is_("x", 1), ["1", 1], ["0", "", "11", ["1"]]),
        (at_least("x", "5.13"), ["5.13", "5.13.0-rc1", "5.15.0-94-generic", "6"], ["5.12.99", "5", "4.19", "", "new"]),
        (at_least("x", 300), [300, "432000"], [299, "0"]),
        (at_most("x", 90), [0, 90], [91]),
        (none("x"), [[]], [["a"], "a"]),
        (consists_of("x", "a", "b"), [["a", "b"], ["b", "a"]], [["a"], ["a", "b", "b"], ["a", "b", "c"], []]),
    ],
)
def test_a_demand_is_met_or_not(demand: Demand, right: list[object], wrong: list[object]) -> None:
    assert {verdict(Shows((demand,)), n={"x": value}).status for value in right} == {Status.PASSED}
    failed = [verdict(Shows((demand,)), n={"x": value}) for value in wrong]
    assert {(one.status, one.mismatch) for one in failed} == {(Status.FAILED, Mismatch.UNFIT_NODE)}


def test_one_of_several_is_enough() -> None:
    shows = Shows((either(at_least("kernel", "6.1"), is_("liberal", 1)),))
    assert verdict(shows, a={"kernel": "6.1", "liberal": 0}).status is Status.PASSED
    assert verdict(shows, a={"kernel": "5.15", "liberal": 1}).status is Status.PASSED
    failed = verdict(shows, a={"kernel": "5.15", "liberal": 0})
    assert failed.message == "a: kernel is 5.15 and liberal is 0; promised was kernel at least 6.1 or liberal is 1"


def test_every_wrong_node_is_named_and_few_are_told() -> None:
    found = {f"n{i}": {"left": ["KUBE-SERVICES", "KUBE-FORWARD"] if i else []} for i in range(6)}
    said = verdict(Shows((none("left"),)), **found).message
    assert said.startswith("n1: of left there is KUBE-SERVICES, KUBE-FORWARD; promised was no left; n2: ")
    assert said.endswith("; and 2 more nodes")


def test_what_lacks_in_a_list_is_told() -> None:
    assert verdict(Shows((CHAINS,)), n={"chains": ["a", "x"]}).message == (
        "n: of chains there is x and there is no b; promised was chains: a, b"
    )
    assert "one is there twice" in verdict(Shows((CHAINS,)), n={"chains": ["a", "a", "b"]}).message


def test_a_node_that_could_not_be_read_hides_no_wrong_one_and_lets_none_pass() -> None:
    fine = Dial(End.ANSWERED, endpoint="a", detail=json.dumps({"x": "1"}))
    wrong = Dial(End.ANSWERED, endpoint="b", detail=json.dumps({"x": "0"}))
    lost = Dial(End.ERROR, endpoint="c", detail="c: gone")
    shows = Expectation(Shows((is_("x", 1),)), ())
    assert judge(shows, Observation((fine, lost))).status is Status.UNKNOWN
    assert judge(shows, Observation((lost,))).status is Status.UNKNOWN
    assert judge(shows, Observation((fine, wrong, lost))).status is Status.FAILED


def test_a_reading_that_is_not_there_is_a_mistake_of_the_kit() -> None:
    with pytest.raises(KeyError):
        verdict(Shows((is_("typing eror", 1),)), n={"x": 1})


def test_demands_in_words() -> None:
    assert expected(Shows((is_("x", 1), none("leftovers"), CHAINS))) == (
        "on every node x is 1, no leftovers, chains: a, b"
    )
