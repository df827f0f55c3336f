"""The tracer where it must not trust what is around it."""

from __future__ import annotations

import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from conformance.cluster.command import CommandStream
from conformance.cluster.stream import StreamLost
from conformance.probe.trace import program, tracer

UNSHARE = ("unshare", "--user", "--map-root-user", "--net")


def test_only_a_kube_proxy_on_the_nodes_own_network_lends_its_nft(tmp_path: Path) -> None:
    """A process may call itself what it likes; its nft would run with the tracer's rights."""
    called, sleep = tmp_path / "kube-proxy", shutil.which("sleep")
    assert sleep
    called.symlink_to(sleep)
    words = (str(called), "60")
    with subprocess.Popen(words) as near, subprocess.Popen([*UNSHARE, *words]) as far:
        try:
            deadline = time.monotonic() + 10
            while not all(map(named, (near.pid, far.pid))) and time.monotonic() < deadline:
                select.select([], [], [], 0.02)
            assert all(map(named, (near.pid, far.pid)))
            found = program.roots()
        finally:
            near.kill()
            far.kill()
    assert f"/proc/{near.pid}/root" in found
    assert f"/proc/{far.pid}/root" not in found


def named(pid: int) -> bool:
    return Path(f"/proc/{pid}/comm").read_text("utf-8").strip() == "kube-proxy"


def test_what_others_trace_without_a_pause_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracer, "PATIENCE", 0.3)
    began = time.monotonic()
    with (
        pytest.raises(StreamLost, match="shows nothing"),
        tracer.Tracer(lambda: CommandStream("yes", ["yes", "trace id 1 ip theirs x packet:"]), []),
    ):
        pass
    assert time.monotonic() - began < 30
