"""Sandboxes for the node agent's tests; the agent's and the API server's output shows when a test fails."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.lab.kubelet.sandbox import Sandbox


def _sandbox(tmp_path_factory: pytest.TempPathFactory, *, rootless: bool) -> Iterator[Sandbox]:
    if os.geteuid() != 0 and not rootless:
        pytest.skip("needs root")
    sandbox = Sandbox(tmp_path_factory.mktemp("kubelet"), rootless=rootless)
    try:
        yield sandbox
    finally:
        sandbox.close()
        print((sandbox.folder / "log").read_text())


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A node, with as much privilege as the tests have."""
    yield from _sandbox(tmp_path_factory, rootless=os.geteuid() != 0)


@pytest.fixture(scope="module")
def rootless_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A node in a user namespace."""
    yield from _sandbox(tmp_path_factory, rootless=True)
