"""What cannot be done is refused in one sentence with exit code 3, and leaves nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.errors import EnvironmentFault
from conformance.lab.launch import preflight
from conformance.lab.launch.start import environment
from conformance.model.cluster import ProxyMode
from tests.here import here
from tests.lab.launch.support import Command, Foreground


def refused(done: subprocess.CompletedProcess[str], folder: Path, *words: str) -> None:
    assert done.returncode == 3, (done.stdout, done.stderr)
    assert done.stderr.startswith("nftconform: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert not folder.exists()


def in_namespaces(script: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python ``code`` as root of a user namespace; ``script`` is the shell's, and ends with what runs "$@"."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    return subprocess.run(
        [*unshare, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=False,
    )


def starting(folder: Path, user_namespace: bool) -> str:
    return f"""
import sys
from pathlib import Path
from conformance.errors import KitError
from conformance.lab.launch.directory import Directory
from conformance.lab.launch.start import launch
try:
    launch(Directory(Path({str(folder)!r})), nodes=1, bare=True, user_namespace={user_namespace}).stop()
except KitError as error:
    print(f"nftconform: {{error}}", file=sys.stderr)
    sys.exit(error.exit_code)
"""


def test_user_namespaces_forbidden(tmp_path: Path) -> None:
    done = in_namespaces(
        'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"', starting(tmp_path / "lab", user_namespace=True)
    )
    refused(done, tmp_path / "lab", "User namespaces are forbidden", "sysctl -w user.max_user_namespaces=")


def test_network_namespaces_forbidden(tmp_path: Path) -> None:
    done = in_namespaces(
        'echo 0 > /proc/sys/user/max_net_namespaces; exec "$@"', starting(tmp_path / "lab", user_namespace=False)
    )
    refused(done, tmp_path / "lab", "limit is reached", "max_net_namespaces")


def test_a_part_that_cannot_start(tmp_path: Path) -> None:
    enough_for_two = 'echo 3 > /proc/sys/user/max_net_namespaces; exec "$@"'
    code = starting(tmp_path / "lab", user_namespace=False).replace("nodes=1", "nodes=3")
    done = in_namespaces(enough_for_two, code)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("nftconform: The lab's network cannot be made:")
    assert "No space left on device" in done.stderr, "the end of the log says why"
    assert not (tmp_path / "lab").exists()


def test_root_without_the_right_to_make_namespaces(tmp_path: Path) -> None:
    limited = 'exec setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$@"'
    done = in_namespaces(limited, starting(tmp_path / "lab", user_namespace=False))
    refused(done, tmp_path / "lab", "Root may not make namespaces", "--privileged")


def test_no_nft(tmp_path: Path) -> None:
    hide = 'for f in /usr/sbin/nft /sbin/nft /usr/bin/nft; do [ -e $f ] && mount --bind /dev/null $f; done; exec "$@"'
    done = in_namespaces(hide, starting(tmp_path / "lab", user_namespace=False))
    refused(done, tmp_path / "lab", "nft", "Install the package nftables")


def test_no_nft_on_the_path(tmp_path: Path, nftconform: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refused(nftconform("lab", "up", "--bare"), tmp_path / ".lab", "Install the package nftables")


def test_no_iptables_is_only_missed_in_its_mode(
    tmp_path: Path, nftconform: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    nft = tmp_path / "bin" / "nft"
    nft.parent.mkdir()
    nft.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(nft.parent))
    done = nftconform("lab", "up", "--bare", "--proxy-mode", "iptables")
    refused(done, tmp_path / ".lab", "A lab in iptables mode needs iptables", "Install the package iptables")


@pytest.mark.parametrize("rootless", [False, True])
@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("mode", [ProxyMode.NFTABLES, ProxyMode.IPTABLES])
def test_a_real_kube_proxy_in_iptables_mode_needs_root(mode: ProxyMode, reference: bool, rootless: bool) -> None:
    if mode is ProxyMode.IPTABLES and rootless and not reference:
        with pytest.raises(EnvironmentFault, match="more in one piece"):
            preflight.check(1, mode, reference=reference, rootless=rootless)
    else:
        preflight.check(1, mode, reference=reference, rootless=rootless)


@pytest.mark.parametrize("release", ["5.12.19-generic", "4.19.0-26-amd64", "5.4"])
def test_an_old_kernel(release: str) -> None:
    with pytest.raises(EnvironmentFault, match=r"needs 5\.13 or later"):
        preflight.check_kernel(release)


@pytest.mark.parametrize("release", ["5.13.0", "6.1.0-18-amd64", "6.18.44-fc-v595"])
def test_a_kernel_that_will_do(release: str) -> None:
    preflight.check_kernel(release)


@pytest.mark.parametrize("nodes", ["0", "17", "-1"])
def test_too_few_or_many_nodes(tmp_path: Path, nodes: str) -> None:
    refused(here("lab", "up", "--nodes", nodes, cwd=tmp_path), tmp_path / ".lab", "1 to 16 nodes")


def test_the_port_is_taken(tmp_path: Path, nftconform: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(nftconform("lab", "up", "--port", str(port)), tmp_path / ".lab", f"127.0.0.1:{port}", "--port")


def test_the_folder_cannot_be_made(tmp_path: Path, nftconform: Command) -> None:
    (tmp_path / "file").touch()
    refused(nftconform("lab", "up", "--dir", str(tmp_path / "file/lab")), tmp_path / "file/lab", "cannot be used")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_the_folder_is_not_ours(tmp_path: Path, nftconform: Command) -> None:
    (tmp_path / "theirs").mkdir(mode=0o500)
    refused(nftconform("lab", "up", "--dir", str(tmp_path / "theirs/lab")), tmp_path / "theirs/lab", "cannot be used")


def test_somebodys_folder_is_left_alone(tmp_path: Path, nftconform: Command) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "kubeconfig").write_text("precious")
    done = nftconform("lab", "up", "--dir", str(theirs))
    assert done.returncode == 3
    assert "was not made by a lab" in done.stderr
    assert (theirs / "kubeconfig").read_text() == "precious"


@pytest.mark.parametrize(
    "arguments", [("down",), ("status",), ("exec", "x1", "--", "true"), ("shell", "x1"), ("kubectl", "get"), ("logs",)]
)
def test_no_lab_is_running(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    refused(here("lab", *arguments, cwd=tmp_path), tmp_path / ".lab", "No lab is running", "nftconform lab up")


def test_a_lab_is_already_running(lab: Foreground, nftconform: Command) -> None:
    done = nftconform("lab", "up", "--dir", str(lab.directory.path))
    assert done.returncode == 3
    assert "already running" in done.stderr
    assert lab.directory.running() is not None


def test_a_name_that_the_lab_does_not_have(lab: Foreground, nftconform: Command) -> None:
    for name in ("node-z", "x3", "default/web", "../x1", "", "/"):
        done = nftconform("lab", "exec", "--dir", str(lab.directory.path), name, "--", "true")
        assert done.returncode == 3
        assert f"The lab has no {name!r}." in done.stderr
        assert "node-a, node-b, x1, x2" in done.stderr


def test_down_takes_a_killed_labs_files_away(tmp_path: Path, nftconform: Command) -> None:
    stale = tmp_path / ".lab"
    (stale / "logs").mkdir(parents=True)
    for name in ("lock", "lab.json", "kubeconfig"):
        (stale / name).touch()
    refused(nftconform("lab", "down"), stale, "No lab is running")
