"""What proxies and kernels tell of their size."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.bench.weighing import HISTOGRAMS, Account, count_iptables, count_nft, read_metrics
from conformance.model.addresses import Family


def test_samples_of_one_name_are_added_up() -> None:
    text = 'a_sum{ip_family="IPv4"} 1.5\na_sum{ip_family="IPv6"} 0.5\na_count 3\n# TYPE a histogram\nb{x="}"} 1e-3\nbad'
    assert read_metrics(text) == {"a_sum": 2.0, "a_count": 3.0}
    assert read_metrics("a 1.5e+03\nb 2e-05") == {"a": 1500.0, "b": 2e-05}


@pytest.mark.parametrize("value", ["1.2.3", "+-e", "NaN", "-1", "1e+999", "9" * 400])
def test_what_is_no_number_that_a_proxy_has_is_no_sample(value: str) -> None:
    assert read_metrics(f"a 1\na {value}\n") == {"a": 1.0}


def test_a_histogram_has_gained_what_came_since() -> None:
    name = HISTOGRAMS[0]
    before, now = ({f"{name}_count": n, f"{name}_sum": n / 10} for n in (5.0, 8.0))
    found = Account(now).since(Account(before), name)
    assert found
    assert found == (3.0, 0.8 - 0.5)
    assert Account(now).since(Account({"process_cpu_seconds_total": 1.0}), name) == (8.0, 0.8)
    assert Account(now).since(Account({}), name) is None, "what it had counted before could not be read"
    assert Account(before).since(Account(now), name) is None, "the proxy was restarted, and began anew"
    assert Account({}).since(Account({}), name) is None


def test_rules_and_elements_are_counted() -> None:
    where = {"family": "ip", "table": "kube-proxy"}
    every: list[dict[str, Any]] = [
        {"metainfo": {}},
        {"table": {"family": "ip", "name": "kube-proxy"}},
        {"chain": where | {"name": "services"}},
        *({"rule": where | {"chain": "services", "expr": []}} for _ in range(2)),
        {
            "map": where
            | {"name": "m", "type": "ipv4_addr", "map": "verdict", "elem": [[ip, {"drop": None}] for ip in "abc"]}
        },
        {"set": where | {"name": "empty", "type": "ipv4_addr"}},
    ]
    text = json.dumps({"nftables": every})
    assert count_nft(text, Family.IPV4) == (2, 3)
    assert count_nft(text, Family.IPV6) == (None, None)
    assert count_nft(text[:-9], Family.IPV4) == (None, None)
    saved = "*nat\n:KUBE-X - [0:0]\n-A PREROUTING -j KUBE-X\n-A DOCKER -j RETURN\n-A KUBE-X -j DROP\n"
    assert count_iptables(saved) == 2
