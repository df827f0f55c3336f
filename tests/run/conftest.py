"""The command as a user types it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.lab.launch.start import environment

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def nftconform(tmp_path: Path) -> Run:
    """The command in a folder of its own; standard output and error as text."""

    def run(*arguments: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
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
