"""The table of the lab's pod networks: a run on each that is asked for, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.lab.cni.choice import USUAL
from tests.run.conftest import Run

real = [
    pytest.mark.skipif(not any(Path(one).is_dir() for one in USUAL), reason="needs containernetworking-plugins"),
    pytest.mark.skipif(not Path("/proc/sys/net/bridge").is_dir(), reason="needs the kernel's br_netfilter"),
]


@pytest.mark.parametrize("network", [pytest.param("no-hairpin", marks=real)])
def test_a_network_does_as_it_is_described_and_is_asked_once(nftconform: Run, network: str) -> None:
    cells = ("--case", "CIP-02.ipv4-tcp", "--case", "CIP-04.ipv4-tcp")
    asked = ("lab", "matrix", "--cni", network, *cells, "--output", "runs")
    first = nftconform(*asked)
    assert first.returncode == 0, first.stderr
    assert f"1 of 1: {network}: failures" in first.stdout
    assert "probable cause: no hairpin" in first.stdout
    assert f"{network}: as its description says." in first.stdout
    again = nftconform(*asked)
    assert f"1 of 1: {network}: is there" in again.stdout
    assert again.stdout.partition("\n\n")[2] == first.stdout.partition("\n\n")[2]


def test_a_network_that_there_is_not(nftconform: Run) -> None:
    done = nftconform("lab", "matrix", "--cni", "bridge")
    assert (done.returncode, done.stdout) == (3, "")
    assert "There is no network bridge. Name some of bridge-hairpin, " in done.stderr


@pytest.mark.parametrize("network", [pytest.param("strict-rp-filter", marks=real)])
def test_nodes_that_reach_none_but_their_own_pods_are_not_waited_for_in_vain(nftconform: Run, network: str) -> None:
    cells = ("--case", "CIP-01.ipv4-tcp", "--case", "CIP-03.ipv4-tcp")
    done = nftconform("run", "--lab", "--cni", network, *cells, "--output", "out")
    assert done.returncode == 1, done.stderr
    assert "CIP-03.ipv4-tcp" in done.stdout
    assert "asking nevertheless" not in done.stdout
