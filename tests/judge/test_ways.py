"""Where a dial went another way than it should have, in a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judge.ways import Trace, diverged, owed
from conformance.model.addresses import Protocol
from conformance.model.client import Destination, DestinationKind
from conformance.model.outcome import (
    Dropped,
    Outcome,
    Pins,
    Reaches,
    Refused,
    RefusedBy,
    Target,
    Unanswered,
    Unspecified,
)
from conformance.model.way import ACCEPT, DROP, Passage, Step, Way
from tests.judge.traces import ways

POD, VIP, OWN = "10.244.1.4", "10.96.3.7", "172.30.99.11"
WEB_A, WEB_B = ("10.244.1.5", 8080), ("10.244.2.6", 8080)
TO = Destination(DestinationKind.CLUSTER_IP, VIP, 80, Protocol.TCP, "n/web")
HOMES = {WEB_A[0]: "node-a", WEB_B[0]: "node-b"}
LACK = "no element of service-ips matches 10.96.3.7 . tcp . 80"


def reaches(*ends: tuple[str, int], sources: tuple[str, ...] = (POD,), sticky: bool = False) -> Reaches:
    return Reaches(frozenset(Target(ip, port, frozenset(sources), pod=ip) for ip, port in ends), sticky=sticky)


def passage(
    chain: str,
    to: tuple[str, int] = (VIP, 80),
    *rules: tuple[str, str],
    source: str = POD,
    end: str = ACCEPT,
    table: str = "ip kube-proxy",
    port: int = 4000,
) -> Passage:
    steps = tuple(Step(chain, rule, verdict) for rule, verdict in rules)
    own = "inet nftconform-x" if chain.startswith(("asked-", "answered-", "last-")) else table
    return Passage(own, chain, source, port, *to, oif="eth0" if "post" in chain else "", steps=steps, end=end)


def dnat(to: tuple[str, int]) -> tuple[str, str]:
    return (f"meta l4proto tcp dnat ip to numgen random mod 1 map {{ 0 : {to[0]} . {to[1]} }}", ACCEPT)


def translated(to: tuple[str, int], *, port: int = 4000, source: str = POD, rule: str = "") -> Way:
    """A packet from a pod of node-a that is translated and leaves."""
    said = (rule, ACCEPT) if rule else dnat(to)
    return Way(
        "node-a",
        (
            passage("asked-prerouting", port=port),
            passage("nat-prerouting", (VIP, 80), said, port=port),
            passage("nat-postrouting", to, ("jump masquerading", "jump masquerading"), port=port),
            passage("last-postrouting", to, source=source, port=port),
        ),
    )


def arrived(to: tuple[str, int], *, source: str = POD) -> tuple[Way, Way]:
    """The same on node-b, and its answer."""
    came = tuple(passage(chain, to, source=source) for chain in ("asked-prerouting", "last-postrouting"))
    back = tuple(
        replace(passage(chain, (source, 4000)), source=to[0], source_port=to[1])
        for chain in ("answered-prerouting", "last-postrouting")
    )
    return Way("node-b", came), Way("node-b", back)


def sentence(outcome: Outcome, *seen: Way, watched: tuple[str, ...] = ("node-a", "node-b"), lack: str = "") -> str:
    trace = Trace(seen, watched, "node-a", HOMES, {"node-a": lack} if lack else {})
    return diverged(outcome, TO, trace).sentence


def test_a_way_as_expected_is_no_divergence() -> None:
    assert sentence(reaches(WEB_B), translated(WEB_B), *arrived(WEB_B)) == ""
    dropped = Way("node-a", (passage("asked-prerouting"), passage("f", (VIP, 80), ("drop", DROP), end=DROP)))
    assert sentence(Dropped(), dropped) == ""
    rejected = Way("node-a", (passage("f", (VIP, 80), ("reject with icmp", DROP), end=DROP),))
    assert sentence(Refused(RefusedBy.ICMP), rejected) == ""
    assert sentence(Unspecified("chance"), dropped) == ""


def test_a_packet_that_nobody_saw() -> None:
    assert sentence(reaches(WEB_A)) == "never arrived: no packet to 10.96.3.7:80 came by on node-a, node-b"
    assert sentence(reaches(WEB_A), watched=("node-b",)) == "", "nobody looked where it enters"


def untranslated(*after: Passage) -> Way:
    return Way("node-a", (passage("asked-prerouting"), passage("nat-prerouting"), *after))


def test_what_lacks_is_named_and_what_became_of_the_packet() -> None:
    assert sentence(reaches(WEB_A), untranslated(passage("last-postrouting")), lack=LACK) == (
        f"node-a: the packet left nat-prerouting untranslated: {LACK}; it went out by eth0 to 10.96.3.7:80"
    )
    drop = passage("cluster-ips-check", (VIP, 80), ("ip daddr 10.96.0.0/16 drop", DROP), end=DROP)
    assert sentence(reaches(WEB_A), untranslated(drop), lack=LACK).endswith(
        "; then it was dropped by ip kube-proxy cluster-ips-check: ip daddr 10.96.0.0/16 drop"
    )


def test_what_is_dropped_before_it_could_be_translated_lacks_nothing() -> None:
    policy = passage("raw", (VIP, 80), ("", DROP), end=DROP, table="inet firewall")
    way = Way("node-a", (passage("asked-prerouting"), policy))
    assert sentence(reaches(WEB_A), way, lack=LACK) == "node-a: dropped by inet firewall raw (policy drop)"


def test_a_host_firewall_on_the_endpoints_node() -> None:
    came, _ = arrived(WEB_B)
    policy = passage("forward", WEB_B, ("", DROP), end=DROP, table="inet firewall")
    stopped = replace(came, passages=(came.first, policy))
    found = diverged(
        reaches(WEB_A, WEB_B), TO, Trace((translated(WEB_B), stopped), ("node-a", "node-b"), "node-a", HOMES)
    )
    assert (found.sentence, found.way, found.passage) == (
        "node-b: dropped by inet firewall forward (policy drop)",
        1,
        1,
    )


def test_what_is_lost_between_the_nodes_never_arrived() -> None:
    assert sentence(reaches(WEB_B), translated(WEB_B)) == (
        "never arrived at node-b: node-a went out by eth0 to 10.244.2.6:8080"
    )
    assert sentence(reaches(WEB_B), translated(WEB_B), watched=("node-a",)) == "", "nobody looked there"


def test_an_endpoint_that_does_not_answer() -> None:
    came, _ = arrived(WEB_B)
    assert sentence(reaches(WEB_B), translated(WEB_B), came) == (
        "node-b: handed on to 10.244.2.6:8080 by eth0, and no answer came back"
    )


def test_what_routing_takes_is_not_blamed_on_a_rule() -> None:
    way = translated(WEB_A)
    cut = replace(way, passages=way.passages[:3])
    assert sentence(reaches(WEB_A), cut) == (
        "node-a: came as far as nat-postrouting, and no further: routing, or a reverse path filter, took it there"
    )


def test_a_wrong_endpoint_and_the_rule_that_chose_it() -> None:
    found = sentence(reaches(WEB_A), translated(("10.244.9.9", 1)))
    assert found.startswith("node-a: translated to 10.244.9.9:1, which is none of 10.244.1.5:8080, by nat-prerouting: ")


def test_masquerading() -> None:
    kept = sentence(reaches(WEB_A, sources=(OWN,)), translated(WEB_A))
    assert kept == (
        f"node-a: left with its own source address {POD}, which was to become {OWN}: no rule masqueraded it"
    )
    lost = sentence(reaches(WEB_A), translated(WEB_A, source=OWN))
    assert lost == f"node-a: its source address {POD} became {OWN}, not {POD}"


def test_an_endpoint_that_the_choice_does_not_know() -> None:
    seen = (translated(WEB_B), *arrived(WEB_B))
    assert sentence(reaches(WEB_A, WEB_B), *seen).startswith(
        "node-a: what chooses an endpoint does not know 10.244.1.5:8080: meta l4proto tcp dnat ip to numgen"
    )


@pytest.mark.parametrize(
    ("rule", "how"),
    [
        ("numgen random mod 2 vmap { __10.244.1.5/8080, __10.244.2.6/8080 }", "and no rule remembers the client"),
        ("update @affinity-x { ip saddr } numgen 10.244.1.5/8080 __10.244.2.6/8080", "though a rule remembers"),
    ],
)
def test_a_client_that_is_not_tied(rule: str, how: str) -> None:
    one, other = translated(WEB_B, rule=rule), translated(WEB_A, port=4001, rule=rule)
    back = (passage("answered-prerouting", (POD, 4001)), passage("last-postrouting", (POD, 4001)))
    answer = Way("node-a", tuple(replace(p, source=WEB_A[0], source_port=WEB_A[1]) for p in back))
    found = sentence(reaches(WEB_A, WEB_B, sticky=True), one, other, *arrived(WEB_B), answer)
    assert found.startswith(f"node-a: 2 dials were translated to 10.244.1.5:8080, 10.244.2.6:8080, {how}")
    assert sentence(reaches(WEB_A, WEB_B), one, other, *arrived(WEB_B), answer) == "", "nobody is to be tied"


def test_a_refusal_that_did_not_come() -> None:
    assert sentence(Refused(RefusedBy.ICMP), translated(WEB_A)).startswith(
        "node-a: translated to 10.244.1.5:8080, where it was to be rejected, by nat-prerouting: "
    )
    drop = Way("node-a", (passage("x", (VIP, 80), ("counter drop", DROP), end=DROP),))
    assert sentence(Refused(RefusedBy.ICMP), drop) == (
        "node-a: dropped by ip kube-proxy x: counter drop, where it was to be rejected"
    )
    out = untranslated(passage("last-postrouting"))
    assert sentence(Dropped(), out) == "node-a: not dropped: no rule dropped it; it went out by eth0 to 10.96.3.7:80"
    assert sentence(Unanswered(), out) == ""


def test_recorded_a_node_without_rules() -> None:
    to = Destination(DestinationKind.NODE_PORT, "172.30.99.12", 31487, Protocol.TCP, "n/web", node="node-b")
    lack = "no element of service-nodeports matches tcp . 31487"
    seen = tuple(way for n in "ab" for way in ways(f"untranslated-node-{n}", f"node-{n}", (to.ip, to.port)))
    trace = Trace(seen, ("node-a", "node-b"), "node-a", {"10.244.1.19": "node-a"}, {"node-b": lack})
    assert diverged(reaches(("10.244.1.19", 26320)), to, trace).sentence == (
        f"node-b: the packet left nat-prerouting untranslated: {lack}; it came to the node's own processes"
    )


def test_recorded_a_hairpin_that_is_not_masqueraded() -> None:
    (seen,) = ways("hairpin-node-a", "node-a", ("fd00:96::9c63", 80))
    end = (seen.last.destination, seen.last.port)
    to = replace(TO, ip=seen.first.destination)
    found = diverged(reaches(end, sources=("fd99::11",)), to, Trace((seen,), ("node-a",), "node-a"))
    assert found.sentence == (
        "node-a: left with its own source address fd44:1::15, which was to become fd99::11: no rule masqueraded it"
    )
    assert seen.passages[found.passage].chain == "nat-postrouting"


TIED = reaches(WEB_A, WEB_B, sticky=True)
OUTCOMES = st.sampled_from([reaches(WEB_A), TIED, Pins(TIED.targets), Refused(), Dropped(), Unanswered()])
ENDS = st.sampled_from([(VIP, 80), WEB_A, WEB_B, ("10.9.9.9", 9), (POD, 4000)])
PASSAGES = st.builds(
    lambda chain, to, rule, end: passage(chain, to, (rule, end or ACCEPT), end=end),
    st.sampled_from(["asked-prerouting", "nat-prerouting", "x", "nat-postrouting", "last-postrouting"]),
    ENDS,
    st.sampled_from(["", "reject", "drop", "update @affinity-x", "numgen random mod 2"]),
    st.sampled_from(["", ACCEPT, DROP]),
)
WAYS = st.builds(Way, st.sampled_from(["node-a", "node-b"]), st.lists(PASSAGES, min_size=1, max_size=5).map(tuple))


@given(OUTCOMES, st.lists(WAYS, max_size=4), st.sampled_from([(), ("node-a",), ("node-a", "node-b")]))
def test_whatever_was_seen_the_sentence_points_at_what_it_is_about(
    outcome: Outcome, seen: list[Way], watched: tuple[str, ...]
) -> None:
    found = diverged(outcome, TO, Trace(tuple(seen), watched, "node-a", HOMES, {"node-a": LACK}))
    if found.way >= 0:
        assert found.sentence
        way = seen[found.way]
        assert 0 <= found.passage < len(way.passages)
        assert way.node in found.sentence
    assert "\n" not in found.sentence


def test_what_is_owed_in_words() -> None:
    assert owed(reaches(WEB_A), TO, (POD,)) == (
        "is translated to one of 10.244.1.5:8080 (10.244.1.5) in a chain service- or local-; its source address is kept"
    )
    assert owed(reaches(WEB_A, sources=(OWN,)), TO, (POD,)).endswith("it is masqueraded")
    pod = replace(TO, kind=DestinationKind.POD)
    assert owed(reaches(WEB_A), pod, (POD,)).startswith("goes on to 10.244.1.5:8080")
    assert owed(Refused(RefusedBy.ICMP), TO, ()) == "is rejected by a rule"
    assert owed(Unspecified("chance"), TO, ()) == ""
