"""What holds of every cluster: what is not known is never taken for known, and nothing that anybody wrote raises."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.model.cluster import ProxyMode
from conformance.model.facts import Facts, unknown
from conformance.preflight import Kind, MalformedListing, Severity, Subject, drops, findings
from reports.preflight import as_json, table, verdict
from tests.preflight.subjects import GOOD, LOCAL, NODE_PORT, NODES, UDP, fact, service

WORDS = st.sampled_from(
    ["", "5.4.0", "v1.28.1", "6.1.0", "1.1.3", "0.9.8", "Talos (v1.5.0)", "Windows", "x", "\x1b[2J"]
)
BY_NODE = st.dictionaries(st.sampled_from(NODES), WORDS)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 99) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
OPTIONS = st.dictionaries(
    st.sampled_from(["mode", "iptables", "ipvs", "nftables", "conntrack"]),
    JSONS | st.dictionaries(st.sampled_from(["masqueradeBit", "scheduler", "strictARP", "excludeCIDRs"]), JSONS),
)
SERVICES = st.lists(st.sampled_from([NODE_PORT, LOCAL, UDP, service(), service("s" * 130)]), unique_by=lambda s: s.key)


@st.composite
def subjects(draw: st.DrawFn) -> Subject:
    """Clusters with answers of any kind."""
    told: dict[str, Any] = {
        "version": WORDS,
        "kernels": BY_NODE,
        "systems": BY_NODE,
        "nft_versions": BY_NODE,
        "host_nft_versions": BY_NODE,
        "proxy_modes": st.dictionaries(
            st.sampled_from(NODES), st.sampled_from(["iptables", "ipvs", "nftables", "kernelspace"])
        ),
        "proxy_mode": st.sampled_from(ProxyMode),
        "cni": st.sampled_from(["calico", "flannel", "weave", "x", "aws-vpc-cni + calico"]),
        "cni_version": WORDS,
        "cni_dataplane": st.sampled_from(["iptables", "nftables", "calico: nftables"]),
        "proxy_replacement": st.sampled_from(["none", "cilium"]),
        "node_local_dns": st.booleans(),
        "localhost_node_ports": st.booleans(),
        "node_port_addresses": st.sampled_from([(), ("primary",), ("10.0.0.0/8",)]),
    }
    facts = replace(GOOD.facts, **{name: fact(draw(values)) for name, values in told.items()})
    return replace(
        GOOD,
        facts=facts,
        configuration=fact(draw(OPTIONS)),
        proxy_versions=fact(tuple(draw(st.lists(WORDS, max_size=2)))),
        services=fact(tuple(draw(SERVICES))),
        drops=draw(st.dictionaries(st.sampled_from(NODES), st.sampled_from([(), ("a chain",)]))),
    )


@settings(max_examples=60, deadline=None)
@given(subjects())
def test_findings_are_told_once_the_heaviest_first_and_can_be_printed(subject: Subject) -> None:
    found = findings(subject)
    assert len(set(found)) == len(found)
    weights = [list(Severity).index(f.severity) for f in found]
    assert weights == sorted(weights)
    assert all(f.evidence and f.learned and f.remedy and f.source.text for f in found)
    assert all(json.loads(as_json(f))["kind"] == f.kind.value for f in found)
    assert table(found).row_count >= len({f.kind for f in found})
    assert verdict(found)


FORGETTABLE = [f.name for f in fields(Facts)]


@settings(max_examples=60, deadline=None)
@given(subjects(), st.sets(st.sampled_from(FORGETTABLE), max_size=6))
def test_to_know_less_blocks_nothing_and_never_clears(subject: Subject, forgotten: set[str]) -> None:
    """Without a fact no new blocker appears; and where one was, none or something unknown is left to look at."""
    less = replace(subject, facts=replace(subject.facts, **dict.fromkeys(forgotten, unknown("asleep"))))
    # Which mode is left, and who serves, decide what is looked at at all.
    if forgotten & {"proxy_mode", "proxy_modes", "proxy_replacement", "systems"}:
        return
    blocks = Severity.BLOCKER
    before, after = ({(f.kind, f.object) for f in findings(s) if f.severity is blocks} for s in (subject, less))
    assert after <= before
    if before - after:
        assert Severity.UNKNOWN in {f.severity for f in findings(less)}


def test_of_a_cluster_that_says_nothing_all_is_unknown() -> None:
    nothing = Subject(Facts(), GOOD.interplay, GOOD.today)
    found = findings(nothing)
    assert {f.severity for f in found} == {Severity.UNKNOWN, Severity.NOTE}
    unknowns = {f.kind for f in found if f.severity is Severity.UNKNOWN}
    assert unknowns >= {
        Kind.MODE_UNKNOWN, Kind.VERSION_UNKNOWN, Kind.NODES_UNKNOWN, Kind.COMPONENT_UNKNOWN,
        Kind.CONFIGURATION_UNKNOWN, Kind.SERVICES_UNKNOWN,
    }  # fmt: skip


@given(
    JSONS | st.fixed_dictionaries({"nftables": st.lists(st.dictionaries(st.just("chain"), JSONS), max_size=2) | JSONS})
)
def test_a_ruleset_is_read_or_refused(plain: object) -> None:
    try:
        assert drops(json.dumps(plain)) == ()
    except MalformedListing as fault:
        assert str(fault)


def test_where_a_ruleset_drops() -> None:
    def chain(**changes: object) -> dict[str, object]:
        plain = {"family": "ip", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "drop"}
        return {"chain": plain | changes}

    others = [chain(policy="accept"), chain(hook="output"), chain(table="kube-proxy"), {"rule": {}}, {"metainfo": {}}]
    assert drops(json.dumps({"nftables": others})) == ()
    told = drops(json.dumps({"nftables": [*others, chain(), chain(family="inet", table="\x1b[2Jfw", hook="input")]}))
    assert told[0] == "chain ip filter FORWARD, hook forward, policy drop"
    assert "\x1b" not in told[1]
