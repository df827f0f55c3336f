"""From a query to its response (pure): NXDOMAIN and NODATA with their SOA, CNAMEs, EDNS, refusals."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rrset
from dns.rdatatype import RdataType

from conformance.lab.dns.records import Records, Zones, records, soa
from conformance.lab.dns.view import View

TTL = 5
PAYLOAD = 1232  # DNS flag day 2020: the largest UDP answer that no path fragments
_CHAIN = 8
_TRANSFERS = (RdataType.AXFR, RdataType.IXFR)


def respond(view: View, zones: Zones, query: dns.message.Message) -> dns.message.Message:
    """The response to ``query``; it never recurses and answers for no zone but ours."""
    response = dns.message.make_response(query, our_payload=PAYLOAD)
    if query.opcode() != dns.opcode.QUERY:
        response.set_rcode(dns.rcode.NOTIMP)
    elif query.edns > 0:
        response.set_rcode(dns.rcode.BADVERS)
    elif len(query.question) != 1:
        response.set_rcode(dns.rcode.FORMERR)
    else:
        _answer(view, zones, query.question[0], response)
    return response


def wire(response: dns.message.Message, query: dns.message.Message, *, stream: bool) -> bytes:
    """As bytes: over UDP no more than the asker takes, with TC set when that cuts something off."""
    if stream:
        return response.to_wire(max_size=65535, prefer_truncation=True)
    room = min(PAYLOAD, max(512, query.payload)) if query.edns >= 0 else 512
    return response.to_wire(max_size=room, prefer_truncation=True)


def unreadable(packet: bytes) -> bytes | None:
    """FORMERR for a packet that is no query; None when there is no id to answer to, or it is itself a response."""
    if len(packet) < 12 or packet[2] & 0x80:
        return None
    return packet[:2] + bytes((0x80 | packet[2] & 0x79, dns.rcode.FORMERR)) + bytes(8)


def _answer(view: View, zones: Zones, question: dns.rrset.RRset, response: dns.message.Message) -> None:
    name, kind = question.name, question.rdtype
    if zones.of(name) is None or question.rdclass != dns.rdataclass.IN or kind in _TRANSFERS:
        response.set_rcode(dns.rcode.REFUSED)
        return
    response.flags |= dns.flags.AA
    found = records(view, zones, name)
    for _ in range(_CHAIN):
        if kind in (RdataType.CNAME, RdataType.ANY) or found is None or RdataType.CNAME not in found:
            break
        aliases = found[RdataType.CNAME]
        _add(response.answer, name, aliases)
        name = dns.name.from_text(str(aliases[0]))
        if zones.of(name) is None:
            return  # how it goes on, another server knows
        found = records(view, zones, name)
    _conclude(zones, name, kind, found, response)
    for target in _targets(found or {}, kind):
        for each, addresses in (records(view, zones, target) or {}).items():
            if each in (RdataType.A, RdataType.AAAA):
                _add(response.additional, target, addresses)


def _conclude(
    zones: Zones, name: dns.name.Name, kind: RdataType, found: Records | None, response: dns.message.Message
) -> None:
    wanted = [each for each in found or {} if kind in (each, RdataType.ANY)]
    for each in wanted:
        _add(response.answer, name, (found or {})[each])
    if not wanted:
        _add(response.authority, zones.of(name) or zones.domain, [soa(zones.domain)])
        response.set_rcode(dns.rcode.NXDOMAIN if found is None else dns.rcode.NOERROR)


def _targets(found: Records, kind: RdataType) -> list[dns.name.Name]:
    """The hosts that the SRV records answered with name, each once."""
    if kind not in (RdataType.SRV, RdataType.ANY):
        return []
    names = dict.fromkeys(str(rdata).split()[3] for rdata in found.get(RdataType.SRV, ()))
    return [dns.name.from_text(name) for name in names]


def _add(section: list[dns.rrset.RRset], name: dns.name.Name, rdatas: list[dns.rdata.Rdata]) -> None:
    section.append(dns.rrset.from_rdata_list(name, TTL, rdatas))
