"""What a bench comes to, and two of them compared."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from conformance.measured.comparing import Lost, compare
from conformance.measured.figures import changes, latencies, versus
from conformance.measured.lines import Change, Programmed, Way
from conformance.measured.losses import Rounds
from conformance.measured.statistics import Difference
from tests.measured.benches import DIALS, ROUNDS, bench, losing

LEVEL = 0.5


def test_each_series_is_told_with_its_ratio_to_the_floor() -> None:
    found = latencies(bench({"nftables": 1.2}, 1))
    assert [f.series.way for f in found] == [Way.LOOPBACK, Way.DIRECT, Way.CLUSTER_IP]
    assert [f.to_floor is None for f in found] == [True, True, False]
    assert [f.to_machine is None for f in found] == [True, False, False]
    _, floor, through = found
    assert sum(map(len, through.rounds)) == ROUNDS * DIALS
    assert through.to_floor
    ratio = through.to_floor.quantile(LEVEL)
    assert ratio.low < 1.2 < ratio.high
    assert ratio.high - ratio.low < 0.2
    assert floor.sample.quantile(LEVEL).low < 20_000 < floor.sample.quantile(LEVEL).high


def test_modes_differ_only_where_their_services_do() -> None:
    made = bench({"nftables": 1.1, "iptables": 1.5}, 2)
    found = {v.series.way: v for v in versus(latencies(made), made)}
    assert found[Way.CLUSTER_IP].difference(LEVEL) is Difference.LOWER
    assert found[Way.DIRECT].difference(LEVEL) is Difference.NONE
    assert (found[Way.DIRECT].of, found[Way.DIRECT].to) == ("nftables", "iptables")


def test_a_place_that_is_slow_already_without_rules_is_not_called_slower_for_them() -> None:
    quick, slow = bench({"nftables": 1.2}, 3), bench({"iptables": 1.2}, 3, machine=1.5)
    both = type(quick)(bench({"nftables": 1, "iptables": 1}, 0).header, (*quick.lines, *slow.lines), quick.footer)
    found = {v.series.way: v for v in versus(latencies(both), both)}[Way.CLUSTER_IP]
    assert found.ratio.quantile(LEVEL).difference is Difference.LOWER
    assert found.difference(LEVEL) is Difference.NONE


def test_changes_are_told_by_kind_and_place() -> None:
    (found,) = changes(bench({"nftables": 1.0}, 4))
    assert found.missing == 0
    assert len(found.seconds) == 10
    assert found.sample
    assert 0.1 < found.sample.quantile(LEVEL).value < 0.2


def test_nodes_share_the_luck_of_a_change_also_when_one_of_them_missed_another() -> None:
    every = [
        Programmed("nftables", 100, 1, Change.ENDPOINT, node, seconds, 0.0)
        for seconds in (1.0, 3.0) * 10
        for node in ("node-a", "node-b")
    ]
    first, *others = every
    missed = replace(bench({"nftables": 1.0}, 4), lines=(replace(first, seconds=None), *others))
    (found,) = changes(missed)
    assert (found.missing, len(found.seconds)) == (1, 39)
    assert {len(set(each)) for each in found.rounds} == {1}


def test_two_benches_of_the_same_do_not_differ() -> None:
    found = compare(bench({"nftables": 1.2, "iptables": 1.5}, 5), bench({"nftables": 1.2, "iptables": 1.5}, 6))
    assert len(found.rows) == 12
    assert not found.worse
    assert {row.difference for row in found.rows} == {Difference.NONE}


def test_what_became_slower_is_named_and_nothing_else() -> None:
    found = compare(bench({"nftables": 1.2, "iptables": 1.5}, 7), bench({"nftables": 1.6, "iptables": 1.5}, 8))
    assert {(row.place, row.what) for row in found.worse} == {("nftables", "pod clusterip TCP")}


def test_a_slower_machine_is_no_slower_cluster() -> None:
    found = compare(bench({"nftables": 1.2}, 9), bench({"nftables": 1.2}, 10, machine=1.4))
    through = [row for row in found.rows if row.by_machine]
    assert all(row.ratio.difference is Difference.HIGHER for row in through)
    assert all(row.difference is Difference.NONE for row in through)


def test_what_only_one_bench_has_is_named() -> None:
    found = compare(bench({"nftables": 1.2}, 11, services=(100, 1000)), bench({"nftables": 1.2}, 12))
    assert found.only_after == ()
    assert found.only_before == tuple(
        f"1000 x 1 {what}" for what in ("pod direct TCP", "pod clusterip TCP", "endpoint change")
    )


def test_a_mode_can_be_compared_with_another() -> None:
    found = compare(bench({"iptables": 1.6}, 13), bench({"nftables": 1.2}, 14))
    assert {row.what: row.difference for row in found.rows if row.by_machine and row.level == LEVEL} == {
        "pod direct TCP": Difference.NONE,
        "pod clusterip TCP": Difference.LOWER,
    }


def test_what_is_lost_more_often_is_worse() -> None:
    before, after = bench({"nftables": 1.2}, 15), losing(bench({"nftables": 1.2}, 16), 10)
    (found,) = compare(before, after).worse
    assert isinstance(found, Lost)
    assert (found.what, found.before, found.after) == ("pod clusterip TCP", Rounds(0, ROUNDS), Rounds(10, ROUNDS))
    (better,) = (one for one in compare(after, before).lost if one.difference is not Difference.NONE)
    assert better.difference is Difference.LOWER


def test_where_all_is_lost_there_is_no_time_and_still_it_is_worse() -> None:
    found = compare(bench({"nftables": 1.2}, 17), losing(bench({"nftables": 1.2}, 18), ROUNDS, all_of_it=True))
    assert [one.what for one in found.worse] == ["pod clusterip TCP"]
    assert found.only_before == ("100 x 1 pod clusterip TCP",)


def test_changes_that_no_node_acts_on_are_worse() -> None:
    found = compare(bench({"nftables": 1.2}, 19), losing(bench({"nftables": 1.2}, 20), 0, changes=10))
    assert [one.what for one in found.worse] == ["endpoint change"]


def test_a_loss_now_and_then_is_noise() -> None:
    found = compare(losing(bench({"nftables": 1.2}, 21), 1), losing(bench({"nftables": 1.2}, 22), 4, changes=2))
    assert not found.worse


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 60), st.integers(0, 60))
def test_rounds_differ_by_their_share_and_by_how_many_there_are(m: int, n: int, a: int, b: int) -> None:
    after, before = Rounds(min(a, m), m), Rounds(min(b, n), n)
    said = after.difference(before, 0.95)
    if said is Difference.HIGHER:
        assert after.touched * before.every > before.touched * after.every
    assert (said is Difference.HIGHER) == (before.difference(after, 0.95) is Difference.LOWER)
    assert after.difference(after, 0.95) is Difference.NONE
