"""Mutants: drawn from what was written, named so that another lab knows the command, and put in without a trace."""

from __future__ import annotations

import random

import pytest

from conformance.judge.mutants import Equivalence, Fate, Mutant, equivalences, score, weighed
from conformance.lab.faults.board import MUTANT, Switch
from conformance.lab.faults.mutation import Kind, Mutation, mutate, shape
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Transaction, parse, render
from conformance.selftest.mutants import draw
from reports import mutants

FULL = """\
add table ip kube-proxy { comment "rules for kube-proxy" ; }
add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; }
flush map ip kube-proxy service-ips
add rule ip kube-proxy services ip daddr . meta l4proto . th dport vmap @service-ips
add rule ip kube-proxy services fib daddr type local ip daddr != 127.0.0.0/8 drop
add rule ip kube-proxy masquerading mark and 0x4000 == 0 return
add rule ip kube-proxy service-AAAAAAAA-nftconform-0a1b2c/web/tcp/http numgen random mod 2 map { 0 : 10.244.1.5 . 80 }
add element ip kube-proxy service-ips { 10.96.3.4 . tcp . 80 : goto service-AAAAAAAA-nftconform-0a1b2c/web/tcp/http }
add element ip kube-proxy service-ips { 10.96.3.5 . tcp . 80 : goto service-BBBBBBBB-nftconform-0a1b2c/api/tcp/http }
add element ip kube-proxy no-endpoint-services { 10.96.3.6 . tcp . 80 comment "nftconform-0a1b2c/none:80" : drop }
"""
PARTIAL = """\
delete element ip kube-proxy service-ips { 10.96.3.4 . tcp . 80 }
add element ip kube-proxy service-ips { 10.96.3.9 . tcp . 80 : goto service-AAAAAAAA-nftconform-0a1b2c/web/tcp/http }
"""


def scene(kind: Kind, line: str, *, ordinal: int = 0, token: int = 0) -> Scene:
    [command] = parse(line)
    return Scene(Switch(MUTANT, detail=Mutation(kind, shape(command), ordinal, token).to_json()), "node-a")


def line(text: str, start: str) -> str:
    return next(each for each in text.splitlines() if each.startswith(start))


def suffered(one: Scene, text: str) -> list[str]:
    return render(mutate(parse(text), one)).splitlines()


def test_another_lab_knows_the_command_again() -> None:
    there = FULL.replace("0a1b2c", "ffffff").replace("AAAAAAAA", "ZZZZZZZZ").replace("10.96.3.", "10.96.77.")
    here, other = parse(FULL), parse(there.replace("10.244.1.5", "10.244.1.9"))
    assert [shape(c) for c in here] == [shape(c) for c in other]
    assert render(here) != render(other)
    [moved] = parse(line(FULL, "add rule ip kube-proxy service-").replace("10.244.1.5", "10.244.2.5"))
    assert shape(moved) not in {shape(c) for c in here}, "an endpoint on another node is another one"


def test_a_dropped_element_is_not_deleted_later() -> None:
    one = scene(Kind.DROP_ELEMENT, line(FULL, "add element ip kube-proxy service-ips { 10.96.3.4"))
    assert suffered(one, FULL) == [each for each in FULL.splitlines() if "10.96.3.4 " not in each]
    assert suffered(one, PARTIAL) == PARTIAL.splitlines()[1:]
    assert one.memory["hits"] == 1
    assert one.memory["after"] == "nothing"


def test_an_element_with_another_key_is_deleted_by_that_key() -> None:
    one = scene(Kind.CHANGE_ADDRESS, line(FULL, "add element ip kube-proxy service-ips { 10.96.3.4"))
    assert line(
        "\n".join(suffered(one, FULL)), "add element ip kube-proxy service-ips { 10.96.3.5 . tcp . 80 : goto service-A"
    )
    assert suffered(one, PARTIAL)[0] == "delete element ip kube-proxy service-ips { 10.96.3.5 . tcp . 80 }"


