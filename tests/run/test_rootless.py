"""A run on a lab in a user namespace that knows one user and one group: what an ordinary user gets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.lab.launch.start import environment
from tests.run.test_on_a_lab import cells

ASKED = ("CIP-01", "CIP-11", "CIP-22", "CIP-23", "CTK-01", "DNS-01", "NOD-04", "NOD-06", "NOD-09", "NOD-16")
"""TCP, UDP, SCTP and echo requests, a watched wire, a story, DNS, and what a node's kernel and programs say."""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_every_kind_of_question_can_be_asked_without_root(tmp_path: Path) -> None:
    user = ["unshare", "-Ur"] if os.geteuid() == 0 else []
    chosen = [word for case in ASKED for word in ("--case", case)]
    command = [sys.executable, "-P", "-m", "conformance.cli", "run", "--lab", *chosen, "--output", str(tmp_path)]
    command += ["--node-access", "privileged"]
    done = subprocess.run(
        [*user, *command], capture_output=True, text=True, timeout=300, env=environment(), cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = cells(tmp_path / "junit.xml")
    assert {identity.split(".")[0] for identity in seen} == set(ASKED)
    assert set(seen.values()) == {"passed"}
