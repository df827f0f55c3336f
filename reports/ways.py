"""Ways of packets, and what nodes had for a Service, as lines for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conformance.model.printable import printable
from conformance.model.way import ANSWERED, ASKED, LAST, Passage, Step, Way
from conformance.results.lines import EndpointPod, NodeState

_HERE = "  <== here it diverged"
_LAST = {"input": "is handed to a process of the node", "forward": "is to be forwarded", "postrouting": "leaves"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A base chain on a packet's way: its name, how the packet had been rewritten before it, and what matched.

    ``rules`` are chain, rule and verdict each, the latter empty where the rule says it.
    """

    title: str
    rewritten: str
    rules: tuple[tuple[str, str, str], ...]


def packet(way: Way) -> str:
    """Which packet it is, as it was seen first, and where."""
    first = way.first
    ends = f"{_socket(first.source, first.source_port)} → {_socket(first.destination, first.port)}"
    return f"{way.node}: {ends}" + (f" ({first.note})" if first.note else "")


def stages(way: Way) -> Iterator[Stage]:
    """The base chains in order."""
    before = way.first
    for passage in way.passages:
        pairs = (
            ("source", (passage.source, passage.source_port), (before.source, before.source_port)),
            ("destination", (passage.destination, passage.port), (before.destination, before.port)),
        )
        rewritten = "; ".join(f"{what} is now {_socket(*now)}" for what, now, then in pairs if now != then)
        before = passage
        yield Stage(_title(passage), rewritten, tuple(map(_rule, passage.steps)))


def way_lines(ways: Iterable[Way], diverged: tuple[int, int]) -> list[str]:
    """All of them as text; ``diverged`` is the number of a way and of a base chain on it."""
    lines: list[str] = []
    for number, way in enumerate(ways):
        lines += ["", packet(way)]
        for at, stage in enumerate(stages(way)):
            lines += [f"  * {stage.rewritten}"] if stage.rewritten else []
            lines.append(f"  {stage.title}{_HERE if (number, at) == diverged else ''}")
            lines += [f"    {chain}: {rule}{verdict and f'  -> {verdict}'}" for chain, rule, verdict in stage.rules]
    return [printable(line) for line in lines[1:]]


def node_lines(one: NodeState) -> list[str]:
    """What a node had for the Service, and of the dial."""
    lines = [*(f"# not read: {why}" for why in one.unread), *one.rules]
    if not any(why.startswith("conntrack: ") for why in one.unread) and (one.rules or one.conntrack):
        lines += ["", "# connection tracking", *(one.conntrack or ("# no entry of the dial",))]
    return [printable(line) for line in lines]


def pod_line(pod: EndpointPod) -> str:
    """A pod of an endpoint."""
    return printable(f"{pod.name} on {pod.node}: {'ready' if pod.ready else 'not ready'}, {' '.join(pod.addresses)}")


def _rule(step: Step) -> tuple[str, str, str]:
    """A verdict that the rule itself names is not said twice."""
    said = step.rule or f"policy {step.verdict}"
    return step.chain, said, "" if said.endswith(step.verdict) else step.verdict


def _title(passage: Passage) -> str:
    wires = " ".join(f"{word} {device}" for word, device in (("iif", passage.iif), ("oif", passage.oif)) if device)
    where = f" ({wires})" if wires else ""
    if passage.table.startswith("inet nftconform-"):
        kind, _, hook = passage.chain.partition("-")
        if f"{kind}-" in (ASKED, ANSWERED):
            return f"comes by at {hook}{where}"
        if f"{kind}-" == LAST:
            return f"{_LAST.get(hook, hook)}{where}"
    return f"{passage.table} {passage.chain}{where}"


def _socket(ip: str, port: int) -> str:
    return (f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}") if port else ip
