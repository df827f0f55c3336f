"""What proxies and kernels tell of their size."""

from __future__ import annotations

from pathlib import Path

from conformance.bench.weighing import HISTOGRAMS, Account, count_iptables, count_nft, read_metrics

RECORDED = Path(__file__).parents[1] / "data" / "groundtruth"


def test_samples_of_one_name_are_added_up() -> None:
    text = 'a_sum{ip_family="IPv4"} 1.5\na_sum{ip_family="IPv6"} 0.5\na_count 3\n# TYPE a histogram\nb{x="}"} 1e-3\nbad'
    assert read_metrics(text) == {"a_sum": 2.0, "a_count": 3.0}


def test_a_histogram_has_gained_what_came_since() -> None:
    name = HISTOGRAMS[0]
    before, now = ({f"{name}_count": n, f"{name}_sum": n / 10} for n in (5.0, 8.0))
    found = Account(now).since(Account(before), name)
    assert found
    assert found == (3.0, 0.8 - 0.5)
    assert Account(now).since(Account({}), name) == (8.0, 0.8)
    assert Account(before).since(Account(now), name) is None, "the proxy was restarted, and began anew"
    assert Account({}).since(Account({}), name) is None


def test_rules_and_elements_are_counted() -> None:
    text = """{"nftables": [{"metainfo": {}}, {"table": {}}, {"chain": {}}, {"rule": {}}, {"rule": {}},
      {"map": {"name": "service-ips", "elem": [["a", {}], ["b", {}], ["c", {}]]}}, {"set": {"name": "empty"}}]}"""
    assert count_nft(text) == (2, 3)
    assert (
        count_iptables("*nat\n:KUBE-X - [0:0]\n-A PREROUTING -j KUBE-X\n-A DOCKER -j RETURN\n-A KUBE-X -j DROP\n") == 2
    )
