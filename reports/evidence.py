"""The evidence of failing cells as files: a folder a cell, for a person with an editor, or attached to a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from conformance.model.printable import printable
from conformance.model.result import Result
from conformance.results.lines import Evidence
from conformance.results.run import Run
from reports.embedded import as_yaml
from reports.files import EVIDENCE, write_whole
from reports.ways import node_lines, pod_line, way_lines

WAY = "way.txt"
"""The file that says most of all."""
_OTHER = re.compile(r"[^A-Za-z0-9._-]")


def folder_of(identity: str) -> str:
    """The folder of a cell, below that of the reports: of its own ID alone, whatever else a cluster says."""
    return f"{EVIDENCE}/{_OTHER.sub('_', identity).lstrip('.')}"


def write(output: Path, run: Run) -> None:
    """Write all evidence of a run; `EnvironmentFault` when the folder cannot be written."""
    for one in run.results:
        if found := run.evidence.get(one.id):
            for name, lines in _files(run, one, found):
                text = lines if isinstance(lines, str) else "".join(f"{line}\n" for line in lines)
                write_whole(output / folder_of(one.id) / name, text.encode("utf-8", "replace"))


def _files(run: Run, one: Result, found: Evidence) -> Iterator[tuple[str, str | list[str]]]:
    objects = [plain for name in one.objects if name in run.objects for plain in run.objects[name].objects]
    if objects:
        yield "service.yaml", as_yaml(objects)
    if found.pods:
        yield "endpoints.txt", [pod_line(pod) for pod in found.pods]
    for number, node in enumerate(found.nodes, 1):
        yield f"node-{_OTHER.sub('_', node.role) or number}.txt", [f"# {printable(node.node)}", *node_lines(node)]
    rows = (
        ("promise", one.promise),
        ("expected", found.owed and f"the packet {found.owed}"),
        ("dialled", found.dialled),
        ("diverged", found.divergence.sentence),
        ("untraced", found.untraced),
    )
    lines = [f"{label:<9} {printable(text)}" for label, text in rows if text]
    yield WAY, [*lines, "", *way_lines(found.ways, (found.divergence.way, found.divergence.passage))]
