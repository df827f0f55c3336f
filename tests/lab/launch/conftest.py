"""Labs without Kubernetes, which start in a second; the command; waiting."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance.lab.launch.start import environment
from tests.lab.launch.support import Command, Foreground, Until, command_line

_PATIENCE = 20.0


@pytest.fixture
def nftconform(tmp_path: Path) -> Command:
    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command_line(*arguments),
            capture_output=True,
            text=True,
            input=stdin,
            timeout=60,
            env=environment(),
            cwd=tmp_path,
            check=False,
        )

    return run


@pytest.fixture
def until() -> Until:
    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def foreground(tmp_path: Path) -> Iterator[Callable[..., Foreground]]:
    started: list[Foreground] = []

    def start(folder: Path = tmp_path / "lab") -> Foreground:
        started.append(Foreground(folder))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.end()
        if each.process.stdout is not None:
            each.process.stdout.close()


@pytest.fixture
def lab(foreground: Callable[..., Foreground]) -> Foreground:
    """A lab that is ready."""
    started = foreground()
    started.ready()
    return started
