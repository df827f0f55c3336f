"""One world for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.controllers.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """API server and controllers; their log shows when a test fails."""
    made = World(tmp_path_factory.mktemp("world"))
    try:
        yield made
    finally:
        made.close()
        print((made.folder / "log").read_text())
