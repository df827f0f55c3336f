"""What every test may rely on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from conformance.lab.launch.start import Lab, running_lab

# Machines are shared: that an example took long says nothing of the code. Every run draws others: some are enough.
settings.register_profile("shared", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
RUNS = Path(__file__).parent / "run"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest is first: it would keep one process busy when the others have nothing left."""
    items.sort(key=lambda item: RUNS not in item.path.parents)


@pytest.fixture(autouse=True, scope="session")
def _signals_are_heard() -> None:
    """A CI in the background, or under nohup, may ignore some: every process of these tests would inherit that."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One for all tests of this process, as it takes long to start: whoever changes it leaves it as it was."""
    with running_lab(tmp_path_factory.mktemp("lab") / "lab") as lab:
        yield lab
