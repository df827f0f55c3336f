"""An API server, and the controllers that finish what deleting a namespace begins."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.cluster.api import Cluster
from conformance.cluster.connection import connect


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    state = tmp_path_factory.mktemp("api")
    kubeconfig = state / "kubeconfig"
    with (
        _running("conformance.lab.api", "--listen", "127.0.0.1:0", "--state", str(state), awaits=kubeconfig),
        _running("conformance.lab.controllers", "--kubeconfig", str(kubeconfig), awaits=kubeconfig),
    ):
        yield kubeconfig


@pytest.fixture(scope="module")
def cluster(kubeconfig: Path) -> Cluster:
    return connect(kubeconfig)


class _running:  # noqa: N801  reads as a verb in a with statement
    def __init__(self, module: str, *arguments: str, awaits: Path) -> None:
        self.command, self.awaits = [sys.executable, "-m", module, *arguments], awaits

    def __enter__(self) -> None:
        self.process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not self.awaits.exists() and time.monotonic() < deadline:
            assert self.process.poll() is None
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)
