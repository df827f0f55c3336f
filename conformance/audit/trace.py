"""From what ``nft monitor trace`` prints to the ways of packets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from conformance.model.way import ACCEPT, ASKED, BEACONS, DROP, LAST, Passage, Step, Way

MOST_PACKETS = 200
"""Of one node: a dial of TCP has about ten."""
_PACKET = "packet: "
_COUNTER = re.compile(r"counter packets \d+ bytes \d+ ?")
_BEACONS = {("127.0.0.1", port) for port in BEACONS}
_LINE = re.compile(r"trace id (?P<id>[0-9a-f]+) (?P<table>\S+ \S+) (?P<chain>\S+) (?P<what>\S.*)")
_RULE = re.compile(r"(?:rule |unknown )(?P<rule>.*?) ?\(verdict (?P<verdict>[^()]+)\)")
_ADDRESS = {way: re.compile(rf"\bip6? {way} (\S+)") for way in ("saddr", "daddr")}
_PORT = {way: re.compile(rf"\b(?:tcp|udp|sctp|dccp|udplite|th) {way} (\d{{1,5}})\b") for way in ("sport", "dport")}
_DEVICE = {word: re.compile(rf'\b{word}(?:name)? "([^"]*)"') for word in ("iif", "oif")}
_NOTES = (
    re.compile(r"\btcp flags (?:== )?([a-z |,]+?)(?= tcp | ?@|$)"),
    re.compile(r"\bicmp(?:v6|x)? type (\S+)(?: icmp(?:v6|x)? code (\S+))?"),
)


def read_trace(lines: Iterable[str], node: str) -> tuple[Way, ...]:
    """The packets that came by ``node``, in the order of their first lines; lines of other kinds are passed over.

    A packet has a new `Passage` for each base chain, which a packet line begins. Formats of nft 1.0 and 1.1; counters
    are left out of rules, for they say nothing of this packet.
    """
    packets: list[list[Passage]] = []
    latest: dict[str, list[Passage]] = {}
    for line in lines:
        found = _LINE.match(line.strip())
        if not found:
            continue
        known = latest.get(found["id"])
        if known is None or _is_next(known, found["table"], found["chain"], found["what"]):
            if len(packets) == MOST_PACKETS:
                continue
            known = latest[found["id"]] = []
            packets.append(known)
        _take(known, found["table"], found["chain"], found["what"])
    return tuple(Way(node, tuple(passages)) for passages in packets if passages)


def of_dial(ways: Iterable[Way], dialled: tuple[str, int], own: str) -> tuple[Way, ...]:
    """The first packet of each direction of each connection that began with a dial of ``dialled`` (address, port).

    Of the table that marks them (``own``) those chains stay that a packet came by first and last: they show that it
    came, and how it went. Probes that kubelets send to endpoints meanwhile are left out.
    """
    every = [way for way in ways if (way.first.destination, way.first.port) not in _BEACONS]
    asking = [way for way in every if way.first.destination == dialled[0] and way.first.port in (dialled[1], 0)]
    onward = [
        way for way in every if way.first.table == own and way.first.chain.startswith(ASKED) and way not in asking
    ]
    sources = {(p.source, p.source_port) for way in (*asking, *onward) for p in way.passages}
    hosts = {source for source, _ in sources}
    found: dict[tuple[object, ...], Way] = {}
    for way in every:
        first = way.first
        answer = first.destination in hosts if not first.port else (first.destination, first.port) in sources
        if way not in asking and way not in onward and not answer:
            continue
        note = "" if first.port else first.note
        key = (way.node, first.source, first.source_port, first.destination, first.port, note)
        found.setdefault(key, replace(way, passages=tuple(_without(way.passages, own))))
    return tuple(found.values())


def _is_next(known: Sequence[Passage], table: str, chain: str, what: str) -> bool:
    """Whether a line is about another packet than ``known``, which had the same number: the kernel uses them again."""
    if not what.startswith(_PACKET) or not known:
        return False
    ended = known[-1].end == DROP or Way("", tuple(known)).whole
    return ended or any((one.table, one.chain) == (table, chain) for one in known)


def _without(passages: Sequence[Passage], own: str) -> Iterator[Passage]:
    for number, one in enumerate(passages):
        if one.table != own:
            yield one
        elif number == 0 or one.chain.startswith(LAST):
            yield replace(one, steps=())


def _take(passages: list[Passage], table: str, chain: str, what: str) -> None:
    if what.startswith(_PACKET):
        passages.append(_passage(table, chain, what))
    elif passages and passages[-1].table == table:
        for step in _steps(chain, what):
            last = passages[-1]
            end = step.verdict if step.verdict in (ACCEPT, DROP) else last.end
            passages[-1] = replace(last, steps=(*last.steps, step), end=end)


def _steps(chain: str, what: str) -> Iterator[Step]:
    if rule := _RULE.match(what):
        yield Step(chain, " ".join(_COUNTER.sub("", rule["rule"]).split()), rule["verdict"].strip())
    elif what.startswith(("policy ", "verdict ")):
        kind, verdict = what.split()[:2]
        yield Step(chain, "" if kind == "policy" else "(end of the chain)", verdict)


def _passage(table: str, chain: str, packet: str) -> Passage:
    def one(pattern: re.Pattern[str]) -> str:
        found = pattern.search(packet)
        return found[1] if found else ""

    notes = [" ".join(filter(None, found.groups())) for pattern in _NOTES if (found := pattern.search(packet))]
    return Passage(
        table,
        chain,
        source=one(_ADDRESS["saddr"]),
        source_port=int(one(_PORT["sport"]) or 0),
        destination=one(_ADDRESS["daddr"]),
        port=int(one(_PORT["dport"]) or 0),
        iif=one(_DEVICE["iif"]),
        oif=one(_DEVICE["oif"]),
        note=", ".join(notes),
    )
