"""The whole hand-written catalogue holds on a healthy lab: nothing fails, and nothing could not be asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.lab.launch.start import Lab, running_lab
from fixtures.catalogue import areas
from tests.run.conftest import Run
from tests.run.test_on_a_lab import cells, outside


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """One that nobody has done anything to: its nodes are looked at, too."""
    with running_lab(tmp_path / "lab") as lab:
        yield lab


def test_every_case_passes_on_a_healthy_lab(lab: Lab, nftconform: Run, tmp_path: Path) -> None:
    cases = [case for area in areas() for case in area.cases if not any(need.families == 1 for need in case.needs)]
    every = [case.id for case in cases if not case.disruptive]  # those that are: tests/run/test_live.py
    chosen = [word for identity in every for word in ("--case", identity)]
    where = ("--kubeconfig", str(lab.kubeconfig), *outside(lab))
    done = nftconform("run", *where, *chosen, "-n", "2", "--node-access", "privileged", "--output", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    seen = cells(tmp_path / "junit.xml")
    assert {identity.split(".")[0] for identity in seen} == set(every)
    assert set(seen.values()) <= {"passed", "skipped"}
    # What is skipped was recorded: reported without a verdict. Nothing is not applicable on three dual-stack nodes.
    assert "not applicable" not in done.stdout
