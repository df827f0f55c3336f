"""Transactions are taken apart and put together again without loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.lab.faults.transaction import Command, parse, render

REFERENCE = """\
add table ip kube-proxy { comment "rules for kube-proxy" ; }
add chain ip kube-proxy nat-output { type nat hook output priority -100 ; }
flush chain ip kube-proxy nat-output
add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; comment "ClusterIP" ; }
flush map ip kube-proxy service-ips
add rule ip kube-proxy nat-output jump services
add element ip kube-proxy cluster-ips { 10.96.0.1, 10.96.0.10 }
add element ip kube-proxy no-endpoint-services { 10.96.0.3 . tcp . 80 comment "ns/a,b:tcp" : goto reject-chain }
delete set ip kube-proxy affinity-AAAAAAAA-ns/web/tcp/http__10.244.1.2/80
"""

words = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-/", min_size=1, max_size=12)
addresses = st.sampled_from(["10.96.0.7", "fd00:96::7"])
comments = st.text("abcz/:, .{}", max_size=12)


@st.composite
def elements(draw: st.DrawFn) -> tuple[str, str, str]:
    """Key, comment and value."""
    key = f"{draw(addresses)} . {draw(st.sampled_from(['tcp', 'udp']))} . {draw(st.integers(1, 65535))}"
    return (
        key,
        draw(comments),
        draw(st.sampled_from(["", "drop", "goto reject-chain", "goto service-AAAAAAAA-ns/a/tcp/"])),
    )


def test_commands_on_several_elements_become_one_each() -> None:
    added = [c for c in parse(REFERENCE) if c.name == "cluster-ips"]
    assert [c.key for c in added] == ["10.96.0.1", "10.96.0.10"]
    assert [c.text for c in added] == [
        f"add element ip kube-proxy cluster-ips {{ {ip} }}" for ip in ("10.96.0.1", "10.96.0.10")
    ]


def test_all_other_commands_are_kept_word_for_word() -> None:
    kept = [line for line in REFERENCE.splitlines() if "cluster-ips" not in line]
    assert [c.text for c in parse(REFERENCE) if c.name != "cluster-ips"] == kept


@pytest.mark.parametrize("gap", [" ", "  "])
def test_an_element_is_read_however_wide_its_gaps(gap: str) -> None:
    inside = gap.join(["{", "10.96.0.3 . tcp . 80", 'comment "ns/web:http"', ":", "goto reject-chain", "}"])
    (command,) = parse(f"add element ip kube-proxy no-endpoint-services {inside}")
    assert (command.key, command.comment, command.value) == ("10.96.0.3 . tcp . 80", "ns/web:http", "goto reject-chain")


def test_a_comment_may_hold_what_separates_elements() -> None:
    (command,) = [c for c in parse(REFERENCE) if c.name == "no-endpoint-services"]
    assert command.comment == "ns/a,b:tcp"


@given(st.lists(elements(), min_size=1, max_size=4))
def test_what_is_put_together_is_taken_apart_into_the_same(some: list[tuple[str, str, str]]) -> None:
    commands = tuple(
        Command("add", "element", "ip", "kube-proxy", "service-ips", "{ }").with_element(key=key, value=value)
        for key, _, value in some
    )
    assert parse(render(commands)) == commands
    assert [(c.key, c.value) for c in parse(render(commands))] == [(key, value) for key, _, value in some]


@given(st.lists(elements(), min_size=1, max_size=4))
def test_several_elements_in_one_command_keep_key_comment_and_value(some: list[tuple[str, str, str]]) -> None:
    inside = ", ".join(
        key + (f' comment "{comment}"' if comment else "") + (f" : {value}" if value else "")
        for key, comment, value in some
    )
    commands = parse(f"add element ip kube-proxy service-ips {{ {inside} }}\n")
    assert [(c.key, c.comment, c.value) for c in commands] == some
    assert parse(render(commands)) == commands


@given(words, words, st.lists(words, max_size=5))
def test_a_rule_is_kept_word_for_word(chain: str, first: str, rest: list[str]) -> None:
    line = " ".join(["add rule ip6 kube-proxy", chain, first, *rest])
    assert render(parse(line)) == f"{line}\n"
