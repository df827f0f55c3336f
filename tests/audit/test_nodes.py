"""What nodes print when they are looked at: recorded, foreign, and as somebody hostile would have it."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.audit import MalformedRuleset
from conformance.audit.nodes.dry_run import TABLE, expressions, transaction
from conformance.audit.nodes.kernel import interfaces, strict_filters, virtual_servers
from conformance.audit.nodes.metrics import total
from conformance.audit.nodes.rulesets import read_legacy, read_ruleset
from conformance.audit.nodes.tools import clashes, nft_version
from conformance.model.addresses import Family
from tests.audit.recorded import text

needs_nft = pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft")
DOCUMENTED = {
    "filter-prerouting-pre-dnat: filter prerouting -110 accept",
    "filter-output-pre-dnat: filter output -110 accept",
    "filter-input: filter input 0 accept",
    "filter-forward: filter forward 0 accept",
    "filter-output: filter output 0 accept",
    "nat-prerouting: nat prerouting -100 accept",
    "nat-output: nat output -100 accept",
    "nat-postrouting: nat postrouting 100 accept",
}


def nft(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    command = ["unshare", "-Urn", "nft", *arguments]
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False)


def listing(*plain: dict[str, Any]) -> str:
    return json.dumps({"nftables": [{"metainfo": {"version": "1.0.6"}}, *plain]})


def chain(table: str, name: str, **base: object) -> dict[str, Any]:
    family, _, own = table.partition(" ")
    return {"chain": {"family": family, "table": own, "name": name, "handle": 1, **base}}


def rule(table: str, name: str) -> dict[str, Any]:
    family, _, own = table.partition(" ")
    return {"rule": {"family": family, "table": own, "chain": name, "handle": 2, "expr": [{"accept": None}]}}


FOREIGN = listing(
    chain("inet firewalld", "filter_FORWARD", type="filter", hook="forward", prio=10, policy="drop"),
    chain("ip nat", "PREROUTING", type="nat", hook="prerouting", prio=-100, policy="accept"),
    chain("ip nat", "KUBE-SERVICES"),
    chain("ip nat", "KUBE-SVC-TCOU7JCQXEZGVUNU"),
    chain("ip nat", "KUBE-KUBELET-CANARY"),
    chain("ip mangle", "KUBE-IPTABLES-HINT"),
    chain("ip filter", "KUBE-ROUTER-INPUT"),
    chain("ip6 filter", "KUBE-FORWARD"),
    chain("netdev qos", "in", type="filter", hook="ingress", prio=0, policy="drop", dev="eth0"),
    chain("bridge filter", "f", type="filter", hook="forward", prio=0, policy="drop"),
    rule("ip nat", "KUBE-SERVICES"),
    rule("ip6 filter", "KUBE-FORWARD"),
    rule("inet firewalld", "filter_FORWARD"),
)


@pytest.mark.parametrize("family", Family)
def test_a_real_kube_proxy_hangs_where_it_says_and_has_no_neighbours(family: Family) -> None:
    found = read_ruleset([text("n1")])
    assert set(found.hooks(family)) == DOCUMENTED
    assert (found.strangers(family), found.left_by_iptables(family), found.xtables_rules(family)) == ([], [], 0)


def test_what_others_have_is_told_apart_by_family() -> None:
    found = read_ruleset([FOREIGN])
    assert [f"{one.table} {one.hanging}" for one in found.strangers(Family.IPV4)] == [
        "inet firewalld filter forward 10 drop",
        "ip nat nat prerouting -100 accept",
    ]
    assert [one.table for one in found.strangers(Family.IPV6)] == ["inet firewalld"]
    assert found.left_by_iptables(Family.IPV4) == ["ip nat KUBE-SERVICES", "ip nat KUBE-SVC-TCOU7JCQXEZGVUNU"]
    assert found.left_by_iptables(Family.IPV6) == ["ip6 filter KUBE-FORWARD"]
    assert (found.xtables_rules(Family.IPV4), found.xtables_rules(Family.IPV6)) == (1, 1)
    assert found.hooks(Family.IPV4) == []


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "Segmentation fault",
        '{"nftables": [1]}',
        listing({"chain": {"family": "ip"}}),
        listing({"chain": None}),
        listing(chain("ip t", "c", type="nat", hook="output", prio="dstnat")),
        listing({"rule": "x"}),
    ],
)
def test_what_is_no_ruleset_is_refused(broken: str) -> None:
    with pytest.raises(MalformedRuleset):
        read_ruleset([broken])


WORDS = st.sampled_from(["", "ip", "inet", "kube-proxy", "KUBE-SERVICES", "nat", "forward", "10", "\x00\u2028"])
KEYS = st.sampled_from(["family", "table", "name", "hook", "type", "prio", "policy", "x"])
JSONS = st.none() | st.integers(-9, 9) | WORDS | st.lists(WORDS, max_size=2)
OBJECTS = st.dictionaries(st.sampled_from(["chain", "rule", "x"]), JSONS | st.dictionaries(KEYS, JSONS), max_size=1)


@given(st.lists(OBJECTS, max_size=4))
@settings(max_examples=200)
def test_hostile_rulesets_are_read_or_refused(plain: list[dict[str, Any]]) -> None:
    with contextlib.suppress(MalformedRuleset):
        found = read_ruleset([json.dumps({"nftables": plain})])
        assert all(isinstance(one.priority, int) for one in found.base)


@given(st.text(st.sampled_from('# TYPE:kube{}="\n-A *\x00\u2028 \xb210.v'), max_size=40))
def test_hostile_texts_raise_nothing(said: str) -> None:
    read_legacy(said)
    interfaces(said)
    assert virtual_servers(said) >= 0
    assert nft_version(said) == ""
    assert total(said, "kubeproxy_x_total") is None


SAVED = """\
# Generated by iptables-save v1.8.9 on Fri Nov 27 17:34:00 2026
*nat
:PREROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SEP-ABCDEFGHIJKLMNOP - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
COMMIT
"""


def test_what_iptables_legacy_saves() -> None:
    assert read_legacy(SAVED) == (["KUBE-SERVICES", "KUBE-SEP-ABCDEFGHIJKLMNOP"], 1)
    assert read_legacy("") == ([], 0)


def test_interfaces_and_virtual_servers() -> None:
    dev = (
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
        "    lo:  120 2 0 0 0 0 0 0 120 2 0 0 0 0 0 0\n"
        "kube-ipvs0:       0       0    0    0\n"
    )
    assert interfaces(dev) == ["lo", "kube-ipvs0"]
    table = (
        "IP Virtual Server version 1.2.1 (size=4096)\n"
        "Prot LocalAddress:Port Scheduler Flags\n"
        "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
        "TCP  0A600001:01BB rr \n"
        "  -> AC120002:192B      Masq    1      0          0         \n"
        "UDP  0A60000A:0035 rr \n"
    )
    assert virtual_servers(table) == 2


@pytest.mark.parametrize(
    ("lines", "strict"),
    [
        ("all 0\ndefault 1\nlo 1\neth0 1\ncali1 0\n", ["eth0"]),
        ("all 1\neth0 0\neth1 2\nlo 0\n", ["eth0"]),
        ("all 2\neth0 1\n", []),
        ("eth0 0\nall 0\n", []),
    ],
)
def test_the_larger_of_two_filters_counts(lines: str, strict: list[str]) -> None:
    assert strict_filters(lines) == strict


@pytest.mark.parametrize("lines", ["", "eth0 1", "all", "all on", "all 0\neth0 \n"])
def test_filters_that_make_no_sense_are_none(lines: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        strict_filters(lines)


SYNCS = "kubeproxy_sync_proxy_rules_nftables_sync_failures_total"


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (f"# TYPE {SYNCS} counter\n", 0),
        (f'# TYPE {SYNCS} counter\n{SYNCS}{{ip_family="IPv4"}} 2\n{SYNCS}{{ip_family="IPv6"}} 1.0\n', 3),
        (f"{SYNCS} 4 1700000000000\n", 4),
        (f"# HELP {SYNCS} what it is\n", None),
        (f"# TYPE {SYNCS}s counter\n{SYNCS}s 1\n", None),
        (f"# TYPE {SYNCS} counter\n{SYNCS} NaN\n", None),
        (f"# TYPE {SYNCS} counter\n{SYNCS} many\n", None),
        ("<html>404 page not found</html>", None),
    ],
)
def test_a_counter_is_summed_or_not_known(page: str, found: int | None) -> None:
    assert total(page, SYNCS) == found


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("nftables v1.0.6 (Lester Gooch #5)\n", "1.0.6"),
        ("nftables v1.0.6.1 (Lester Gooch #5)", "1.0.6.1"),
        ("nftables v1.1.3 (Commodore Bullmoose #4)", "1.1.3"),
        ("command not found", ""),
    ],
)
def test_versions_of_nft(said: str, version: str) -> None:
    assert nft_version(said) == version


@pytest.mark.parametrize(
    ("proxy", "host", "crashing"),
    [
        ("1.0.6", "1.0.6", []),
        ("1.0.6", "1.0.9", []),
        ("1.0.6", "1.1.3", ["proxy"]),
        ("1.0.6.1", "1.1.3", []),
        ("1.0.6.1", "1.0.9", ["host"]),
        ("1.1.5", "1.0.1", ["host"]),
        ("1.0.6", "0.9.8", ["host"]),
        ("1.0.2", "0.9.8", []),
        ("", "1.1.3", []),
    ],
)
def test_versions_that_crash_at_each_other(proxy: str, host: str, crashing: list[str]) -> None:
    assert [one.split()[0] for one in clashes({"proxy": proxy, "host": host})] == crashing


@needs_nft
@pytest.mark.parametrize("family", Family)
def test_this_kernel_takes_every_expression_and_keeps_none(family: Family) -> None:
    every = expressions(family)
    done = nft("--check", transaction(family, *every.values()))
    assert (done.returncode, done.stderr) == (0, "")
    command = f"nft --check '{transaction(family, every['reject'])}' && nft list ruleset"
    both = subprocess.run(["unshare", "-Urn", "sh", "-c", command], capture_output=True, text=True, check=False)
    assert (both.returncode, both.stdout) == (0, ""), both.stderr
    assert TABLE in transaction(family)


@needs_nft
def test_an_expression_that_is_none_is_refused() -> None:
    assert nft("--check", transaction(Family.IPV4, "fib daddr type nowhere accept")).returncode != 0
