"""No answer was promised: refusal, silence, no route, or nobody in particular."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from conformance.judge.finding import Finding, answered, refuses, tally, unroutable
from conformance.model.observation import Dial, End
from conformance.model.outcome import RefusedBy, TooBig
from conformance.model.verdict import Mismatch


def refused(by: RefusedBy, dials: Sequence[Dial]) -> Finding:
    """At least one refusal of the promised kind, and no other end but silence.

    Kernels limit the rate of ICMP errors (``icmp_ratelimit``, ``icmp_msgs_per_sec``, ``net.ipv6.icmp.ratelimit``), so
    that an ICMP refusal may be silent most of the time. They do not limit RSTs: one silent dial of a closed TCP port is
    one too many.
    """
    if any(map(answered, dials)):
        return Finding(Mismatch.ANSWERED, tally(dials))
    by_icmp = [d for d in dials if d.end is End.ICMP and refuses(d.icmp)]
    by_rst = [d for d in dials if d.end is End.RST]
    silent = [d for d in dials if d.end is End.TIMEOUT]
    match by:
        case RefusedBy.ICMP:
            right, enough = by_icmp, bool(by_icmp)
        case RefusedBy.RST:
            right, enough = by_rst, len(by_rst) == len(dials)
        case RefusedBy.ANY:
            right, enough = by_icmp + by_rst, bool(by_icmp) or len(by_rst) == len(dials)
        case other:
            assert_never(other)
    if len(right) + len(silent) < len(dials):
        return Finding(Mismatch.WRONG_REFUSAL, tally(dials))
    if enough:
        return Finding()
    return Finding(Mismatch.DROPPED_NOT_REFUSED, tally(dials), silence=True)


def too_big(outcome: TooBig, dials: Sequence[Dial]) -> Finding:
    """At least one word of a packet that is too big, with the promised MTU, and no other end but silence.

    Others than the kit may limit the rate of ICMP errors, wherever they pass.
    """
    if any(map(answered, dials)):
        return Finding(Mismatch.ANSWERED, tally(dials))
    told = [d for d in dials if d.end is End.ICMP and d.icmp and d.icmp.mtu == outcome.mtu]
    if len(told) + sum(d.end is End.TIMEOUT for d in dials) < len(dials):
        return Finding(Mismatch.WRONG_REFUSAL, tally(dials))
    return Finding() if told else Finding(Mismatch.NOT_TOLD, tally(dials), silence=True)


def dropped(dials: Sequence[Dial]) -> Finding:
    """Silence alone."""
    if any(map(answered, dials)):
        return Finding(Mismatch.ANSWERED, tally(dials))
    if any(d.end is not End.TIMEOUT for d in dials):
        return Finding(Mismatch.REFUSED_NOT_DROPPED, tally(dials))
    return Finding(silence=True)


def no_route(dials: Sequence[Dial]) -> Finding:
    """The client's kernel or a router says that there is no way."""
    if any(map(answered, dials)):
        return Finding(Mismatch.ANSWERED, tally(dials))
    if all(map(unroutable, dials)):
        return Finding()
    if all(unroutable(d) or d.end is End.TIMEOUT for d in dials):
        return Finding(Mismatch.DROPPED_NOT_REFUSED, tally(dials), silence=True)
    return Finding(Mismatch.WRONG_REFUSAL, tally(dials))


def unanswered(dials: Sequence[Dial]) -> Finding:
    """Anything but an answer."""
    if any(map(answered, dials)):
        return Finding(Mismatch.ANSWERED, tally(dials))
    return Finding(silence=any(d.end is End.TIMEOUT for d in dials))
