"""What nft monitor prints becomes the ways of packets, whatever is between, and nothing is made up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.audit.trace import MOST_PACKETS, of_dial, read_trace
from conformance.model.way import DROP, Step
from tests.judge.traces import FOLDER, lines, own, ways

NAMES = sorted(path.stem for path in FOLDER.iterdir())
DNAT = "trace id {0} ip kube-proxy nat-prerouting "
HEAD = 'packet: iif "cni0" ip saddr 10.244.1.4 ip daddr {1} tcp sport 4000 tcp dport {2} tcp flags == syn tcp window 9'


def packet(number: str, destination: str = "10.96.0.1", port: int = 80) -> list[str]:
    """A packet that is translated, and leaves."""
    own = f"trace id {number} inet nftconform-x "
    post = f"trace id {number} ip kube-proxy nat-postrouting "
    return [
        f"{own}asked-prerouting {HEAD.format(number, destination, port)}",
        f"{own}asked-prerouting unknown rule handle 9 (verdict continue)",
        f"{own}asked-prerouting policy accept",
        f"{DNAT.format(number)}{HEAD.format(number, destination, port)}",
        f"{DNAT.format(number)}rule counter packets 7 bytes 420 jump services (verdict jump services)",
        f"trace id {number} ip kube-proxy services rule ip daddr 1 dnat to 10.244.2.5:8080 (verdict accept)",
        f"{post}{HEAD.format(number, '10.244.2.5', 8080)}",
        f"{post}policy accept",
        f"{own}last-postrouting {HEAD.format(number, '10.244.2.5', 8080)}",
        f"{own}last-postrouting policy accept",
    ]


def test_a_packet_is_followed_from_chain_to_chain() -> None:
    (way,) = read_trace(packet("1a"), "n")
    first = way.first
    assert (first.source, first.source_port, first.destination, first.port) == ("10.244.1.4", 4000, "10.96.0.1", 80)
    assert (first.iif, first.note) == ("cni0", "syn")
    assert [p.chain for p in way.passages] == [
        "asked-prerouting", "nat-prerouting", "nat-postrouting", "last-postrouting"
    ]  # fmt: skip
    assert way.passages[1].steps == (
        Step("nat-prerouting", "jump services", "jump services"),
        Step("services", "ip daddr 1 dnat to 10.244.2.5:8080", "accept"),
    )
    assert (way.last.destination, way.last.port, way.whole) == ("10.244.2.5", 8080, True)


def test_packets_that_come_by_together_are_told_apart_by_their_numbers() -> None:
    one, other = packet("1"), packet("2", "10.96.0.2")
    mixed = [line for pair in zip(one, other, strict=True) for line in pair]
    assert set(read_trace(mixed, "n")) == {*read_trace(one, "n"), *read_trace(other, "n")}


def test_a_number_that_is_used_again_is_another_packet() -> None:
    assert len(read_trace([*packet("1"), *packet("1", "10.96.0.2")], "n")) == 2


@pytest.mark.parametrize("name", NAMES)
def test_what_newer_versions_say_besides_is_passed_over(name: str) -> None:
    """nft 1.1.4 tells of connection tracking in front of a packet."""
    newer = []
    for line in lines(name):
        head, found, _ = line.partition(" packet: ")
        newer += [f"{head} conntrack: ct direction original ct state new ct id 2641368242 "] * bool(found) + [line]
    assert read_trace(newer, "n") == read_trace(lines(name), "n") != ()


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_packet_has_two_ends_and_a_chain(name: str) -> None:
    for way in read_trace(lines(name), "n")[:-1]:  # the last one told the reader to stop reading
        for passage in way.passages:
            assert passage.source, passage
            assert passage.destination, passage
            assert passage.steps, passage


def test_an_answer_and_a_refusal_are_of_the_dial_and_a_probe_is_not() -> None:
    seen = ways("untranslated-node-b", "node-b", ("172.30.99.12", 31487))
    assert [(w.first.source, w.first.destination) for w in seen] == [
        ("10.244.1.20", "172.30.99.12"),
        ("172.30.99.12", "10.244.1.20"),
    ]
    assert all(p.steps == () for w in seen for p in w.passages if p.table == own("untranslated-node-b"))


def test_a_policy_that_drops_ends_a_way() -> None:
    cut = [*packet("1")[:7], "trace id 1 inet firewall forward policy drop"]
    cut[6] = cut[6].replace("ip kube-proxy nat-postrouting", "inet firewall forward")
    (way,) = read_trace(cut, "n")
    assert (way.last.end, way.last.steps, way.whole) == (DROP, (Step("forward", "", "drop"),), False)


def test_a_flood_is_cut() -> None:
    assert len(read_trace((line for n in range(MOST_PACKETS + 9) for line in packet(f"{n:x}")), "n")) == MOST_PACKETS


WORDS = st.sampled_from(
    [
        "trace id 1",
        "ip t",
        "c",
        "packet:",
        "rule",
        "policy",
        "verdict",
        "(verdict",
        "drop)",
        "ip saddr",
        "ip daddr",
        "::",
    ]
)


@settings(max_examples=50)
@given(st.lists(st.lists(WORDS | st.text(max_size=5), max_size=9).map(" ".join), max_size=9), st.randoms())
def test_garbage_is_no_error(rest: list[str], chance: random.Random) -> None:
    mixed = [*packet("1"), *rest]
    chance.shuffle(mixed)
    found = read_trace(mixed, "n")
    assert all(way.passages for way in found)
    assert len(of_dial(found, ("10.96.0.1", 80), "inet nftconform-x")) <= len(found)


def test_what_other_runs_trace_is_theirs() -> None:
    others = [line.replace("nftconform-x", "nftconform-y").replace("10.96.0.1", "10.96.0.9") for line in packet("2")]
    seen = read_trace([*packet("1"), *others], "n")
    assert [way.first.destination for way in of_dial(seen, ("10.96.0.1", 80), "inet nftconform-x")] == ["10.96.0.1"]
