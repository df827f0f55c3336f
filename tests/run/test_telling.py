"""What is written down of a cell: nothing that an agent says of time can spoil a line; no arguments of commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.model.addresses import Family, Protocol
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.observation import End
from conformance.model.outcome import Dropped, Expectation
from conformance.probe.answers import observation_of
from conformance.results.codec import dump, parse
from fixtures.held import Asked
from fixtures.settings import Settings
from fixtures.telling import told
from tests.reports.runs import FACTS
from tests.run.test_spool import CELL

ODD: list[Any] = [float("nan"), float("inf"), -1.0, 1e300, "1", None]


@pytest.mark.parametrize("took", ODD)
def test_a_duration_that_is_none_counts_as_nothing(took: Any, tmp_path: Path) -> None:  # noqa: ANN401  whatever an agent says
    row = [End.ANSWERED.value, "web-a\ud800", "10.0.0.1", 0, "", 0, None, took, took, "", 0, 0]
    client = Client("pod-a", ClientKind.POD, "node-a", ("10.0.0.1",))
    to = Destination(DestinationKind.CLUSTER_IP, "10.96.0.1", 80, Protocol.TCP, "n/s")
    seen = observation_of({"dials": [row], "seconds": took})
    said = told(Asked(CELL, client, to, Expectation(Dropped(), ()), observation=seen), tmp_path, FACTS, ())
    assert (said.timing.seconds, said.timing.median_ms, said.timing.answers) == (0.0, 0.0, 1)
    line = parse(dump(said))
    assert line == replace(said, account=getattr(line, "account", None), message=getattr(line, "message", ""))
    assert CELL.family is Family.IPV4


def test_options_are_shown_without_what_may_be_secret() -> None:
    settings = Settings(
        kubeconfig="k", externals=("x1@node-a=exec:/usr/bin/docker exec -e TOKEN=hunter2 x", "me=ssh://a@b")
    )
    assert settings.shown["--external"] == "'x1@node-a=exec:docker ...' me=ssh://a@b"
    shown = settings.without_arguments.again
    assert shown == "--kubeconfig k --external 'x1@node-a=exec:docker ...' --external me=ssh://a@b"
    assert "hunter2" in settings.again
