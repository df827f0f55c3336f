"""A report made of any run that ended verifies against that run, and one of any run is of the schema."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conformance.certify.verifying import compare, verify
from conformance.model.case import Profile
from conformance.model.facts import Fact, Facts
from conformance.model.result import Excuse, Result
from conformance.model.verdict import Mismatch, Status
from conformance.results.run import Run
from fixtures.catalogue import areas
from reports import conformance
from reports.results_file import weigh
from tests.certify.runs import catalogue, cells, passed, report_on, written
from tests.reports.runs import HEADER, a_run

AREAS = tuple(area for area in areas() if area.name in ("health_check", "source"))
KNOWN = {"0.1.0": catalogue(AREAS)}
CELLS = [passed(cell) for cell in cells(AREAS)]
NOW = datetime(2026, 12, 1, tzinfo=UTC)
TEXT = st.text(max_size=12)
FACTS = st.builds(
    Facts,
    version=st.builds(Fact, st.none() | TEXT, TEXT),
    cni=st.builds(Fact, st.none() | TEXT, TEXT),
    cni_version=st.builds(Fact, st.none() | TEXT, TEXT),
    kernels=st.builds(Fact, st.none() | st.dictionaries(TEXT, TEXT, max_size=3), TEXT),
)


ODD = st.tuples(
    st.none() | st.sampled_from(Status),
    TEXT | st.just("needs it (--external)"),
    st.none() | st.builds(Excuse, TEXT, TEXT, TEXT),
)
RUN = {
    "odd": st.dictionaries(st.integers(0, len(CELLS) - 1), ODD, max_size=20),
    "facts": FACTS,
    "profile": st.sampled_from(Profile),
}
QUICK = settings(deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.too_slow])
"""Shrinking runs takes minutes, and what is odd about one is short anyway."""


def a_run_with(odd: Mapping[int, tuple[Status | None, str, Excuse | None]], facts: Facts, profile: Profile) -> Run:
    """All cells passed but for the odd ones; of status None: the run never came to it."""
    results: list[Result] = []
    for number, one in enumerate(CELLS):
        status, message, issue = odd.get(number, (Status.PASSED, "", None))
        mismatch = Mismatch.ANSWERED if status is Status.FAILED else Mismatch.NONE
        if status:
            results.append(replace(one, status=status, mismatch=mismatch, message=message, issue=issue))
    header = replace(HEADER, facts=facts, profile=profile)
    return a_run(results, missing=len(CELLS) - len(results), header=header)


def reread(run: Run, *, cut: bool = False) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = written(run, Path(folder))
        if cut:
            path.write_bytes(path.read_bytes()[: -len('"exit_code":0}\n')])
        held = weigh(path)
    made = report_on(held.run, held.sha256, KNOWN["0.1.0"])
    reading = conformance.read(conformance.document(made))
    assert reading.complaints == (), "it is of the schema"
    assert reading.report == made, "what is written is read"
    return [*verify(made, KNOWN, NOW), *compare(made, held.run, held.lines, held.sha256, KNOWN)]


@settings(QUICK, max_examples=25)
@given(**RUN)
def test_a_report_of_any_run_that_ended_verifies_against_it(
    odd: dict[int, tuple[Status | None, str, Excuse | None]], facts: Facts, profile: Profile
) -> None:
    assert reread(a_run_with(odd, facts, profile)) == []


@settings(QUICK, max_examples=5)
@given(**RUN)
def test_of_a_truncated_run_only_that_is_said(
    odd: dict[int, tuple[Status | None, str, Excuse | None]], facts: Facts, profile: Profile
) -> None:
    run = a_run_with(odd, facts, profile)
    assert reread(run, cut=True) == [
        "The run has no end: its results were truncated.",
        f"The results: The file is truncated: it has {len(run.results)} cells and no footer.",
    ]
