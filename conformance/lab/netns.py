"""Network namespaces by name under /run/netns, and the kernel settings that make one a node or a pod."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from conformance.lab import syscalls

NAMED = Path("/run/netns")

PING_GROUPS = "net.ipv4.ping_group_range"
"""Who may open ICMP sockets."""

# Addresses are usable at once, nobody's advertisement changes a route, and paths may be asymmetric.
_EVERYWHERE = {
    "net.ipv6.conf.all.accept_dad": "0",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv6.conf.all.accept_ra": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    # Nobody learns a shorter way past the node that translates addresses for him.
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv6.conf.all.accept_redirects": "0",
    "net.ipv6.conf.default.accept_redirects": "0",
}

# A reject is an ICMP message. The masks exempt every error from the limits that kernels before 6.13 share between
# all namespaces (icmp_msgs_per_sec), which a namespace cannot lift for itself.
UNLIMITED_ICMP: Mapping[str, str] = {
    "net.ipv4.icmp_ratelimit": "0",
    "net.ipv4.icmp_ratemask": "0",
    "net.ipv6.icmp.ratelimit": "0",
    "net.ipv6.icmp.ratemask": "127",
}

HOST_SYSCTLS: Mapping[str, str] = {**_EVERYWHERE, **UNLIMITED_ICMP}
"""For a machine that forwards nothing: an external client."""

ROUTER_SYSCTLS: Mapping[str, str] = {
    **HOST_SYSCTLS,
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    # The module br_netfilter is on some machines and not on others; without its hooks both are alike.
    "net.bridge.bridge-nf-call-iptables": "0",
    "net.bridge.bridge-nf-call-ip6tables": "0",
    "net.bridge.bridge-nf-call-arptables": "0",
}
"""For a node, and for the network between them."""


def create(name: str, settings: Mapping[str, str]) -> None:
    """Make the namespace ``name`` with ``settings`` for all links to come; the caller stays in its own. ``OSError``."""
    with _back_again():
        syscalls.unshare(syscalls.CLONE_NEWNET)
        set_sysctls(settings)
        set_sysctl(PING_GROUPS, "0 2147483647")
        path = NAMED / name
        path.touch(mode=0o444)
        syscalls.mount("/proc/thread-self/ns/net", str(path), flags=syscalls.MS_BIND)


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Run the block, on this thread only, in the namespace ``name``: sockets and processes made there stay there."""
    with _back_again(), (NAMED / name).open("rb") as target:
        syscalls.setns(target.fileno(), syscalls.CLONE_NEWNET)
        yield


def set_sysctls(settings: Mapping[str, str]) -> None:
    """Write settings of the current network namespace; those that this kernel lacks are left out. ``OSError``."""
    for name, value in settings.items():
        with contextlib.suppress(FileNotFoundError):
            set_sysctl(name, value)


def set_sysctl(name: str, value: str) -> None:
    """Write one of them; a slash in ``name`` stands for a dot in a part, as in an interface's name. ``OSError``."""
    if name == PING_GROUPS:
        value = groups_here(value, Path("/proc/self/gid_map").read_text())
    Path("/proc/sys", name.translate(str.maketrans("./", "/."))).write_text(value)


def groups_here(value: str, gid_map: str) -> str:
    """The range of groups ``value``, ended at the last one that ``gid_map`` has: the kernel refuses one that is not."""
    bounds = value.split()
    if len(bounds) != 2 or not all(bound.isdecimal() for bound in bounds):
        return value  # for the kernel to refuse
    low, high = map(int, bounds)
    spans = [(int(first), int(first) + int(count) - 1) for first, _, count in map(str.split, gid_map.splitlines())]
    lasts = [min(high, last) for first, last in spans if first <= high and last >= low]
    return f"{low} {max(lasts, default=high)}"


@contextlib.contextmanager
def _back_again() -> Iterator[None]:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        syscalls.setns(home, syscalls.CLONE_NEWNET)
        os.close(home)
