"""The command as a user types it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.lab.launch.start import environment
from tests.here import here

Run = Callable[..., subprocess.CompletedProcess[str]]
HERE = ("audit", "cleanup", "plan", "preflight", "report")
"""Commands that only ask and print."""


@pytest.fixture
def nftconform(tmp_path: Path) -> Run:
    """The command in a folder of its own, in a process of its own unless that is no part of what it promises."""

    def run(*arguments: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        if arguments[0] in HERE:
            return here(*arguments, cwd=cwd)
        return subprocess.run(
            [sys.executable, "-P", "-m", "conformance.cli", *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            env=environment(),
            cwd=cwd,
            check=False,
        )

    return run