def test_two_verdicts_are_swapped() -> None:
    before = [line(FULL, f"add element ip kube-proxy service-ips {{ 10.96.3.{n}") for n in (4, 5)]
    after = suffered(scene(Kind.SWAP_VERDICTS, before[0]), FULL)
    assert [each for each in after if each not in FULL.splitlines()] == [
        before[0].replace("AAAAAAAA", "BBBBBBBB").replace("/web/", "/api/"),
        before[1].replace("BBBBBBBB", "AAAAAAAA").replace("/api/", "/web/"),
    ]


@pytest.mark.parametrize(
    ("start", "token", "kind", "became"),
    [
        ("add rule ip kube-proxy masquerading", 0, Kind.CHANGE_NUMBER, "mark and 0x8000 == 0 return"),
        ("add rule ip kube-proxy masquerading", 1, Kind.CHANGE_NUMBER, "mark and 0x4000 == 1 return"),
        ("add rule ip kube-proxy service-", 0, Kind.CHANGE_NUMBER, "numgen random mod 3 map { 0 : 10.244.1.5 . 80 }"),
        ("add rule ip kube-proxy service-", 2, Kind.CHANGE_NUMBER, "numgen random mod 2 map { 0 : 10.244.1.5 . 81 }"),
        ("add rule ip kube-proxy service-", 0, Kind.CHANGE_ADDRESS, "numgen random mod 2 map { 0 : 10.244.1.4 . 80 }"),
        ("add rule ip kube-proxy services fib", 0, Kind.CHANGE_ADDRESS, "type local ip daddr != 127.0.0.0/9 drop"),
    ],
)  # fmt: skip
def test_numbers_and_addresses_change_a_little(start: str, token: int, kind: Kind, became: str) -> None:
    [changed] = set(suffered(scene(kind, line(FULL, start), token=token), FULL)) - set(FULL.splitlines())
    assert changed.endswith(became)


def test_a_rule_goes_or_moves_up_and_only_where_there_is_another_before() -> None:
    rules = [each for each in FULL.splitlines() if each.startswith("add rule ip kube-proxy services")]
    assert rules[1] not in suffered(scene(Kind.REMOVE_RULE, rules[1]), FULL)
    moved = [each for each in suffered(scene(Kind.REORDER_RULE, rules[1]), FULL) if each in rules]
    assert moved == rules[::-1]
    assert suffered(scene(Kind.REORDER_RULE, rules[0]), FULL) == FULL.splitlines()


def test_a_transaction_is_lost_once() -> None:
    one = scene(Kind.LOSE_TRANSACTION, line(FULL, "add rule ip kube-proxy masquerading"))
    assert suffered(one, PARTIAL) == PARTIAL.splitlines()
    assert suffered(one, FULL) == []
    assert suffered(one, FULL) == FULL.splitlines()


def test_of_commands_with_one_shape_the_chosen_one_is_meant_however_often_it_comes() -> None:
    element = "add element ip kube-proxy cluster-ips {{ 10.96.0.{} }}"
    three = "".join(f"{element.format(n)}\n" for n in (1, 2, 3))
    one = scene(Kind.DROP_ELEMENT, element.format(1), ordinal=1)
    for _ in range(2):
        assert suffered(one, three) == [element.format(1), element.format(3)]
    assert suffered(one, element.format(3)) == [element.format(3)]


def test_every_draw_comes_by_in_the_run_that_it_was_drawn_from() -> None:
    corpus: dict[str, list[Transaction]] = {"node-a": [parse(FULL), parse(PARTIAL)]}
    rng = random.Random(1)
    kinds = set()
    for number in range(150):
        draft = draw(corpus, number, rng)
        kinds.add(draft.mutation.kind)
        one = Scene(Switch(MUTANT, detail=draft.mutation.to_json()), "node-a")
        changed = [mutate(transaction, one) != transaction for transaction in corpus["node-a"]]
        assert any(changed), draft
        assert one.memory["hits"] >= 1
        assert draft.node in ("", "node-a")
        assert draft.service in ("", "web", "api", "none")
    assert kinds == set(Kind)


