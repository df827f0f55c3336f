"""DNS questions and answers: bytes to dial with, and lines to judge."""

from __future__ import annotations

import random

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from dns.rdata import Rdata

ROOM = 1232  # bytes of a UDP answer that pass everywhere without fragments (DNS flag day 2020)


def question(name: str, kind: str) -> bytes:
    """A recursive question for the records of ``kind`` (``A``, ``SRV``, ...) at ``name``, with EDNS."""
    query = dns.message.make_query(name, kind, use_edns=0, payload=ROOM, id=random.randint(0x8000, 0xFFFF))
    return query.to_wire()


def over_tcp(message: bytes) -> bytes:
    """The message behind its two bytes of length."""
    return len(message).to_bytes(2, "big") + message


def records(detail: str) -> str:
    """The answer in a dial's ``detail`` (hex, with or without TCP's length) as sorted lines, one a record.

    An address for A and AAAA, a name for PTR and the like, ``port target`` for SRV (the DNS specification of Kubernetes
    leaves priority and weight open), and ``CNAME target`` for an alias on the way. Without records: ``NXDOMAIN``,
    ``NODATA`` or the response code. An answer that was cut short has the line ``TRUNCATED`` as well; what is no DNS
    message is ``MALFORMED``.
    """
    message = bytes.fromhex(detail)
    # An id is never this small where a message is this short: `question` sees to it.
    if int.from_bytes(message[:2], "big") == len(message) - 2:
        message = message[2:]
    try:
        answer = dns.message.from_wire(message, ignore_trailing=False)
    except dns.exception.DNSException:
        return "MALFORMED"
    lines = {_line(record) for rrset in answer.answer for record in rrset}
    if answer.flags & dns.flags.TC:
        lines.add("TRUNCATED")
    if answer.rcode() is not dns.rcode.NOERROR:
        lines.add(dns.rcode.to_text(answer.rcode()))
    return "\n".join(sorted(lines)) or "NODATA"


def _line(record: Rdata) -> str:
    text = record.to_text().lower()
    if record.rdtype is dns.rdatatype.SRV:
        return text.split(" ", 2)[2]
    return f"CNAME {text}" if record.rdtype is dns.rdatatype.CNAME else text
