"""The audit: one table against the API's objects."""

from __future__ import annotations

from conformance.audit.elements import Elements
from conformance.audit.finding import Finding, Kind
from conformance.audit.fixed import compare_frame
from conformance.audit.frame import fixed_containers
from conformance.audit.leftovers import compare_rest
from conformance.audit.place import Detail, place
from conformance.audit.report import Report
from conformance.audit.routes import Routes
from conformance.audit.table import Table, Tables
from conformance.audit.walk import Walker
from conformance.audit.wants import wants
from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState
from conformance.oracle.capture import proxied
from conformance.spec import sources as cite

_PLAIN = Detail()

MEASURED = (1, 36)
"""The version of kube-proxy whose structure is expected; another's may differ in form."""


def audit(
    table: Table, state: ClusterState, node: str, detail: Detail = _PLAIN, *, strict: bool = False
) -> tuple[Finding, ...]:
    """Every way in which ``table`` does something else than kube-proxy on ``node`` would for the objects of ``state``.

    Rules are compared by what they do to packets, not by how they are written; empty chains that nothing refers to
    count only if ``strict``. ``KeyError`` when ``state`` has no such node. The frame is that of kube-proxy `MEASURED`.
    """
    here = place(state, state.nodes[node], table.family, detail)
    report, wanted, walker = Report(here), wants(here), Walker(table, here)
    compare_frame(table, here, report)
    elements = Elements(table, here, wanted, Routes(table, here, walker), report)
    for name in fixed_containers(here):
        elements.compare(name)
    pardoned = {about for key, them in wanted.claimants.items() if wanted.contested(key) for about in them}
    compare_rest(table, here, walker, report, pardoned, strict=strict)
    return report.findings


def audit_node(
    tables: Tables, state: ClusterState, node: str, detail: Detail = _PLAIN, *, strict: bool = False
) -> tuple[Finding, ...]:
    """The audit of both families of ``node``; a family that has Services and no table is a finding of its own."""
    found: list[Finding] = []
    for family in Family:
        table = tables.get(family)
        if table is not None:
            found += audit(table, state, node, detail, strict=strict)
        elif any(proxied(s, family) for s in state.services.values()):
            report = Report(place(state, state.nodes[node], family, detail))
            name = f"table {'ip' if family is Family.IPV4 else 'ip6'} kube-proxy"
            report.add(Kind.MISSING, "", name, "", name, cite.NFTABLES_CODE)
            found += report.findings
    return tuple(found)
