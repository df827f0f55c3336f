"""What the proxy has to do with the kernel besides its rules: own addresses, connections it tracks, named counters.

Raw netlink, because a busy node tracks tens of thousands of flows and a general parser takes seconds over them.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Iterable, Iterator

from conformance.lab.proxy.conntrack import Address, Flow
from conformance.model.addresses import Family, Protocol

_ROUTE, _NETFILTER = 0, 12
_REQUEST, _ACK, _DUMP, _NEW = 0x1, 0x4, 0x300, 0x600
_ERROR, _DONE = 0x2, 0x3
_RTM_GETADDR, _IFA_ADDRESS, _IFA_LOCAL = 22, 1, 2
_CT_GET, _CT_DELETE = 0x101, 0x102
_ACCT_NEW, _ACCT_GET, _ACCT_NAME, _ACCT_PACKETS = 0x700, 0x701, 1, 2
_TUPLE_ORIG, _TUPLE_REPLY, _ID, _ZONE, _FILTER = 1, 2, 12, 18, 25
_TUPLE_IP, _TUPLE_PROTO = 1, 2
_IP_SRC, _IP_DST = {Family.IPV4: 1, Family.IPV6: 3}, {Family.IPV4: 2, Family.IPV6: 4}
_PROTO_NUM, _PROTO_SRC_PORT, _PROTO_DST_PORT = 1, 2, 3
_FILTER_ORIG_FLAGS, _BY_PROTO_NUM = 1, 1 << 3
_SO_SNDBUFFORCE = 32
_NESTED, _TYPE_MASK = 0x8000, 0x3FFF
_NUMBERS = {Protocol.TCP: 6, Protocol.UDP: 17, Protocol.SCTP: 132}
_SOCKET_FAMILY = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
# The kernel begins with both tuples, addresses before ports (ctnetlink_fill_info, ctnetlink_dump_tuples). Where they
# are no longer than these make them, the original destination, protocol and port and the reply's source and port are at
# fixed places: to walk through all attributes of a busy node's flows took most of the proxy's time.
_TUPLE = {Family.IPV4: 52, Family.IPV6: 76}
_ENDS = {Family.IPV4: struct.Struct("!20x4s8xB15xH14x4s24xH"), Family.IPV6: struct.Struct("!32x16s8xB15xH14x16s36xH")}


def interface_addresses() -> tuple[str, ...]:
    """Every address that an interface of this network namespace carries; ``OSError``."""
    found = []
    for body in _ask(_ROUTE, _RTM_GETADDR, _REQUEST | _DUMP, struct.pack("=BBBBi", 0, 0, 0, 0, 0)):
        attributes = _attributes(body[8:])
        raw = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
        if raw is not None:
            found.append(_printed(raw))
    return tuple(found)


def flows(family: Family, protocol: Protocol) -> list[Flow]:
    """The tracked connections of ``family`` and ``protocol``; ``OSError``."""
    number = _NUMBERS[protocol]
    # Kernels before 5.8 ignore the filter and send everything, so the protocol is looked at again.
    wanted = _attribute(
        _TUPLE_ORIG | _NESTED, _attribute(_TUPLE_PROTO | _NESTED, _attribute(_PROTO_NUM, bytes([number])))
    )
    by_protocol = _attribute(_FILTER | _NESTED, _attribute(_FILTER_ORIG_FLAGS, struct.pack("=I", _BY_PROTO_NUM)))
    message = _generic(family) + wanted + by_protocol
    tracked = (_flow(body[4:], family, protocol) for body in _ask(_NETFILTER, _CT_GET, _REQUEST | _DUMP, message))
    return [flow for flow in tracked if flow is not None]


def forget(family: Family, some: Iterable[Flow]) -> int:
    """Make the kernel forget ``some`` flows; how many it still knew. ``OSError`` for anything but being too late."""
    deleted = 0
    for flow in some:
        try:
            for _ in _ask(_NETFILTER, _CT_DELETE, _REQUEST | _ACK, _generic(family) + _named(flow.handle)):
                pass
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
        else:
            deleted += 1
    return deleted


def is_short() -> bool:
    """Whether no message can be longer than what the system allows everybody."""
    with contextlib.closing(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER)) as link:
        try:
            link.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, 1 << 20)
        except PermissionError:
            return True
    return False


def ensure_counter(name: str) -> None:
    """Have nfacct's counter ``name``, with which rules count packets; ``OSError``, also where nfacct is not known."""
    try:
        for _ in _ask(_NETFILTER, _ACCT_NEW, _REQUEST | _ACK | _NEW, _counter(name)):
            pass
    except OSError as error:
        if error.errno != errno.EEXIST:
            raise


