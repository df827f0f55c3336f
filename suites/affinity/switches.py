"""Session affinity switched on and off, and what the API server takes as its timeout."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    Level,
    Rejected,
    SeenSource,
    Stored,
    Submission,
    ask,
    axes,
    becomes,
    cluster_ip,
    dial,
    nodes,
    on,
    pod,
    service,
)
from conformance.spec.faults import Fault
from conformance.spec.sources import AFFINITY_TIMEOUT, SESSION_AFFINITY

FIELD = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"

_SWITCHED = service(endpoints=on("a", "b"), called="aff-20")
_NEW = service(endpoints=on("a"), affinity=True, called="aff-21")
_SPREAD = Answered(on("a", "b"), SeenSource.CLIENT)
_STICKY = Answered(on("a", "b"), SeenSource.CLIENT, sticky=True)


def _with(seconds: object) -> Submission:
    """A request to create the Service with that timeout; None says none."""
    fields = () if seconds is None else ((FIELD, seconds),)
    return Submission(_NEW, fields=fields, create=True)


SWITCHES = (
    Case(
        id="AFF-20",
        promise="Session affinity counts from when it is switched on until it is switched off.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY,),
        catches=(Fault.AFFINITY_IGNORED, Fault.AFFINITY_STAYS_ON),
        given=_SWITCHED,
        steps=(
            ask("without", dial(cluster_ip(), client=pod("a")), _SPREAD),
            becomes(_SWITCHED.but(affinity=True)),
            ask("on", dial(cluster_ip(), client=pod("a")), _STICKY),
            becomes(_SWITCHED),
            ask("off", dial(cluster_ip(), client=pod("a")), _SPREAD),
        ),
        needs=(nodes(2),),
        covers=("F07",),
    ),
    Case(
        id="AFF-21",
        promise="timeoutSeconds is three hours unless it is said, and lies between a second and a day.",
        level=Level.MUST,
        sources=(AFFINITY_TIMEOUT,),
        catches=(
            Fault.API_TAKES_INVALID,
            Fault.API_DEFAULT_MISSING,
        ),
        given=(),
        steps=(
            ask("default", _with(None), Stored(((FIELD, 10800),))),
            ask("least", _with(1), Stored(((FIELD, 1),))),
            ask("most", _with(86400), Stored(((FIELD, 86400),))),
            ask("zero", _with(0), Rejected(FIELD)),
            ask("negative", _with(-1), Rejected(FIELD)),
            ask("too-much", _with(86401), Rejected(FIELD)),
        ),
        across=axes(family=(), protocol=()),
        covers=("F11",),
    ),
)