def test_a_survivor_with_a_written_reason_is_counted_apart() -> None:
    known = [Equivalence(equivalences()[0].was, equivalences()[0].became, "only the comment differs")]
    alive = Mutant(1, "k", "", Fate.SURVIVED, 'add chain ip kube-proxy a { comment "x" ; }', "... comment ...")
    other = Mutant(2, "k", "", Fate.SURVIVED, "add rule ip kube-proxy a drop", "nothing")
    dead = Mutant(3, "k", "", Fate.KILLED, alive.was, alive.became)
    found = [weighed(each, known) for each in (alive, other, dead, Mutant(4, "k", "", Fate.STILLBORN))]
    assert [each.fate for each in found] == [Fate.EQUIVALENT, Fate.SURVIVED, Fate.KILLED, Fate.STILLBORN]
    assert found[0].reason == "only the comment differs"
    assert score(found) == (1, 2)


def test_what_is_kept_of_a_hunt_can_be_read_again_and_shows_every_survivor() -> None:
    found = [
        Mutant(0, "drop an element", "node-a", Fate.KILLED, by=("CIP-01.ipv4-tcp", "NOD-01.ipv4")),
        Mutant(1, "drop an element", "", Fate.KILLED, by=("NOD-01.ipv4", "NOD-02.ipv4")),
        Mutant(2, "remove a rule", "node-b", Fate.SURVIVED, "add rule ip kube-proxy a drop", "nothing"),
        Mutant(3, "change a number", "", Fate.EQUIVALENT, "a | b", "c", reason="only the comment differs"),
        Mutant(4, "change a number", "", Fate.STILLBORN, "d", "e"),
    ]
    hunt = mutants.hunted(found, "2026-11-27", 7)
    assert (hunt.killed, hunt.counted, hunt.by_rules_alone) == (2, 3, 1)
    assert mutants.read(mutants.kept(hunt)) == hunt
    said = mutants.summary(hunt)
    assert said.startswith("2 of 3 mutants killed (66.7%), 1 of them by reading the nodes' rules alone; seed 7.")
    assert said.endswith("Apart: 1 equivalent, 1 nft did not take it.")
    lines = mutants.section(hunt)
    assert "`nftconform selftest --mutate 3 --seed 7`" in lines[1]
    assert "| survived | remove a rule | `add rule ip kube-proxy a drop` | `nothing` |  |" in lines
    assert "| equivalent | change a number | `a \\| b` | `c` | only the comment differs |" in lines
    assert not any("stillborn" in one for one in lines)


OTHER_PORT = (
    'add element ip kube-proxy no-endpoint-services {{ {} comment "nftconform-1/cip-web-a:tcp" : goto reject-chain }}'
)


def test_another_port_of_the_same_address_is_refused_anyway_and_another_address_is_not() -> None:
    def alive(became: str) -> Mutant:
        was = OTHER_PORT.format("10.96.20.35 . tcp . 80")
        return weighed(Mutant(1, "k", "", Fate.SURVIVED, was, OTHER_PORT.format(became)), equivalences())

    assert alive("10.96.20.35 . tcp . 81").fate is Fate.EQUIVALENT
    assert alive("10.96.20.36 . tcp . 80").fate is Fate.SURVIVED


TRANSIENT = 'add element ip kube-proxy no-endpoint-{} {{ udp . 31157 comment "nftconform-0aba26/{}:udp" : {} }}'


@pytest.mark.parametrize(
    ("where", "service", "verdict", "became", "excused"),
    [
        ("nodeports", "lb-itpl-host-b", "goto reject-chain", "nothing", True),
        ("services", "cip-aff-web-a-web-b", "goto reject-chain", "nothing", True),
        # Only a Local policy drops, and it does so for good; without endpoints a Service refuses for good.
        ("nodeports", "lb-itpl-host-b", "drop", "nothing", False),
        ("services", "cip-none", "goto reject-chain", "nothing", False),
        ("nodeports", "lb-itpl-host-b", "goto reject-chain", "the same with drop", False),
    ],
)
def test_a_reason_that_was_written_since_counts(
    where: str, service: str, verdict: str, became: str, excused: bool
) -> None:
    alive = Mutant(1, "drop an element", "", Fate.SURVIVED, TRANSIENT.format(where, service, verdict), became)
    then = mutants.hunted([alive, Mutant(2, "k", "", Fate.KILLED)], "2026-11-27", 7)
    assert (then.killed, then.counted) == (1, 2)
    now = mutants.read(mutants.kept(then))
    assert (now.killed, now.counted, now.hunted) == (1, 1 if excused else 2, 2)
