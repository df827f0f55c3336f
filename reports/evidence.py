"""The evidence of failing cells as files: a folder a cell, for a person with an editor, or attached to a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from conformance.model.printable import printable
from conformance.model.result import Result
from conformance.model.way import Passage, Way
from conformance.results.lines import EndpointPod, Evidence, NodeState
from conformance.results.run import Run
from reports.embedded import as_yaml
from reports.files import EVIDENCE, write_whole

_OTHER = re.compile(r"[^A-Za-z0-9._-]")
_MARK = "  <== here"


def folder_of(identity: str) -> str:
    """The folder of a cell, below that of the reports: of its own ID alone, whatever else a cluster says."""
    return f"{EVIDENCE}/{_OTHER.sub('_', identity).lstrip('.')}"


def write(output: Path, run: Run) -> None:
    """Write all evidence of a run; `EnvironmentFault` when the folder cannot be written."""
    for one in run.results:
        if found := run.evidence.get(one.id):
            for name, text in _files(run, one, found):
                write_whole(output / folder_of(one.id) / name, text.encode("utf-8", "replace"))


def way_lines(evidence: Evidence) -> list[str]:
    """The ways of the packets, a line a base chain and a rule; where they diverged is marked."""
    lines: list[str] = []
    for number, way in enumerate(evidence.ways):
        lines += ["", f"{way.node}: {_packet(way.first)}"] if number else [f"{way.node}: {_packet(way.first)}"]
        lines += _passages(way, evidence.divergence.passage if number == evidence.divergence.way else -1)
    return [printable(line) for line in lines]


def told(pod: EndpointPod) -> str:
    """A pod of an endpoint in a line."""
    return f"{pod.name} on {pod.node}: {'ready' if pod.ready else 'not ready'}, {' '.join(pod.addresses)}"


def node_lines(one: NodeState) -> list[str]:
    """What a node had for the Service."""
    lines = [f"# {one.node}", *(f"# not read: {why}" for why in one.unread)]
    lines += ["", "# rules", *one.rules] if one.rules else []
    lines += ["", "# connection tracking", *(one.conntrack or ("# no entry of the dial",))]
    return [printable(line) for line in lines]


def _files(run: Run, one: Result, found: Evidence) -> Iterator[tuple[str, str]]:
    objects = [plain for name in one.objects if name in run.objects for plain in run.objects[name].objects]
    if objects:
        yield "service.yaml", as_yaml(objects)
    if found.pods:
        rows = (
            f"{p.name} on {p.node}: {'ready' if p.ready else 'not ready'}, {' '.join(p.addresses)}" for p in found.pods
        )
        yield "endpoints.txt", "".join(f"{printable(row)}\n" for row in rows)
    for node in found.nodes:
        yield f"node-{_OTHER.sub('_', node.role) or 'other'}.txt", _text(node_lines(node))
    head = [
        f"{label:<9} {printable(text)}"
        for label, text in (
            ("promise", one.promise),
            ("owed", found.owed and f"the packet {found.owed}"),
            ("dialled", found.dialled),
            ("diverged", found.divergence.sentence),
            ("untraced", found.untraced),
        )
        if text
    ]
    yield "way.txt", _text([*head, "", *way_lines(found)])


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _packet(first: Passage) -> str:
    return f"{_socket(first.source, first.source_port)} -> {_socket(first.destination, first.port)}" + (
        f" {first.note}" if first.note else ""
    )


def _passages(way: Way, marked: int) -> Iterator[str]:
    before = way.first
    for number, passage in enumerate(way.passages):
        changed = [
            f"{what} now {_socket(*now)}"
            for what, now, then in (
                ("source", (passage.source, passage.source_port), (before.source, before.source_port)),
                ("destination", (passage.destination, passage.port), (before.destination, before.port)),
            )
            if now != then
        ]
        before = passage
        wires = " ".join(f"{w} {d}" for w, d in (("iif", passage.iif), ("oif", passage.oif)) if d)
        words = [f"  {passage.table} {passage.chain}", f"({wires})" if wires else "", "; ".join(changed)]
        yield "  ".join(filter(None, words)) + (_MARK if number == marked else "")
        for step in passage.steps:
            rule = step.rule or f"policy {step.verdict}"
            yield f"    {step.chain}: {rule}" + (f"  -> {step.verdict}" if step.rule else "")


def _socket(ip: str, port: int) -> str:
    return (f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}") if port else ip
