"""What the path to an endpoint, and the endpoint itself, add to a Service's translation: errors, and what got lost."""

from __future__ import annotations

from dataclasses import replace

from conformance.model.addresses import Protocol
from conformance.model.cell import Cell
from conformance.model.outcome import Expectation, Outcome, Reaches, Refused, RefusedBy, TooBig, Unspecified
from conformance.model.source import Reason
from conformance.model.surroundings import CLOSED_PORT
from conformance.spec import sources as cite

_CLOSED = {
    Protocol.TCP: (RefusedBy.RST, cite.CLOSED_PORT),
    Protocol.UDP: (RefusedBy.ICMP, cite.CLOSED_UDP_PORT),
}


def along_the_path(cell: Cell, routed: Expectation) -> Expectation:
    """``routed`` says who gets the packets of ``cell``; this says what comes back."""
    outcome, how = routed.outcome, cell.dialling
    if not isinstance(outcome, Reaches):
        return routed
    closed = all(t.port == CLOSED_PORT for t in outcome.targets | outcome.astray)
    if closed and cell.protocol in _CLOSED:
        by, source = _CLOSED[cell.protocol]
        text = f"no backend listens at port {CLOSED_PORT}; its refusal is translated back like an answer"
        return _comes_back(routed, outcome, Refused(by), Reason(text, source))
    if how.too_big:
        text = f"whoever gets the datagram says that the way on has an MTU of {how.too_big}, as a router would"
        return _comes_back(routed, outcome, TooBig(how.too_big), Reason(text, cite.PATH_MTU))
    if how.promptly:
        text = "nothing is lost between nodes that are well, so no connection takes a second SYN"
        reasons = (*routed.reasons, Reason(text, cite.SYN_RETRANSMISSION))
        return Expectation(replace(outcome, promptly=True), reasons)
    if how.fits:
        text = "a datagram that fills the path's MTU arrives in one piece, or its sender is told which MTU the path has"
        return Expectation(outcome, (*routed.reasons, Reason(text, cite.PATH_MTU)))
    return routed


def _comes_back(routed: Expectation, reached: Reaches, error: Outcome, why: Reason) -> Expectation:
    """``error`` in place of an answer, where it finds its way back to the client."""
    if reached.astray:
        lost = "it may get lost like an answer, which the API leaves open"
        return Expectation(Unspecified(lost), (*routed.reasons, why, Reason(lost, cite.DESTINATION_NAT)))
    back = Reason("what ICMP says about a translated packet is translated back with it", cite.NAT_ICMP)
    return Expectation(error, (*routed.reasons, why, back))
