"""Real programs, where the tests are given some."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.lab.launch.directory import Directory
from conformance.lab.launch.start import Lab, launch
from conformance.lab.real.choice import Real, choose

VARIABLE = "NFTCONFORM_BINARIES"


@pytest.fixture(scope="module")
def real() -> Real:
    """What `NFTCONFORM_BINARIES` names."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"{VARIABLE} names no folder with etcd, kube-apiserver, kube-controller-manager and kube-proxy")
    return choose(Path(folder))[1]


@pytest.fixture(scope="module", params=[True, False], ids=["user-namespace", "root"])
def lab(real: Real, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with it, as an ordinary user's and as root's."""
    if not request.param and os.geteuid() != 0:
        pytest.skip("needs root")
    folder = tmp_path_factory.mktemp("real") / "lab"
    started = launch(Directory(folder), nodes=2, real=real, user_namespace=request.param)
    yield started
    started.stop()
