"""Chains, sets and rules that no claim accounts for."""

from __future__ import annotations

from collections import Counter

from conformance.audit.finding import Kind
from conformance.audit.frame import fixed_chains, fixed_containers
from conformance.audit.names import is_owned, owner
from conformance.audit.place import Place
from conformance.audit.report import Report
from conformance.audit.steps import containers, targets, told
from conformance.audit.table import Chain, Table
from conformance.audit.walk import AFFINITY_PREFIX, Walker
from conformance.spec import sources as cite


def compare_rest(
    table: Table, place: Place, walker: Walker, report: Report, pardoned: set[str], *, strict: bool
) -> None:
    """Report what is in the table for nothing; ``pardoned`` objects lost an address to others and may leave chains.

    A chain of an object that lacks something is no leak: what referred to it is missing. kube-proxy empties a chain and
    deletes it a second later: an empty one that nothing refers to counts only if ``strict``.
    """
    fixed = set(fixed_chains(place))
    excused = (pardoned | report.blamed) - {""}
    referred = _referred(table, fixed)
    _chains(table, referred, fixed, excused, report, strict=strict)
    _rules(table, walker, report)
    used = set(fixed_containers(place))
    for name, chain in table.chains.items():
        if name in referred or owner(name) in excused:
            used.update(*map(containers, chain.rules))
    for name in table.containers:
        if name not in used:
            kind = Kind.LEAKED_CHAIN if name.startswith(AFFINITY_PREFIX) else Kind.FOREIGN
            report.add(kind, owner(name), name, "a set or map that nothing uses", "", cite.NFTABLES_CODE)


def _chains(
    table: Table, referred: set[str], fixed: set[str], excused: set[str], report: Report, *, strict: bool
) -> None:
    for name, chain in table.chains.items():
        if name in fixed:
            continue
        about, where = owner(name), f"chain {name}"
        if chain.hook is not None or (name not in referred and not is_owned(name)):
            there = "; ".join(map(told, chain.rules)) or "an empty chain"
            report.add(Kind.FOREIGN, "", where, there, "", cite.NFTABLES_CODE)
        elif name in referred:
            _within(chain, report)
        elif (chain.rules or strict) and about not in excused:
            there = f"{len(chain.rules)} rules that nothing refers to" if chain.rules else "an empty chain"
            report.add(Kind.LEAKED_CHAIN, about, where, there, "", cite.NFTABLES_CODE)


def _within(chain: Chain, report: Report) -> None:
    """Rules that are there twice, and rules that lead into another Service's chains, whatever these do today."""
    about, where = owner(chain.name), f"chain {chain.name}"
    for rule, count in Counter(chain.rules).items():
        if count > 1:
            report.add(Kind.DUPLICATED, about, where, f"{count} times {told(rule)}", "once", cite.NFTABLES_CODE)
        for other in {owner(target) for target in targets(rule)} - {"", about}:
            there = f"goes by a chain of {other}"
            report.add(Kind.ALTERED, about, where, there, "goes by chains of its own", cite.NFTABLES_CODE)


def _rules(table: Table, walker: Walker, report: Report) -> None:
    for (name, index), rule in walker.strange.items():
        report.add(Kind.FOREIGN, owner(name), f"chain {name} rule {index + 1}", told(rule), "", cite.NFTABLES_CODE)
    for name in table.chains:
        about = owner(name)
        # In a chain that is wrong anyway, what is never reached follows from that.
        for rule in () if about in report.blamed else walker.unreached(name):
            there = f"{told(rule)}, to which no packet comes"
            report.add(Kind.FOREIGN, about, f"chain {name}", there, "", cite.NFTABLES_CODE)


def _referred(table: Table, fixed: set[str]) -> set[str]:
    """The chains that packets can come into: base chains, what maps name, and what these go to."""
    found = fixed | {c.name for c in table.chains.values() if c.hook}
    for container in table.containers.values():
        found |= {e.verdict.target for e in container.elements.values() if e.verdict and e.verdict.target}
    waiting = list(found)
    while waiting:
        chain = table.chains.get(waiting.pop())
        for target in set().union(*map(targets, chain.rules)) if chain else ():
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found
