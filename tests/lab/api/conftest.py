"""One server for most tests; each test uses names of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.api.apiserver import Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("api")) as one:
        yield one


@pytest.fixture
def namespace(server: Server, request: pytest.FixtureRequest) -> str:
    name = str(request.node.name).replace("_", "-").replace("[", "-").strip("]").lower()[:60].strip("-")
    server.made("/api/v1/namespaces", {"metadata": {"name": name}})
    return name
