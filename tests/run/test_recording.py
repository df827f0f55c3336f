"""A scenario recorded from a cluster says by itself whether the oracle was right."""

from __future__ import annotations

import json
from pathlib import Path

from conformance.lab.launch.start import Lab
from tests.run.conftest import Run
from tests.run.test_on_a_lab import outside


def test_a_recorded_scenario_agrees_and_a_forged_one_does_not(lab: Lab, nftconform: Run, tmp_path: Path) -> None:
    folder = tmp_path / "scenario"
    chosen = [word for case in ("CIP-01", "ETP-03", "NP-06", "LB-05") for word in ("--case", case)]
    where = ("--kubeconfig", str(lab.kubeconfig), *outside(lab))
    done = nftconform("expect", str(folder), "--record", *where, *chosen)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"16 cells recorded in {folder}\n"

    checked = nftconform("expect", str(folder), "--check")
    assert (checked.returncode, checked.stdout) == (0, "16 cells: 16 agree, 0 unspecified, 0 disagree\n")

    cells = [json.loads(line) for line in (folder / "cells.jsonl").read_text().splitlines()]
    dropped = next(c for c in cells if c["out"].keys() == {"timeout"})
    dropped["out"] = {"web-a|10.9.9.9": 5}
    (folder / "cells.jsonl").write_text("".join(json.dumps(c) + "\n" for c in cells))
    forged = nftconform("expect", str(folder), "--check")
    assert forged.returncode == 1
    assert "web-a" in forged.stdout

    again = nftconform("expect", str(folder), "--record", *where, *chosen)
    assert again.returncode == 3
    assert "holds a scenario already" in again.stderr


def test_nothing_to_record_is_said(lab: Lab, nftconform: Run, tmp_path: Path) -> None:
    where = ("--kubeconfig", str(lab.kubeconfig))
    done = nftconform("expect", str(tmp_path / "none"), "--record", *where, "--case", "CIP-08")
    assert done.returncode == 3
    assert "No cell of these can be recorded" in done.stderr
