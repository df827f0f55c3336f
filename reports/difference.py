"""Two runs compared, as text, as Markdown for a step summary, and as JSON; and what the gate says of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from conformance.compare.changes import Change, Comparison, Kind
from conformance.compare.gate import Acceptance, Ruling
from conformance.model.printable import printable
from conformance.results.run import Run
from conformance.spec.mode_differences import Difference
from reports.markdown import plain, row

MOST_GROUPS, MOST_CELLS = 40, 3
"""Of a kind, and of a group, in text and Markdown; JSON has all."""
_TITLES = {
    Kind.NEWLY_FAILING: "Newly failing",
    Kind.STILL_FAILING: "Still failing",
    Kind.NO_LONGER_ASKED: "No longer asked",
    Kind.CHANGED: "Changed, and not documented",
    Kind.DOCUMENTED: "Changed as documented",
    Kind.NEWLY_PASSING: "Newly passing",
    Kind.NEWLY_ASKED: "Newly asked",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Changes of one kind that belong together: those of a case, or those that one sentence documents."""

    name: str
    told: str
    changes: tuple[Change, ...]

    @property
    def ways(self) -> list[tuple[tuple[str, str], int]]:
        """What was and is, with the number of cells, the commonest first."""
        return Counter(one.words for one in self.changes).most_common()


def text(comparison: Comparison, ruling: Ruling | None) -> str:
    """For a terminal or a log."""
    lines = [f"before  {_run(comparison.before)}", f"after   {_run(comparison.after)}"]
    for title, groups, count in _sections(comparison):
        lines += ["", f"{title}: {count}"]
        for group in groups[:MOST_GROUPS]:
            lines.append(f"  {group.name}  {_cells(group)}  {group.told}")
            for (was, now), number in group.ways[:MOST_CELLS]:
                lines.append(f"      {number}x {was} -> {now}, as {_example(group, (was, now))}")
        lines += [f"  ... and {len(groups) - MOST_GROUPS} more"] if len(groups) > MOST_GROUPS else []
    lines += ["", *(f"not to be seen in a run: {_documented(one)}" for one in comparison.unseen)]
    lines += [f"{comparison.same} cells are as before"]
    lines += list(_ruled(ruling)) if ruling else []
    return "\n".join(printable(line) for line in lines) + "\n"


def markdown(comparison: Comparison, ruling: Ruling | None) -> str:
    """For GITHUB_STEP_SUMMARY, a pull request or an issue."""
    verdict = "" if ruling is None else f": the gate {'opens' if ruling.passes else 'stays shut'}"
    lines = [f"# nftconform: what changed{verdict}\n", row("", ""), row("---", "---")]
    lines += [row("before", plain(_run(comparison.before))), row("after", plain(_run(comparison.after))), ""]
    lines += [f"- {plain(line)}" for line in _ruled(ruling)] if ruling else []
    for title, groups, count in _sections(comparison):
        lines += [f"\n## {title}: {count}\n", row("", "cells", "before", "after", "for example"), row(*["---"] * 5)]
        for group in groups[:MOST_GROUPS]:
            head = f"**{plain(group.name)}** {plain(group.told)}"
            for (was, now), number in group.ways[:MOST_CELLS]:
                lines.append(row(head, number, plain(was), plain(now), plain(_example(group, (was, now)))))
                head = ""
        lines += [f"\n... and {len(groups) - MOST_GROUPS} more"] if len(groups) > MOST_GROUPS else []
    lines += ["", *(f"- Not to be seen in a run: {plain(_documented(one))}" for one in comparison.unseen)]
    lines += [f"\n{comparison.same} cells are as before."]
    return "\n".join(lines) + "\n"


