"""ICMP errors as a router would send them that finds a datagram too big for its next link."""

from __future__ import annotations

import errno
import socket
import struct
import sys
from typing import Any

from conformance.probe.agent.speech import TOO_BIG

QUOTED = 64  # bytes of the datagram's own: whoever translates the error looks at no more than its ports


def complained(family: int, client: tuple[Any, ...], own: str, port: int, data: bytes) -> bool:
    """Whether ``data`` asks for such an error, and ``client``, who sent it to ``own`` address, was sent one.

    It takes CAP_NET_RAW. Where that is missing the datagram is to be answered like any other, which tells the client.
    """
    words = data.split(b" ", 2)
    if not data.startswith(TOO_BIG.encode()) or len(words) < 3 or not words[1].isdigit():
        return False
    protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
    try:
        with socket.socket(family, socket.SOCK_RAW, protocol) as raw:
            raw.bind((own, 0))
            raw.sendto(packet_too_big(family, client, own, port, data, int(words[1])), (client[0], 0, *client[2:]))
    except OSError as failure:
        print(f"agent: no ICMP error: {errno.errorcode.get(failure.errno or 0, '')}", file=sys.stderr)
        return False
    return True


def packet_too_big(family: int, client: tuple[Any, ...], own: str, port: int, data: bytes, mtu: int) -> bytes:
    """Fragmentation Needed (RFC 1191), or Packet Too Big (RFC 4443), about a UDP datagram with ``data``."""
    addresses = socket.inet_pton(family, client[0]) + socket.inet_pton(family, own)
    size = 8 + len(data)
    datagram = struct.pack("!HHHH", client[1], port, size, 0) + data[:QUOTED]
    if family == socket.AF_INET6:  # the kernel fills in the checksum
        return struct.pack("!BBHI", 2, 0, 0, mtu) + struct.pack("!IHBB", 6 << 28, size, 17, 63) + addresses + datagram
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, 63, 17, 0) + addresses
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    error = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + header + datagram
    return error[:2] + struct.pack("!H", checksum(error)) + error[4:]


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
