"""What this place is: its addresses, its kernel, its limits."""

from __future__ import annotations

import os
import resource
import socket
import struct
import sys
import time
from typing import Any

from conformance.probe.agent.loop import clock

VERSION = 3
MOST_DESCRIPTORS = 65536
RTF_REJECT = 0x200  # linux/route.h: an unreachable route


def file_text(path: str) -> str:
    """A small file's content, stripped; empty when it cannot be read."""
    try:
        with open(path) as file:  # noqa: PTH123  pathlib would cost start-up time in every pod
            return file.read().strip()
    except OSError:
        return ""


def descriptor_limit() -> int:
    """How many descriptors this process may open, after raising the soft limit as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def local_port_range() -> tuple[int, int]:
    """net.ipv4.ip_local_port_range, which IPv6 shares."""
    words = file_text("/proc/sys/net/ipv4/ip_local_port_range").split()
    return (int(words[0]), int(words[1])) if len(words) == 2 else (32768, 60999)


def local_addresses() -> list[dict[str, Any]]:
    """Every address of every interface, both families: an RTM_GETADDR dump (rtnetlink(7)); empty where forbidden."""
    found: list[dict[str, Any]] = []
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
            netlink.send(struct.pack("=IHHIIB7x", 24, 22, 0x301, 1, 0, 0))  # RTM_GETADDR, REQUEST | DUMP
            while True:
                data = netlink.recv(1 << 17)
                while len(data) >= 16:
                    length, kind = struct.unpack_from("=IH", data)
                    if kind != 20:  # RTM_NEWADDR; anything else ends the dump
                        return found
                    found += _address(data[16:length])
                    data = data[(length + 3) & ~3 :]
    except OSError:
        return found


def _address(message: bytes) -> list[dict[str, Any]]:
    family, prefix, _, scope, index = struct.unpack_from("=BBBBI", message)
    values, at = {}, 8
    while at + 4 <= len(message):
        size, attribute = struct.unpack_from("=HH", message, at)
        values[attribute] = message[at + 4 : at + size]
        at += (size + 3) & ~3
    raw = values.get(2) or values.get(1)  # IFA_LOCAL, IFA_ADDRESS
    if not raw or family not in (socket.AF_INET, socket.AF_INET6):
        return []
    ip = socket.inet_ntop(socket.AddressFamily(family), raw)
    return [{"dev": socket.if_indextoname(index), "ip": ip, "prefix": prefix, "scope": scope}]


def default_devices() -> list[str]:
    """The devices of the main table's default routes, both families."""
    found = set()
    for line in file_text("/proc/net/route").splitlines()[1:]:
        device, destination, _, flags, _, _, _, mask = line.split()[:8]
        if (destination, mask) == ("00000000", "00000000") and not int(flags, 16) & RTF_REJECT:
            found.add(device)
    for line in file_text("/proc/net/ipv6_route").splitlines():
        destination, length, *_, flags, device = line.split()
        if (destination, length) == ("0" * 32, "00") and not int(flags, 16) & RTF_REJECT:
            found.add(device)
    return sorted(found)


def search_domains() -> list[str]:
    """The search list of /etc/resolv.conf (resolv.conf(5): the last one counts)."""
    lines = [line.split() for line in file_text("/etc/resolv.conf").splitlines()]
    lists = [words[1:] for words in lines if words and words[0] in ("search", "domain")]
    return lists[-1] if lists else []


def hello() -> dict[str, Any]:
    """The first line of a dialling agent."""
    return {
        "op": "hello",
        "version": VERSION,
        "host": socket.gethostname(),
        "kernel": os.uname().release,
        "python": sys.version.split()[0],
        "boot": file_text("/proc/sys/kernel/random/boot_id"),
        "pid": os.getpid(),
        "monotonic": clock(),
        "wall": time.time(),
        "addresses": local_addresses(),
        "search": search_domains(),
    }
