"""What the nodes themselves show to who may read them (``--node-access``)."""

from __future__ import annotations

from conformance.model.case import (
    Case,
    Level,
    Matrix,
    Profile,
    axes,
    dial,
    host,
    nodes,
    on,
    readable_rules,
    rules,
    service,
)
from conformance.model.outcome import Faithful
from conformance.spec.faults import Fault
from conformance.spec.sources import NFTABLES_CODE, NFTABLES_KEP
from suites.node import state

_AUDITED = tuple(
    Case(
        id=f"NOD-0{number}",
        promise=f"Through all of the run, kube-proxy's table on node {role} does what the API's objects ask for, "
        "and nothing else.",
        level=Level.SHOULD,
        sources=(NFTABLES_CODE, NFTABLES_KEP),
        catches=(Fault.LEAKED_CHAINS,),
        given=service(endpoints=on("a")),
        when=dial(rules(role), client=host(role)),
        then=Faithful(),
        needs=(readable_rules(), nodes(number)),
        across=axes(protocol=()),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("N14",),
        alone=True,
    )
    for number, role in enumerate("abc", 1)
)
CASES: tuple[Case, ...] = (*_AUDITED, *state.CASES)
MATRICES: tuple[Matrix, ...] = ()
