"""Large Services go through an ordinary user's netlink socket, which takes a few hundred rules at once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from conformance.lab.proxy.config import Configuration
from conformance.lab.proxy.iptables.frame import frame
from conformance.lab.proxy.iptables.part import part
from conformance.lab.proxy.iptables.pieces import restore_in_pieces
from conformance.lab.proxy.iptables.restore import restore
from conformance.lab.proxy.iptables.saved import saved
from conformance.lab.proxy.iptables.tables import Host, Tables
from conformance.lab.proxy.iptables.tool import program
from conformance.lab.proxy.place import place
from conformance.model.addresses import Family, Protocol
from conformance.model.cluster import ProxyMode
from conformance.model.kube import (
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    Service,
    ServicePort,
    ServiceType,
)

NODE = Node("n1", ("172.30.99.11",))
HOST = Host(short=True)


def tables(*sizes: tuple[int, int]) -> Tables:
    """One Service for each number of ports and of endpoints, with an affinity."""
    here = place(Family.IPV4, NODE, Configuration(ProxyMode.IPTABLES))
    parts = {}
    for n, (ports, endpoints) in enumerate(sizes):
        listed = tuple(ServicePort(f"p{i}", Protocol.TCP, 80 + i, 80, node_port=30000 + i) for i in range(ports))
        one = Service("d", f"s{n}", ServiceType.NODE_PORT, listed, (f"10.96.0.{n}",), affinity_seconds=10)
        addresses = tuple(Endpoint((f"10.244.{i // 250}.{i % 250}",), "n1") for i in range(endpoints))
        served = tuple(EndpointPort(p.name, Protocol.TCP, 80) for p in listed)
        parts[one.key] = part(one, [EndpointSlice("d", "e", one.name, Family.IPV4, served, addresses)], here, HOST)
    return Tables(frame(here, HOST), parts)


@pytest.fixture
def restored() -> Iterator[Callable[[str], str]]:
    """Feeds iptables-restore in one network namespace of an ordinary user's; what it says against it."""
    holder = subprocess.Popen(["unshare", "-Urn", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write(b"\n")
    holder.stdin.flush()
    holder.stdout.read(1)  # it runs inside
    enter = ["nsenter", "-t", str(holder.pid), "-U", "-n", "--preserve-credentials"]

    def feed(text: str) -> str:
        command = [*enter, program(Family.IPV4, "restore"), "--noflush"]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False).stderr

    yield feed
    holder.communicate()


def test_what_is_too_long_as_a_whole_goes_in_pieces(restored: Callable[[str], str]) -> None:
    few, many, none = tables((2, 2), (1, 1)), tables((60, 3), (1, 300), (1, 1)), saved("")
    assert "Message too long" in restored(restore(many, None, none))
    assert restored(restore_in_pieces(None, few, None, none)) == ""
    assert restored(restore_in_pieces(few, many, many.parts.keys(), none)) == ""
    # Everything of the large ones goes at once, and their chains after it.
    chains = "".join(f":{chain} - [0:0]\n" for p in many.parts.values() for chain in p.chains)
    assert restored(restore_in_pieces(many, few, many.parts.keys(), saved(f"*nat\n{chains}"))) == ""
