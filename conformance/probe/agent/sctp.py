"""SCTP packets (RFC 9260) made and read in user space: the kernel's own SCTP need not, and must not, be loaded."""

from __future__ import annotations

import random
import struct
from typing import NamedTuple

from conformance.probe.agent.place import file_text

IPPROTO_SCTP = 132
INIT, INIT_ACK, ABORT = 1, 2, 6
STATE_COOKIE = 7
# The two highest bits 10: who does not know this parameter skips it and reports nothing (RFC 9260, 3.2.1).
SPEECH = 0x8F4E
CRC32C = 0x82F63B78  # the Castagnoli polynomial, reflected


class SctpPacket(NamedTuple):
    """An SCTP packet with its first chunk; ``tag`` is the receiver's own, given by him in his INIT or INIT ACK."""

    source: int
    target: int
    tag: int
    kind: int
    value: bytes


def kernel_speaks_sctp() -> bool:
    """Whether this kernel has SCTP loaded: then it answers every INIT itself, with an ABORT where nobody listens."""
    return any(line.startswith("SCTP") for line in file_text("/proc/net/protocols").splitlines())


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (CRC32C if crc & 1 else 0)
        table.append(crc)
    return table


CRC_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """The checksum of SCTP. Conntrack looks at it, and translates no packet whose checksum is wrong."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def sctp_packed(packet: SctpPacket) -> bytes:
    """The packet's bytes, checksum and all."""
    head = struct.pack("!HHI", packet.source, packet.target, packet.tag)
    chunk = struct.pack("!BBH", packet.kind, 0, 4 + len(packet.value)) + packet.value + bytes(-len(packet.value) % 4)
    return head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk


def sctp_unpacked(data: bytes) -> SctpPacket | None:
    """The packet in ``data``, None if there is none.

    Its checksum is not looked at: where sender and receiver share a machine nobody has computed it (offloading).
    """
    if len(data) < 16:
        return None
    source, target, tag, _, kind, _, length = struct.unpack_from("!HHIIBBH", data)
    return SctpPacket(source, target, tag, kind, data[16 : 12 + length])


def initiation(tag: int, speech: bytes, cookie: bytes = b"") -> bytes:
    """The value of an INIT, or with a cookie of an INIT ACK, that gives ``tag`` and carries ``speech``."""
    text = speech + b"\n" * (-len(speech) % 4)  # lengths that are multiples of four need no padding
    fixed = struct.pack("!IIHHI", tag, 1 << 16, 1, 1, tag)
    state = struct.pack("!HH", STATE_COOKIE, 4 + len(cookie)) + cookie if cookie else b""
    return fixed + state + struct.pack("!HH", SPEECH, 4 + len(text)) + text


def new_tag() -> int:
    """An initiate tag: any number but 0."""
    return random.randint(1, 0xFFFFFFFF)


def tag_and_speech(value: bytes) -> tuple[int, bytes]:
    """What an INIT or INIT ACK says: its sender's tag, and its text, empty if it has none."""
    if len(value) < 16:
        return 0, b""
    at, text = 16, b""
    while at + 4 <= len(value) and not text:
        kind, length = struct.unpack_from("!HH", value, at)
        if kind == SPEECH:
            text = value[at + 4 : at + length]
        at += max(4, length + 3 & ~3)
    return int.from_bytes(value[:4], "big"), text.rstrip(b"\n")
