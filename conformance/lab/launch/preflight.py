"""What this machine must have before a lab is tried; user namespaces are tried, not guessed, by the watchdog."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from pathlib import Path

from conformance.errors import EnvironmentFault, UsageError
from conformance.lab.addresses import MAX_NODES
from conformance.model.cluster import ProxyMode

_KERNEL = (5, 13)  # kube-proxy's own minimum for its nftables mode (KEP-3866)

_ADMINISTRATORS = ("/usr/sbin", "/sbin")


def check(nodes: int, proxy_mode: ProxyMode, *, reference: bool, rootless: bool) -> None:
    """``UsageError`` or ``EnvironmentFault`` for the first thing that is missing."""
    if not 1 <= nodes <= MAX_NODES:
        raise UsageError(f"A lab has 1 to {MAX_NODES} nodes, not {nodes}.", "Choose another --nodes.")
    if sys.platform != "linux":
        raise EnvironmentFault(f"The lab needs Linux; this is {sys.platform}.", "Use --kubeconfig with a cluster.")
    check_kernel(os.uname().release)
    if not Path("/proc/net/if_inet6").exists():
        raise EnvironmentFault(
            "The lab is dual-stack, and this kernel runs without IPv6.", "Boot without ipv6.disable=1."
        )
    if shutil.which("nft", path=search_path()) is None:
        raise EnvironmentFault("The lab needs nft, which is not installed.", "Install the package nftables.")
    if proxy_mode is ProxyMode.IPTABLES:
        check_iptables(reference or not rootless)


def check_iptables(permitted: bool) -> None:
    """``EnvironmentFault`` when kube-proxy could not work in iptables mode: for want of the programs, or of root.

    The real one, unlike ours, writes all rules in one netlink message, which only root may make that large.
    """
    if not permitted:
        raise EnvironmentFault(
            "A real kube-proxy in iptables mode writes more in one piece than the kernel takes from an ordinary user.",
            "Run the lab as root, or leave out --binaries: the reference proxy writes in pieces.",
        )
    with_flavour = shutil.which("iptables-nft-restore", path=search_path())
    if with_flavour is None and shutil.which("iptables-restore", path=search_path()) is None:
        raise EnvironmentFault(
            "A lab in iptables mode needs iptables, which is not installed.", "Install the package iptables."
        )


def check_kernel(release: str) -> None:
    """``EnvironmentFault`` when kernel ``release`` (as ``uname -r``) is too old for kube-proxy's nftables mode."""
    found = re.match(r"(\d+)\.(\d+)", release)
    if found and (int(found[1]), int(found[2])) < _KERNEL:
        raise EnvironmentFault(
            f"The kernel is {release}; kube-proxy's nftables mode needs {_KERNEL[0]}.{_KERNEL[1]} or later.",
            "Use a newer kernel.",
        )


def search_path() -> str:
    """``PATH``; where it has the system's programs, also those for administrators, which Debian's users do not see."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    usual = {"/usr/bin", "/bin"} & set(path)
    return os.pathsep.join([*path, *(folder for folder in _ADMINISTRATORS if usual and folder not in path)])


def open_api_socket(port: int) -> socket.socket:
    """A socket that listens on 127.0.0.1:``port`` (0: a free one); ``EnvironmentFault`` when that is taken."""
    try:
        return socket.create_server(("127.0.0.1", port), backlog=256)
    except OSError as error:
        raise EnvironmentFault(
            f"Cannot listen on 127.0.0.1:{port}: {error.strerror}.", "Choose another --port, or leave it out."
        ) from error
