"""A run as Markdown: for a step summary, a pull request or an issue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from conformance.compatibility.diagnosis import Diagnosis, diagnose
from conformance.judge import explain
from conformance.model.result import Result, by_area
from conformance.model.verdict import Status
from conformance.results.run import Run
from conformance.spec.causes import known
from reports.causes import told, unexplained
from reports.facts import described
from reports.markdown import fenced, plain, row

MOST_BLOCKS = 20
"""GitHub takes a step summary of 1 MiB, and a comment of 64 KiB."""


def document(run: Run) -> str:
    """The verdict, what the cluster is, numbers by area, failures with their blocks, and what was not asked and why."""
    head, conclusion = run.header, run.conclusion
    lines = [f"# nftconform: {conclusion.name.lower()}\n", *(f"**{trouble}**\n" for trouble in run.troubles)]
    lines += [row("", ""), row("---", "---")]
    about = described(run.facts, head.nodes, head.families, head.profile) | {"kit": head.kit, "started": head.started}
    lines += [row(name, plain(value)) for name, value in about.items()]
    lines += ["", *_numbers(run.results)]
    lines += causes_section(diagnose(run, known()), "##")
    lines += _broken("Failures", [r for r in run.results if r.status is Status.FAILED], head.again)
    lines += _broken("Could not be asked", [r for r in run.results if r.status is Status.UNKNOWN], head.again)
    for title, status in (
        ("Known issues", Status.KNOWN_ISSUE),
        ("Not applicable", Status.NOT_APPLICABLE),
        ("Recorded, not judged", Status.RECORDED),
    ):
        lines += _counted(title, [r for r in run.results if r.status is status])
    return "\n".join(lines) + "\n"


def causes_section(diagnosis: Diagnosis, level: str) -> Iterable[str]:
    """The probable causes below a heading of this level; nothing where the pattern of the failures says nothing."""
    if not diagnosis.found:
        return
    yield f"\n{level} Probable cause\n"
    for one in told(diagnosis):
        links = "".join(f" <{link}>" for link in one.links)
        yield f"- **{plain(one.headline)}**: {plain(one.evidence)}. {plain(one.told)} {plain(one.remedy)}{links}"
    if rest := unexplained(diagnosis):
        yield f"- {plain(rest)}."


def _numbers(results: Collection[Result]) -> Iterable[str]:
    shown = [status for status in Status if any(r.status is status for r in results)]
    yield row("area", "cells", *(status.value for status in shown))
    yield row("---", *["---:"] * (len(shown) + 1))
    for area, members in [*by_area(results).items(), ("all", results)]:
        counted = Counter(r.status for r in members)
        yield row(plain(area), len(members), *(counted[status] for status in shown))


def _broken(title: str, results: Collection[Result], options: str) -> Iterable[str]:
    if not results:
        return
    yield f"\n## {title}: {len(results)}\n"
    for number, one in enumerate(results):
        if number == MOST_BLOCKS:
            yield f"- ... and {len(results) - number} more"
            return
        block = explain(one, options)
        yield f"- **{plain(one.id)}** {plain(one.promise if block else one.message)}"
        if block:
            yield f"\n{fenced(block)}\n"


def _counted(title: str, results: Collection[Result]) -> Iterable[str]:
    if results:
        yield f"\n## {title}: {len(results)}\n"
    for reason, count in Counter(r.message for r in results).most_common(MOST_BLOCKS):
        yield f"- {count} cells: {plain(reason)}"
