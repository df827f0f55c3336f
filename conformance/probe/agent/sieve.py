"""A filter of packets that the kernel runs, so that a watch is woken by what it looks for only."""

from __future__ import annotations

import array
import socket
import struct
from typing import NamedTuple

IPV4, IPV6 = 0x0800, 0x86DD
HEADERS = 128  # bytes of a packet that are of interest
SO_ATTACH_FILTER = 26
# linux/bpf_common.h: the operations, and linux/filter.h: where a packet's metadata are found
LOAD_WORD, LOAD_HALF, LOAD_BYTE, AND, EQUAL, RETURN = 0x20, 0x28, 0x30, 0x54, 0x15, 0x06
PROTOCOL, PACKET_TYPE = 0xFFFFF000, 0xFFFFF004


class Network(NamedTuple):
    """A CIDR."""

    address: bytes
    bits: int


def network_of(cidr: str) -> Network:
    """The network that ``cidr`` means; `OSError` or `ValueError` when it means none."""
    text, _, length = cidr.partition("/")
    address = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    bits = int(length) if length else 8 * len(address)
    if not 0 <= bits <= 8 * len(address):
        raise ValueError("no such network: " + cidr)
    return Network(address, bits)


class Instruction(NamedTuple):
    """One of classic BPF: ``yes`` and ``no`` are how many instructions a comparison leaps over."""

    operation: int
    yes: int
    no: int
    operand: int


def leaving_for(networks: list[Network]) -> list[Instruction]:
    """A program that accepts what leaves this host for one of ``networks``; it sees packets without link headers."""
    program = [Instruction(LOAD_BYTE, 0, 0, PACKET_TYPE), Instruction(EQUAL, 1, 0, socket.PACKET_OUTGOING)]
    program.append(Instruction(RETURN, 0, 0, 0))
    for network in networks:
        program += _destined(network)
    return [*program, Instruction(RETURN, 0, 0, 0)]


def _destined(network: Network) -> list[Instruction]:
    """Accept what goes there; anything else goes on behind these instructions."""
    size = len(network.address)
    mask = ((1 << network.bits) - 1 << 8 * size - network.bits).to_bytes(size, "big")
    value = bytes(a & b for a, b in zip(network.address, mask))  # noqa: B905  Python 3.8 knows no strict
    tests = [(LOAD_HALF, PROTOCOL, 0xFFFF, IPV4 if size == 4 else IPV6)]
    for at in range(0, size, 4):
        words = (int.from_bytes(mask[at : at + 4], "big"), int.from_bytes(value[at : at + 4], "big"))
        tests.append((LOAD_WORD, (16 if size == 4 else 24) + at, *words))  # where IP has the destination
    block = []
    for number, (load, where, kept, wanted) in enumerate(tests):
        block += [Instruction(load, 0, 0, where), Instruction(AND, 0, 0, kept)]
        block.append(Instruction(EQUAL, 0, 3 * (len(tests) - number - 1) + 1, wanted))
    return [*block, Instruction(RETURN, 0, 0, HEADERS)]


def attach(sock: socket.socket, program: list[Instruction]) -> None:
    """Let the kernel run ``program`` on each packet before it gives it to ``sock``."""
    code = array.array("B", b"".join(struct.pack("=HBBI", *instruction) for instruction in program))
    address, _ = code.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), address))