def counted_packets(name: str) -> int:
    """What nfacct's counter ``name`` has counted; ``OSError`` where there is none."""
    (body,) = _ask(_NETFILTER, _ACCT_GET, _REQUEST | _ACK, _counter(name))
    return int.from_bytes(_attributes(body[4:])[_ACCT_PACKETS], "big")


def _counter(name: str) -> bytes:
    return struct.pack("=BBH", socket.AF_UNSPEC, 0, 0) + _attribute(_ACCT_NAME, name.encode() + b"\0")


def _flow(text: bytes, family: Family, protocol: Protocol) -> Flow | None:
    number, to, replier = _ends(text, family)
    return Flow(protocol, to, replier, text) if number == _NUMBERS[protocol] else None


def _ends(text: bytes, family: Family) -> tuple[int, Address, Address]:
    """The protocol's number, where the client sent the flow, and who answers."""
    length = _TUPLE[family]
    if text[:4] == _nested(length, _TUPLE_ORIG) and text[length : length + 4] == _nested(length, _TUPLE_REPLY):
        to, number, port, replier, own_port = _ENDS[family].unpack_from(text)
        return number, (_printed(to), port), (_printed(replier), own_port)
    attributes = _attributes(text)
    original, reply = _attributes(attributes[_TUPLE_ORIG]), _attributes(attributes[_TUPLE_REPLY])
    ports, answer = _attributes(original[_TUPLE_PROTO]), _attributes(reply[_TUPLE_PROTO])
    return (
        ports[_PROTO_NUM][0],
        (_address(original, _IP_DST[family]), _port(ports, _PROTO_DST_PORT)),
        (_address(reply, _IP_SRC[family]), _port(answer, _PROTO_SRC_PORT)),
    )


def _named(text: bytes) -> bytes:
    """What names this flow alone: its identity keeps us from deleting a later one between the same ports."""
    attributes = _attributes(text)
    return b"".join(
        _attribute(kind | (_NESTED if kind == _TUPLE_ORIG else 0), attributes[kind])
        for kind in (_TUPLE_ORIG, _ZONE, _ID)
        if kind in attributes
    )


def _nested(length: int, kind: int) -> bytes:
    return struct.pack("=HH", length, kind | _NESTED)


def _address(tuple_attributes: dict[int, bytes], kind: int) -> str:
    return _printed(_attributes(tuple_attributes[_TUPLE_IP])[kind])


def _printed(raw: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def _port(attributes: dict[int, bytes], kind: int) -> int:
    return int.from_bytes(attributes.get(kind, b"\0\0"), "big")


def _generic(family: Family) -> bytes:
    return struct.pack("=BBH", _SOCKET_FAMILY[family], 0, 0)


def _attribute(kind: int, payload: bytes) -> bytes:
    text = struct.pack("=HH", len(payload) + 4, kind) + payload
    return text + b"\0" * (-len(text) % 4)


def _attributes(text: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at + 4 <= len(text):
        length, kind = struct.unpack_from("=HH", text, at)
        if length < 4:
            break
        found[kind & _TYPE_MASK] = text[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def _ask(protocol: int, kind: int, flags: int, message: bytes) -> Iterator[bytes]:
    """The bodies of the kernel's answers to one request; ``OSError`` when it says no."""
    with contextlib.closing(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)) as link:
        link.settimeout(10)
        link.bind((0, 0))
        link.send(struct.pack("=IHHII", 16 + len(message), kind, flags, 1, 0) + message)
        while True:
            packet, at = link.recv(1 << 18), 0
            while at + 16 <= len(packet):
                length, answer = struct.unpack_from("=IH", packet, at)
                body = packet[at + 16 : at + length]
                at += (length + 3) & ~3
                if answer == _DONE:
                    return
                if answer == _ERROR:
                    code = -struct.unpack_from("=i", body)[0]
                    if code:
                        raise OSError(code, errno.errorcode.get(code, "netlink"))
                    return
                yield body
