"""A run as one HTML page that needs nothing but itself: no network, no server, no framework."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from conformance.compatibility.diagnosis import diagnose
from conformance.judge import explain
from conformance.model.printable import printable
from conformance.model.result import Excuse, Result, by_area
from conformance.model.verdict import Status
from conformance.results.run import Run
from conformance.spec.causes import known
from reports.causes import told, unexplained
from reports.embedded import embedded
from reports.facts import described, properties, spent
from reports.marks import BY_KEY, MARKS, Mark, key_of
from reports.shared import Trait, traits

MOST_GROUPS = 12
"""Cases of one section that are shown at once; the rest is one step away."""
_TEMPLATES = Path(__file__).parent / "templates"
_BROKEN = (
    (Status.FAILED, "Failures"),
    (Status.UNKNOWN, "Could not be asked"),
    (Status.KNOWN_ISSUE, "Known issues"),
)
_APART = ((Status.NOT_APPLICABLE, "Not applicable"), (Status.RECORDED, "Recorded, not judged"))


@dataclass(frozen=True, slots=True)
class Group:
    """Cells of one case: ``marks`` how often each, ``example`` the block of one, ``message`` what that one says."""

    marks: tuple[tuple[Mark, int], ...]
    case: str
    promise: str
    level: str
    count: int
    message: str
    example: str
    issue: Excuse | None


@dataclass(frozen=True, slots=True)
class Section:
    """Groups of one status, the largest first; ``traits`` what they have in common."""

    status: Status
    title: str
    count: int
    groups: tuple[Group, ...]
    traits: tuple[Trait, ...]


def document(run: Run) -> bytes:
    """The page, UTF-8. Whatever the run holds is shown as text; only ``https`` links of it can be followed."""
    script, style = part("page.js"), part("page.css")
    page = environment().get_template("page.html.j2")
    counts, diagnosis = run.counts, diagnose(run, known())
    shown = [status for status in Status if counts[status]]
    marked = Counter(key_of(one) for one in run.results)
    return page.render(
        policy=f"default-src 'none'; script-src '{digest(script)}'; style-src '{digest(style)}'; "
        "base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        run=run,
        verdict=run.conclusion.name.lower(),
        truncated=run.footer is None,
        asked=described(run.facts, run.header.nodes, run.header.families, run.header.profile),
        facts=properties(run.facts),
        spent=spent(run.footer.effort) if run.footer else {},
        total=len(run.results),
        statuses=[(status, BY_KEY[_key(status)], counts[status]) for status in shown],
        marks=[(mark, marked[mark.key]) for mark in MARKS if marked[mark.key]],
        areas={area: Counter(map(key_of, members)) for area, members in by_area(run.results).items()},
        sections=[s for status, title in _BROKEN if (s := _section(run, status, title)).count],
        apart=[(status, title, counts[status], _reasons(run, status)) for status, title in _APART if counts[status]],
        causes=tuple(told(diagnosis)),
        unexplained=unexplained(diagnosis),
        most=MOST_GROUPS,
        data=embedded(run),
    ).encode("utf-8", "replace")


def bare_page(template: str, **shown: object) -> str:
    """A page of another template, in the same style and under the same policy, without a script."""
    style = part("page.css")
    policy = f"default-src 'none'; style-src '{digest(style)}'; base-uri 'none'; form-action 'none'"
    return environment().get_template(template).render(policy=policy, style=style, **shown)


def _section(run: Run, status: Status, title: str) -> Section:
    cases: dict[str, list[Result]] = defaultdict(list)
    members = [one for one in run.results if one.status is status]
    for one in members:
        cases[one.case].append(one)
    groups = sorted((_group(cells, run.header.again) for cells in cases.values()), key=lambda g: -g.count)
    common = traits(run.results) if status is Status.FAILED else ()
    return Section(status, title, len(members), tuple(groups), common)


def _group(cells: Sequence[Result], again: str) -> Group:
    keys = Counter(map(key_of, cells)).most_common()
    first = next(one for one in cells if key_of(one) == keys[0][0])
    return Group(
        marks=tuple((BY_KEY[key], count) for key, count in keys),
        case=first.case,
        promise=first.promise,
        level=first.level.value,
        count=len(cells),
        message=first.message,
        example=explain(first, again),
        issue=first.issue,
    )


def _reasons(run: Run, status: Status) -> Mapping[str, int]:
    return dict(Counter(one.message for one in run.results if one.status is status).most_common())


def _key(status: Status) -> str:
    """Of all failures together: the mark of those without a kind."""
    return "none" if status is Status.FAILED else status.value


@cache
def environment() -> Environment:
    """Where templates are looked for, and that what they show is text."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    # What a template shows passes here, and so no control character reaches the page by whatever way.
    made.finalize = lambda value: printable(value) if type(value) is str else value
    return made


@cache
def part(name: str) -> str:
    """A file that a page carries within it."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def digest(text: str) -> str:
    """As the page's Content-Security-Policy names what it lets run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
