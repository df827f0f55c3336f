"""Datagrams that fill the path, errors about those that are too big, and what TCP sends again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from conformance.cluster.command import CommandStream
from conformance.model.observation import Dial, End
from tests.probe.talk import ends, results

if TYPE_CHECKING:
    from tests.probe.conftest import World

FAMILIES = ("10.91.2.2", "fd91:2::2")


@pytest.fixture(scope="module")
def stream(own_world: World) -> Iterator[CommandStream]:
    with ExitStack() as stack:
        own_world.serve(stack, "s", "--port", "8080", "--name", "web")
        stream = own_world.dialler()
        stack.callback(stream.close)
        yield stream


@contextmanager
def rules(world: World, *lines: str, hook: str = "filter hook forward", before: str = "") -> Iterator[None]:
    """On the router, by default where packets are forwarded; ``before`` is what the table has besides its chain."""
    chain = "\n".join((f"type {hook} priority -10;", *lines))
    world.run("r", "nft", f"table inet some {{\n{before}\nchain way {{\n{chain}\n}}\n}}")
    try:
        yield
    finally:
        world.run("r", "nft", "delete table inet some")


def dialled(stream: CommandStream, **ask: str | int | float) -> list[Dial]:
    return ends(results(stream, [{"id": "1", "port": 8080, "timeout": 0.5} | ask])["1"])


@pytest.mark.parametrize("ip", FAMILIES)
def test_a_datagram_that_fits_fills_the_mtu_to_the_last_byte(own_world: World, stream: CommandStream, ip: str) -> None:
    with rules(own_world, "meta l4proto udp meta length < 1500 drop"):  # answers are brief
        (lost,) = dialled(stream, ip=ip, proto="UDP", fits=True)
        assert lost.end is End.TIMEOUT
    with rules(own_world, "udp dport 8080 meta length < 1500 drop", "udp dport 8080 meta length > 1500 drop"):
        (dial,) = dialled(stream, ip=ip, proto="UDP", fits=True)
        assert (dial.end, dial.endpoint) == (End.ANSWERED, "web")


@pytest.mark.parametrize("ip", FAMILIES)
def test_it_is_sent_again_when_a_router_has_less_room(own_world: World, stream: CommandStream, ip: str) -> None:
    own_world.run("r", "ip", "link", "set", "s0", "mtu", "1400")
    try:
        (dial,) = dialled(stream, ip=ip, proto="UDP", fits=True)
        assert dial.end is End.ANSWERED
        with rules(own_world, "meta length > 1300 drop"):  # a black hole
            (dial,) = dialled(stream, ip=ip, proto="UDP", fits=True)
            assert dial.end is End.TIMEOUT
    finally:
        own_world.run("r", "ip", "link", "set", "s0", "mtu", "1500")
        own_world.run("c", "ip", "route", "flush", "cache")
        own_world.run("c", "ip", "-6", "route", "flush", "cache")


@pytest.mark.parametrize(("ip", "kind"), [("10.91.2.2", (3, 4)), ("fd91:2::2", (2, 0))])
def test_the_other_side_complains_that_it_was_too_big(stream: CommandStream, ip: str, kind: tuple[int, int]) -> None:
    for dial in dialled(stream, ip=ip, proto="UDP", too_big=1300, count=3):
        assert dial.end is End.ICMP
        assert dial.icmp
        assert (dial.icmp.type, dial.icmp.code, dial.icmp.mtu, dial.icmp.sender) == (*kind, 1300, ip)


@pytest.mark.parametrize("ip", FAMILIES)
def test_the_complaint_is_translated_with_its_packet(own_world: World, stream: CommandStream, ip: str) -> None:
    """As if it were about the address that was dialled: conntrack finds the flow by what the error quotes."""
    family, service, to = ("ip", "10.91.7.7", ip) if "." in ip else ("ip6", "fd91:7::7", f"[{ip}]")
    rule = f"{family} daddr {service} udp dport 53 dnat {family} to {to}:8080"
    with rules(own_world, rule, hook="nat hook prerouting"):
        (dial,) = dialled(stream, ip=service, port=53, proto="UDP", too_big=1300)
        assert dial.end is End.ICMP
        assert dial.icmp
        assert (dial.icmp.mtu, dial.icmp.sender) == (1300, service)


def test_a_lost_first_packet_is_counted(own_world: World, stream: CommandStream) -> None:
    (prompt,) = dialled(stream, ip="10.91.2.2")
    assert (prompt.end, prompt.retransmits) == (End.ANSWERED, 0)
    first = "tcp dport 8080 tcp flags & (syn | ack) == syn"
    known = "set known {\ntype inet_service\nflags dynamic,timeout\ntimeout 1m\n}"
    with rules(own_world, f"{first} tcp sport @known accept", f"{first} add @known {{ tcp sport }} drop", before=known):
        (late,) = dialled(stream, ip="10.91.2.2", timeout=4)
        assert (late.end, late.retransmits) == (End.ANSWERED, 1)


def test_what_arrives_changed_is_no_answer(own_world: World, stream: CommandStream) -> None:
    (whole,) = dialled(stream, ip="10.91.2.2", size=1 << 20, timeout=5)
    assert (whole.end, whole.endpoint) == (End.ANSWERED, "web")
    with rules(own_world, "meta l4proto tcp meta length > 1000 @th,4000,8 set 0x2b"):
        (garbled,) = dialled(stream, ip="10.91.2.2", size=1 << 20, timeout=5)
        assert garbled.end is End.GARBLED