def as_json(comparison: Comparison, ruling: Ruling | None) -> str:
    """Every change; ``gate`` is null where none was asked for."""
    changes = [
        {
            "kind": one.kind.value,
            "id": one.cell.id,
            "case": one.cell.case,
            "level": one.cell.level.value,
            "promise": one.cell.promise,
            "before": one.words[0],
            "after": one.words[1],
            "difference": one.difference.id if one.difference else None,
        }
        for one in comparison.changes
    ]
    whole = {
        "before": _about(comparison.before),
        "after": _about(comparison.after),
        "counts": {kind.value: len(comparison.of(kind)) for kind in Kind},
        "same": comparison.same,
        "changes": changes,
        "unseen": [{"id": d.id, "sentence": d.sentence, "source": d.source} for d in comparison.unseen],
        "gate": _gate(ruling),
    }
    return json.dumps(whole, indent=1) + "\n"


FORMATS: Mapping[str, Callable[[Comparison, Ruling | None], str]] = {
    "text": text,
    "markdown": markdown,
    "json": as_json,
}


def _sections(comparison: Comparison) -> Iterator[tuple[str, list[Group], int]]:
    for kind, title in _TITLES.items():
        changes = comparison.of(kind)
        if changes:
            yield title, list(_groups(changes)), len(changes)


def _groups(changes: Iterable[Change]) -> Iterator[Group]:
    """By sentence, or by case; in the order in which they come."""
    found: dict[tuple[str, str], list[Change]] = {}
    for one in changes:
        if one.difference:
            key = (one.difference.id, _documented(one.difference))
        else:
            key = (one.cell.case, f"{one.cell.level.value}  {one.cell.promise}")
        found.setdefault(key, []).append(one)
    for (name, told), members in found.items():
        yield Group(name, told, tuple(members))


def _cells(group: Group) -> str:
    return f"{len(group.changes)} cell{'s' * (len(group.changes) > 1)}"


def _example(group: Group, words: tuple[str, str]) -> str:
    return next(one.cell.id for one in group.changes if one.words == words)


def _documented(one: Difference) -> str:
    return f"{one.sentence} <{one.source}>"


def _run(run: Run) -> str:
    about = _about(run)
    troubles = "".join(f" {trouble}" for trouble in run.troubles)
    return (
        f"{about['mode']}, {about['kubernetes']}, {about['started']}: {about['conclusion']}, {about['cells']} cells."
        f"{troubles}"
    )


def _about(run: Run) -> dict[str, object]:
    mode = run.facts.proxy_mode.value
    return {
        "mode": mode.value if mode else "mode unknown",
        "kubernetes": run.facts.version.value or "version unknown",
        "kit": run.header.kit,
        "profile": run.header.profile.value,
        "started": run.header.started,
        "conclusion": run.conclusion.name.lower(),
        "cells": len(run.results),
        "troubles": list(run.troubles),
    }


def _ruled(ruling: Ruling) -> Iterator[str]:
    yield from ruling.troubles
    if ruling.blocking:
        cases = Counter(f"{one.cell.case} ({one.kind.value})" for one in ruling.blocking)
        named = ", ".join(f"{count} of {case}" for case, count in cases.most_common(10))
        yield f"blocking: {len(ruling.blocking)} cells: {named}{', ...' if len(cases) > 10 else ''}"
    if ruling.accepted:
        yield f"accepted: {ruling.accepted} cells that would block"
    for one in ruling.expired:
        yield f"accepted until {one.until} only, and blocks since: {_accepted(one)}"
    for one in ruling.unused:
        yield f"accepted, but nothing of it is there any more: {_accepted(one)}"
    yield "the gate opens" if ruling.passes else "the gate stays shut"


def _accepted(one: Acceptance) -> str:
    return f"{one.difference or ', '.join(one.cells)} ({one.reason})"


def _gate(ruling: Ruling | None) -> dict[str, object] | None:
    if ruling is None:
        return None
    return {
        "passes": ruling.passes,
        "blocking": [one.cell.id for one in ruling.blocking],
        "troubles": list(ruling.troubles),
        "accepted": ruling.accepted,
        "expired": [_accepted(one) for one in ruling.expired],
        "unused": [_accepted(one) for one in ruling.unused],
    }
