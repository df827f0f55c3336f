"""What the commands say about programs and options that cannot be, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import cli
from conformance.errors import KitError
from conformance.lab.faults.possible import check
from conformance.spec.faults import Fault
from tests.lab.real.programs import programs


def refused(folder: Path, *arguments: str) -> str:
    """The sentence; nothing was made in ``folder``."""
    done = CliRunner().invoke(cli, arguments)
    assert isinstance(done.exception, KitError), done.output
    assert done.exception.exit_code == 3
    assert not (folder / "lab").exists()
    return str(done.exception)


@pytest.mark.parametrize(
    "command", [("lab", "up", "--dir", "lab"), ("run", "--lab"), ("expect", "x", "--record", "--lab")]
)
def test_a_folder_without_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    programs(tmp_path, ("kube-proxy",))
    assert "lacks etcd, kube-apiserver, kube-controller-manager." in refused(tmp_path, *command, "--binaries", ".")


def test_a_configuration_for_a_real_proxy_without_one(tmp_path: Path) -> None:
    up = ("lab", "up", "--dir", str(tmp_path / "lab"), "--kube-proxy-config", "x")
    assert "Say where it is with --binaries." in refused(tmp_path, *up)


def test_programs_for_no_kubernetes(tmp_path: Path) -> None:
    folder = str(programs(tmp_path / "programs"))
    assert "--bare" in refused(tmp_path, "lab", "up", "--dir", str(tmp_path / "lab"), "--bare", "--binaries", folder)


def test_programs_without_a_lab(tmp_path: Path) -> None:
    assert "Give --lab, too." in refused(tmp_path, "run", "--kubeconfig", "x", "--binaries", str(tmp_path))


@pytest.mark.parametrize("fault", [Fault.NOT_READY_CHOSEN, Fault.API_TAKES_INVALID])
def test_a_fault_that_needs_the_embedded_api_server(fault: Fault) -> None:
    with pytest.raises(KitError, match="this lab's API server is a real one"):
        check(fault, real_api=True, proxy_mode="nftables")
    check(fault, real_api=False, proxy_mode="nftables")


def test_a_fault_in_nft_s_transactions_needs_some() -> None:
    with pytest.raises(KitError, match="kube-proxy is in iptables mode"):
        check(Fault.NO_SERVICE_RULES, real_api=True, proxy_mode="iptables")
    check(Fault.NO_SERVICE_RULES, real_api=True, proxy_mode="nftables")
    check(Fault.DNS_STALE, real_api=True, proxy_mode="iptables")
